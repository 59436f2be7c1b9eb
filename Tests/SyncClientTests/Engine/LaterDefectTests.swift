import Multiformats
import SyncProtocol
import Testing
import TreeValues

@testable import SyncClient

/// Defects 4, 5 and 14 to 16 of the list in the protocol's page: files that are half written, times that
/// say too little, and one failure that stops everything.
@Suite struct LaterDefectTests {
    @Test(arguments: [true, false])
    func defect4AFileIsWholeWheneverTheMachineStops(canExchange: Bool) throws {
        let (old, new) = (String(repeating: "old ", count: 30), String(repeating: "changed ", count: 40))
        for calls in 1... {
            let pair = try TwoDevices(canExchange: canExchange)
            try pair.there.write(old, to: "a")
            try pair.settle()
            try pair.there.write(new, to: "a")
            try pair.there.synchronize()
            let here = pair.here
            let start = here.disk.calls
            here.disk.crash(afterCalls: calls)
            try here.synchronize()
            let isOver = here.disk.calls < start + calls
            // What a person finds after the power cut, before anything runs again.
            let found = try pair.files(here)["a"]
            // Where two files cannot change places at once, the old one is in the trash for a moment.
            let isBetween = !canExchange && found == nil
            let isThere = try here.contents().contains(Array(old.utf8))
            #expect(found == old || found == new || isBetween && isThere, "stopped at call \(calls)")
            here.disk.crash(afterCalls: nil)
            try pair.settle()
            #expect(try pair.files(here) == ["a": new])
            if isOver { break }
        }
    }

    @Test func defect5WhatIsWrittenDownAndWhatIsOnTheDiskAreBroughtTogetherAgain() throws {
        for statements in 1... {
            let pair = try TwoDevices()
            try pair.there.write("old", to: "a")
            try pair.there.write("stays", to: "b")
            try pair.settle()
            try pair.there.write("new", to: "a")
            try pair.there.remove("b")
            try pair.there.synchronize()
            let here = pair.here
            here.state.crashIn = statements
            try here.synchronize()
            let isOver = here.state.crashIn ?? 0 > 0
            here.state.crashIn = nil
            try pair.settle()
            for device in [here, pair.there] {
                #expect(try pair.files(device) == ["a": "new"], "stopped at write \(statements)")
            }
            if isOver { break }
        }
    }

    @Test func defect14AnEditOfTheSameLengthInTheSameMomentIsSeen() throws {
        let pair = try TwoDevices()
        func status() throws -> FileStatus? {
            try pair.here.disk.asUser { disk throws(FileError) in try disk.status("a") }
        }
        try pair.here.write("salt", to: "a")
        try pair.here.synchronize()
        // Neither size nor time tells.
        let before = try #require(try status())
        try pair.here.write("mint", to: "a")
        try pair.here.disk.asUser { disk throws(FileError) in
            try disk.setAttributes("a", modified: before.modified, mode: nil)
        }
        let after = try #require(try status())
        #expect(before.size == after.size && before.modified == after.modified)
        try pair.here.synchronize()
        try pair.there.synchronize()
        #expect(try pair.files(pair.there) == ["a": "mint"])
    }

    @Test func defect15NamesSayNothingOfWhatIsInThem() throws {
        let pair = try TwoDevices()
        let names = ["a.qqq", "noextension", ".hidden", "x.", "y.tar.gz.part", "dir.txt/z.JPEG"]
        try pair.here.disk.asUser { disk throws(FileError) in try disk.makeDirectory("dir.txt") }
        for name in names { try pair.here.write("text of \(name)", to: name) }
        try pair.settle()
        var expected = Dictionary(uniqueKeysWithValues: names.map { ($0, "text of \($0)") })
        expected["dir.txt"] = "/"
        #expect(try pair.files(pair.there) == expected)
    }

    @Test func defect16OneFileThatFailsKeepsNoOtherBack() throws {
        let pair = try TwoDevices()
        for number in 0..<5 { try pair.here.write("\(number)", to: "f\(number)") }
        pair.here.disk.set(unreadable: "f2")
        try pair.here.synchronize()
        try pair.there.synchronize()
        let others = ["f0": "0", "f1": "1", "f3": "3", "f4": "4"]
        #expect(try pair.files(pair.there) == others)
        pair.here.disk.set(unreadable: nil)
        try pair.settle()
        #expect(try pair.files(pair.there) == others.merging(["f2": "2"]) { $1 })
    }

    /// A file took the name of the directory that it was in, and both waited for each other: it was given
    /// another name for the time being within that directory, which could not go then.
    @Test(arguments: [VirtualDisk.Names.bytes, .decomposed])
    func aFileMayTakeTheNameOfTheDirectoryThatItWasIn(names: VirtualDisk.Names) throws {
        let pair = try TwoDevices(names: names)
        try pair.here.disk.asUser { disk throws(FileError) in try disk.makeDirectory("e") }
        try pair.here.write("content", to: "e/d")
        try pair.settle()
        try pair.here.disk.asUser { disk throws(FileError) in
            try disk.rename("e/d", to: "other", replacing: false)
            try disk.removeDirectory("e")
            try disk.rename("other", to: "e", replacing: false)
        }
        try pair.settle()
        #expect(try pair.files(pair.here) == ["e": "content"])
        #expect(try pair.files(pair.there) == ["e": "content"])
        #expect(pair.server.tree().keys.sorted() == ["e"])
    }

    /// A directory below itself, one level deeper than a person sees: it waited for a name that was held by the
    /// one that waited for it.
    @Test func directoriesThatWereMovedIntoEachOtherEndAsTheServerHasThem() throws {
        let pair = try TwoDevices()
        for path in ["e", "a", "a/d"] { try pair.there.makeDirectory(path) }
        try pair.settle()
        try pair.there.move("a", to: "e/a")
        try pair.there.synchronize()
        // What is moved in two steps keeps its nodes.
        pair.here.server.set(isDown: true, lossOneIn: 0)
        try pair.here.move("e", to: "a/d/b")
        try pair.here.synchronize()
        try pair.here.move("a", to: "e")
        try pair.here.synchronize()
        pair.here.server.set(isDown: false, lossOneIn: 0)
        try pair.settle()
        #expect(try pair.files(pair.here) == ["e": "/", "e/a": "/", "e/a/d": "/"])
        #expect(try pair.files(pair.there) == pair.files(pair.here))
    }

    /// What waits for a name under another one, which is taken, waited for good.
    @Test func whatWaitsForItsNameFindsAFreeOne() throws {
        let pair = try TwoDevices()
        for path in ["a", "b"] { try pair.there.write(path, to: path) }
        try pair.settle()
        let taken = pair.server.tree().values.map { SyncNames.temporary(for: $0.id) }
        for path in taken { try pair.here.write("x", to: path) }
        // What is moved in two steps keeps its nodes.
        pair.there.server.set(isDown: true, lossOneIn: 0)
        for (old, new) in [("a", "c"), ("b", "a"), ("c", "b")] {
            try pair.there.move(old, to: new)
            try pair.there.synchronize()
        }
        pair.there.server.set(isDown: false, lossOneIn: 0)
        try pair.settle()
        var expected = ["a": "b", "b": "a"]
        for path in taken { expected[path] = "x" }
        #expect(try pair.files(pair.here) == expected)
        #expect(try pair.files(pair.there) == expected)
        #expect(pair.here.engine?.status.activity == .settled)
    }

    /// A directory that was removed here came back there, got a file, and was removed again: the file had no
    /// directory any more, and waited for it for good.
    @Test func whatWasInADirectoryThatCameBackAndWentIsForgotten() throws {
        let pair = try TwoDevices()
        for path in ["d", "d/e"] { try pair.here.makeDirectory(path) }
        try pair.settle()
        for path in ["d/e", "d"] { try pair.here.remove(path) }
        try pair.here.synchronize()
        pair.server.undelete(SimulationRandom(seed: 1))
        try pair.there.write("new", to: "d/e/f")
        try pair.there.synchronize()
        for path in ["d/e/f", "d/e", "d"] { try pair.there.remove(path) }
        try pair.there.synchronize()
        try pair.settle()
        #expect(pair.server.tree().isEmpty)
        for device in [pair.here, pair.there] {
            #expect(try pair.files(device).isEmpty)
            #expect(device.engine?.status.activity == .settled)
        }
    }

    /// Where the names are one file on both sides, each told the other of the times of one and of the other.
    @Test func namesOfOneFileOnTwoMachinesComeToRest() throws {
        let pair = try TwoDevices()
        for device in [pair.here, pair.there] { try device.write("x", to: "a") }
        try pair.settle()
        for device in [pair.here, pair.there] {
            try device.disk.asUser { disk throws(FileError) in try disk.link("a", at: "b") }
            device.server.set(isDown: true, lossOneIn: 0)
            try device.synchronize()
            device.server.set(isDown: false, lossOneIn: 0)
        }
        try pair.settle()
        for (device, time) in [(pair.here, 5), (pair.there, 7)] as [(SimulatedDevice, Int64)] {
            try device.disk.asUser { disk throws(FileError) in
                try disk.setAttributes(time == 5 ? "a" : "b", modified: time * 1_000_000_000, mode: nil)
            }
        }
        try pair.settle()
        let head = pair.server.head
        try pair.settle()
        #expect(pair.server.head == head)
        #expect(try pair.files(pair.here) == ["a": "x", "b": "x"])
        // An edit of one is one of the other only where they are one file.
        try pair.there.write("y", to: "a")
        try pair.settle()
        #expect(try pair.files(pair.here)["a"] == "y")
        #expect(try pair.files(pair.here) == pair.files(pair.there))
    }

    /// It had a number for a name, at the top of the day.
    @Test func eachVersionOfADayIsInTheTrashByItsName() throws {
        let pair = try TwoDevices()
        try pair.there.makeDirectory("d")
        for text in ["one", "two", "three"] {
            for name in ["d/leek.md", "d/.rc"] { try pair.there.write(text, to: name) }
            try pair.settle()
        }
        let all = try pair.here.disk.asUser { disk throws(FileError) in
            try FolderEntry.tree(of: disk, below: OwnDirectory.trash)
        }
        let kept = all.keys.filter { $0.contains("d/") }.map { FolderPath.name(of: $0) }
        #expect(kept.count { $0.hasPrefix("leek~") && $0.hasSuffix(".md") } == 1, "\(kept)")
        #expect(kept.contains("leek.md") && kept.count { $0.hasPrefix(".rc~") } == 1, "\(kept)")
    }
}
