import SyncProtocol
import Testing
import TreeValues

@testable import SyncClient

/// Somebody saves while a change of the server is taken over: at every single call of the disk.
@Suite struct LastMomentTests {
    private enum Saving: CaseIterable { case inPlace, byRename }

    private func save(_ text: String, _ saving: Saving, on disk: VirtualDisk) {
        try? disk.asUser { disk throws(FileError) in
            switch saving {
            case .inPlace:
                if try disk.status("a") == nil { try disk.create("a") }
                try disk.replaceContents(of: "a", with: Array(text.utf8))
            case .byRename:
                try disk.create("a~")
                try disk.replaceContents(of: "a~", with: Array(text.utf8))
                try disk.rename("a~", to: "a", replacing: true)
            }
        }
    }

    private func check(
        canExchange: Bool, _ saving: Saving, _ change: (SimulatedDevice) throws -> Void
    ) throws {
        for calls in 1... {
            let pair = try TwoDevices(canExchange: canExchange)
            try pair.there.write("old", to: "a")
            try pair.settle()
            try change(pair.there)
            try pair.there.synchronize()
            let disk = pair.here.disk
            let start = disk.calls
            disk.interfere(afterCalls: calls) { save("mine, in the last moment", saving, on: disk) }
            try pair.here.synchronize()
            let isOver = disk.calls < start + calls
            disk.interfere(afterCalls: .max / 2) {}
            try pair.settle()
            let files = try pair.files(pair.here)
            #expect(try files == pair.files(pair.there), "call \(calls)")
            if isOver { break }
            #expect(files.values.contains("mine, in the last moment"), "call \(calls): \(files)")
        }
    }

    /// It was in the trash, and nowhere else.
    @Test(arguments: [true, false], Saving.allCases)
    private func whatIsSavedInTheLastMomentStaysWhereANewVersionComes(
        canExchange: Bool, saving: Saving
    ) throws {
        try check(canExchange: canExchange, saving) { try $0.write("theirs", to: "a") }
    }

    @Test(arguments: Saving.allCases)
    private func whatIsSavedInTheLastMomentStaysWhereItIsRemoved(saving: Saving) throws {
        try check(canExchange: true, saving) { try $0.remove("a") }
    }

    /// A file gives its place up to another one, and somebody removes it in the last moment: the disk has room
    /// for the other one, and the local tree had two nodes there, which no scan could tell apart.
    @Test(arguments: [false, true])
    private func aPlaceHasOneNodeThoughSomebodyFreesItMeanwhile(isRemoved: Bool) throws {
        for calls in 1... {
            let pair = try TwoDevices()
            try pair.there.write("old", to: "a")
            try pair.settle()
            if isRemoved { try pair.there.remove("a") } else { try pair.there.move("a", to: "b") }
            try pair.there.synchronize()
            try pair.there.write("new", to: "a")
            try pair.there.synchronize()
            let disk = pair.here.disk
            let start = disk.calls
            disk.interfere(afterCalls: calls) {
                try? disk.asUser { disk throws(FileError) in
                    if try disk.contents(of: "a") == Array("old".utf8) { try disk.removeFile("a") }
                }
            }
            try pair.here.synchronize()
            let isOver = disk.calls < start + calls
            disk.interfere(afterCalls: .max / 2) {}
            let state = pair.here.state
            let places = try state.children(of: state.root, in: .local).map { LocalPlace($0.parent, $0.name) }
            #expect(Set(places).count == places.count, "call \(calls)")
            try pair.settle()
            #expect(try pair.files(pair.here) == pair.files(pair.there), "call \(calls)")
            #expect(pair.here.engine?.status.activity == .settled, "call \(calls)")
            if isOver { break }
        }
    }

    // MARK: A disk that fails right after

    /// What somebody saved between the last look and the exchange was under the temporary name, and was
    /// removed when the disk failed before it had been looked at.
    @Test(arguments: Saving.allCases, [false, true])
    private func whatIsSavedInTheLastMomentStaysThoughTheDiskFailsThen(
        saving: Saving, merges: Bool
    ) throws {
        var failures = 0
        // Each call of the pass for the one who saves, and each of the next ones for the disk that fails.
        for calls in 1... {
            var isOver = false
            for later in 0..<6 {
                let pair = try TwoDevices(mergesText: merges)
                try pair.there.write(Self.lines(), to: "a")
                try pair.settle()
                if merges { try pair.here.write(Self.lines("first"), to: "a") }
                try pair.there.write(Self.lines(last: "theirs"), to: "a")
                try pair.there.synchronize()
                let disk = pair.here.disk
                let (start, mine) = (disk.calls, "mine, in the last moment")
                disk.interfere(afterCalls: calls) { save(mine, saving, on: disk) }
                disk.fail(afterCalls: calls + later)
                // A pass that a disk broke off is followed by another.
                try? pair.here.synchronize()
                isOver = disk.calls < start + calls
                if disk.calls > start + calls + later { failures += 1 }
                disk.interfere(afterCalls: .max / 2) {}
                disk.fail(afterCalls: nil)
                // What was left in the making is moved to the trash when the program starts again.
                pair.here.stop()
                try pair.settle()
                let files = try pair.files(pair.here)
                #expect(try files == pair.files(pair.there), "call \(calls), then \(later)")
                if isOver { break }
                let kept = try pair.here.contents().contains(Array(mine.utf8))
                #expect(kept, "call \(calls), then \(later): \(files)")
            }
            if isOver { break }
        }
        #expect(failures > 20, "the disk failed in \(failures) passes")
    }

    private static func lines(_ first: String = "line", last: String = "line") -> String {
        first + "\n" + String(repeating: "line\n", count: 20) + last + "\n"
    }
}
