import SyncProtocol
import Testing
import TreeValues

@testable import SyncClient

/// Each row of the conflict table, with two devices: what both do while they do not know of each other, and
/// what both have in the end.
@Suite struct ConflictTableTests {
    /// Both start with these files, do something, and end with these.
    private func expect(
        _ start: [String: String], here: (SimulatedDevice) throws -> Void,
        there: (SimulatedDevice) throws -> Void, _ end: [String: String], pair: TwoDevices? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let pair = try pair ?? TwoDevices()
        for (path, text) in start.sorted(by: { $0.key < $1.key }) {
            if text == "/" {
                try pair.there.makeDirectory(path)
            } else {
                try pair.there.write(text, to: path)
            }
        }
        try pair.settle()
        try here(pair.here)
        try there(pair.there)
        // The one that is first at the server is `there`.
        try pair.there.synchronize()
        try pair.settle()
        #expect(try pair.files(pair.here) == end, sourceLocation: sourceLocation)
        #expect(try pair.files(pair.there) == end, sourceLocation: sourceLocation)
        #expect(pair.here.engine?.status.activity == .settled, sourceLocation: sourceLocation)
    }

    @Test func twoEditsLeaveTheServersUnderTheNameAndTheOtherBesideIt() throws {
        try expect(
            ["a.txt": "old"], here: { try $0.write("mine", to: "a.txt") },
            there: { try $0.write("theirs", to: "a.txt") },
            ["a.txt": "theirs", "a (conflict here).txt": "mine"])
    }

    @Test func twoEqualEditsAreOne() throws {
        try expect(
            ["a": "old"], here: { try $0.write("same", to: "a") }, there: { try $0.write("same", to: "a") },
            ["a": "same"])
    }

    @Test func anEditWinsOverADeletionThere() throws {
        try expect(
            ["a": "old"], here: { try $0.write("edit", to: "a") }, there: { try $0.remove("a") },
            ["a": "edit"])
    }

    @Test func anEditThereWinsOverADeletionHere() throws {
        try expect(
            ["a": "old"], here: { try $0.remove("a") }, there: { try $0.write("edit", to: "a") },
            ["a": "edit"])
    }

    @Test func aFileThatIsEditedAndDeletedKeepsItsNode() throws {
        let pair = try TwoDevices()
        try pair.there.write("old", to: "a")
        try pair.settle()
        let before = pair.server.tree()["a"]?.id
        try pair.there.remove("a")
        try pair.there.synchronize()
        try pair.here.write("edit", to: "a")
        try pair.settle()
        #expect(before != nil && pair.server.tree()["a"]?.id == before)
    }

    @Test func twoDeletionsAreOne() throws {
        try expect(
            ["a": "old", "b": "b"], here: { try $0.remove("a") }, there: { try $0.remove("a") }, ["b": "b"])
    }

    @Test func twoNewFilesOfOneNameAreBothKept() throws {
        try expect(
            [:], here: { try $0.write("mine", to: "a.tar.gz") },
            there: { try $0.write("theirs", to: "a.tar.gz") },
            ["a.tar.gz": "theirs", "a.tar (conflict here).gz": "mine"])
    }

    @Test func twoNewEqualFilesAreOneNode() throws {
        let pair = try TwoDevices()
        try pair.here.write("same", to: "a")
        try pair.there.write("same", to: "a")
        try pair.settle()
        #expect(try pair.files(pair.here) == ["a": "same"])
        #expect(pair.server.tree().count == 1 && pair.server.journal.count <= 2)
        #expect(pair.there.engine?.status.counters.downloaded == 0)
    }

    @Test func theFirstOfTwoMovesWins() throws {
        try expect(
            ["a": "x", "d": "/", "e": "/"], here: { try $0.move("a", to: "d/a") },
            there: { try $0.move("a", to: "e/a") }, ["d": "/", "e": "/", "e/a": "x"])
    }

    @Test func twoEqualMovesAreOne() throws {
        try expect(
            ["a": "x", "d": "/"], here: { try $0.move("a", to: "d/b") },
            there: { try $0.move("a", to: "d/b") },
            ["d": "/", "d/b": "x"])
    }

    @Test func aMoveAndAnEditAreBothDone() throws {
        try expect(
            ["a": "old", "d": "/"], here: { try $0.move("a", to: "d/b") },
            there: { try $0.write("new", to: "a") }, ["d": "/", "d/b": "new"])
        try expect(
            ["a": "old", "d": "/"], here: { try $0.write("new", to: "a") },
            there: { try $0.move("a", to: "d/b") }, ["d": "/", "d/b": "new"])
    }

    @Test func aMoveHereOfWhatWasDeletedThereIsADeletion() throws {
        try expect(
            ["a": "old", "d": "/"], here: { try $0.move("a", to: "d/b") }, there: { try $0.remove("a") },
            ["d": "/"])
    }

    @Test func aMoveThereBringsBackWhatWasDeletedHere() throws {
        try expect(
            ["a": "old", "d": "/"], here: { try $0.remove("a") }, there: { try $0.move("a", to: "d/b") },
            ["d": "/", "d/b": "old"])
    }

    @Test func ofTwoMovesThatMakeACircleTheFirstStands() throws {
        try expect(
            ["a": "/", "b": "/", "a/x": "1", "b/y": "2"], here: { try $0.move("a", to: "b/a") },
            there: { try $0.move("b", to: "a/b") },
            ["a": "/", "a/b": "/", "a/x": "1", "a/b/y": "2"])
    }

    @Test func twoFilesThatSwapTheirNamesDoSoEverywhere() throws {
        try expect(
            ["a": "1", "b": "2"],
            here: { device in
                try device.move("a", to: "c")
                try device.move("b", to: "a")
                try device.move("c", to: "b")
            }, there: { _ in }, ["a": "2", "b": "1"])
    }

    @Test func aDirectoryThatIsDeletedThereStaysForANewFileHere() throws {
        try expect(
            ["d": "/", "d/old": "1"], here: { try $0.write("new", to: "d/new") },
            there: { device in
                try device.remove("d/old")
                try device.remove("d")
            }, ["d": "/", "d/new": "new"])
    }

    @Test func aDirectoryThatIsDeletedHereComesBackForANewFileThere() throws {
        try expect(
            ["d": "/", "d/e": "/", "d/e/old": "1"],
            here: { device in
                try device.remove("d/e/old")
                try device.remove("d/e")
                try device.remove("d")
            }, there: { try $0.write("new", to: "d/e/new") }, ["d": "/", "d/e": "/", "d/e/new": "new"])
    }

    @Test func aCaseOnlyRenameIsARenameOnEveryFileSystem() throws {
        for names in VirtualDisk.Names.allCases {
            let pair = try TwoDevices(names: names)
            try expect(
                ["readme": "x"], here: { _ in }, there: { try $0.move("readme", to: "README") },
                ["README": "x"],
                pair: pair)
            let node = pair.server.tree()["README"]
            #expect(node?.contentRevision == 1)
        }
    }

    @Test func namesThatDifferByCaseOnlyStandBesideEachOther() throws {
        try expect(
            ["readme": "1"], here: { _ in }, there: { try $0.write("2", to: "README") },
            ["readme": "1", "README (case conflict there)": "2"])
    }

    @Test func aNameInAnotherUnicodeFormIsTheSameName() throws {
        let pair = try TwoDevices(names: .decomposed)
        try pair.there.write("x", to: "caf\u{e9}")
        try pair.settle()
        let entries = try pair.here.disk.asUser { disk throws(FileError) in try disk.list("") }
        #expect(entries.contains { $0.name.map { Array($0.utf8) } == Array("cafe\u{301}".utf8) })
        // The other form on one disk is no change for anybody.
        let head = pair.server.head
        try pair.settle()
        #expect(pair.server.head == head)
        #expect(Array((pair.server.tree().keys.first ?? "").utf8) == Array("caf\u{e9}".utf8))
    }

    private static let composed = "caf\u{e9}.txt"
    private static let decomposed = "cafe\u{301}.txt"

    /// One of the two was left out, and its folder never came to rest.
    @Test(arguments: VirtualDisk.Names.allCases, [true, false])
    func ofTwoUnicodeFormsOnOneDiskOneGetsAnotherName(names: VirtualDisk.Names, isEqual: Bool) throws {
        let pair = try TwoDevices(names: names)
        try pair.there.write("1", to: Self.composed)
        try pair.there.write(isEqual ? "1" : "2", to: Self.decomposed)
        try pair.there.synchronize()
        try pair.settle()
        let end = try pair.files(pair.there)
        #expect(Set(end.keys) == [Self.composed, "caf\u{e9} (unicode conflict there).txt"])
        #expect(end.values.sorted() == ["1", isEqual ? "1" : "2"])
        #expect(try pair.files(pair.here) == end)
        #expect(try pair.there.names().count == 2)
        for device in [pair.here, pair.there] { #expect(device.engine?.status.activity == .settled) }
    }

    @Test(arguments: ["new", "old"])
    func aNewFileInAnotherUnicodeFormGetsAnotherName(text: String) throws {
        try expect(
            [Self.composed: "old"], here: { try $0.write(text, to: Self.decomposed) }, there: { _ in },
            [Self.composed: "old", "caf\u{e9} (unicode conflict here).txt": text])
    }

    @Test func twoUnicodeFormsOnTwoDisksAreOneName() throws {
        try expect(
            [:], here: { try $0.write("mine", to: Self.decomposed) },
            there: { try $0.write("theirs", to: Self.composed) },
            [Self.composed: "theirs", "caf\u{e9} (conflict here).txt": "mine"])
        let pair = try TwoDevices()
        try expect(
            [:], here: { try $0.write("same", to: Self.decomposed) },
            there: { try $0.write("same", to: Self.composed) }, [Self.composed: "same"], pair: pair)
        // Nobody's file is renamed for it.
        #expect(try pair.here.names().map(ExactPath.init) == [ExactPath(Self.decomposed)])
    }

    @Test func aDirectoryInAnotherUnicodeFormGetsAnotherNameWithAllThatIsInIt() throws {
        try expect(
            ["\u{e9}": "/", "\u{e9}/x": "1"],
            here: { device in
                try device.makeDirectory("e\u{301}")
                try device.write("2", to: "e\u{301}/x")
            }, there: { try $0.write("3", to: "\u{e9}/y") },
            [
                "\u{e9}": "/", "\u{e9}/x": "1", "\u{e9}/y": "3", "\u{e9} (unicode conflict here)": "/",
                "\u{e9} (unicode conflict here)/x": "2",
            ])
    }

    /// As a program does that writes names in the other form.
    @Test(arguments: VirtualDisk.Names.allCases)
    func aFileThatIsReplacedInAnotherUnicodeFormKeepsItsNode(names: VirtualDisk.Names) throws {
        let pair = try TwoDevices(names: names)
        try pair.there.write("old", to: Self.composed)
        try pair.settle()
        let before = pair.server.tree()[Self.composed]?.id
        try pair.here.remove(Self.composed)
        try pair.here.write("new", to: Self.decomposed)
        try pair.settle()
        #expect(before != nil && pair.server.tree()[Self.composed]?.id == before)
        for device in [pair.here, pair.there] { #expect(try pair.files(device) == [Self.composed: "new"]) }
    }

    @Test func twoUnicodeFormsAreResolvedByRemovingOne() throws {
        let pair = try TwoDevices()
        try pair.here.write("1", to: Self.composed)
        try pair.settle()
        try pair.here.write("2", to: Self.decomposed)
        try pair.settle()
        let copy = try #require(pair.here.names().first { ConflictName($0) != nil })
        try pair.here.remove(Self.composed)
        try pair.here.move(copy, to: Self.decomposed)
        try pair.settle()
        for device in [pair.here, pair.there] { #expect(try pair.files(device) == [Self.composed: "2"]) }
        #expect(pair.here.engine?.status.activity == .settled)
    }

    /// A slash with such a mark behind it is no slash to a program that looks at characters.
    @Test func aNameMayBeginWithACombiningMark() throws {
        let name = "d/\u{301}m"
        try expect(
            ["d": "/", name: "1"], here: { try $0.write("2", to: name) }, there: { _ in },
            ["d": "/", name: "2"])
        try expect(
            ["d": "/", name: "1", "d/\u{301}n": "2"], here: { try $0.remove(name) },
            there: { try $0.write("3", to: "d/\u{301}n") }, ["d": "/", "d/\u{301}n": "3"])
    }

    @Test func aFileBecomesADirectoryAndADirectoryAFile() throws {
        try expect(
            ["a": "file", "d": "/", "d/x": "1"], here: { _ in },
            there: { device in
                try device.remove("a")
                try device.makeDirectory("a")
                try device.write("in", to: "a/in")
                try device.remove("d/x")
                try device.remove("d")
                try device.write("was a directory", to: "d")
            }, ["a": "/", "a/in": "in", "d": "was a directory"])
    }

    @Test func aDirectoryWithNewFilesMakesRoomForAFile() throws {
        try expect(
            ["d": "/", "d/x": "1"], here: { try $0.write("new", to: "d/new") },
            there: { device in
                try device.remove("d/x")
                try device.remove("d")
                try device.write("a file", to: "d")
            }, ["d": "a file", "d (conflict here)": "/", "d (conflict here)/new": "new"])
    }

    @Test func aSymlinkIsItsTextAndIsNotFollowed() throws {
        try expect(
            [:],
            here: { device in
                try device.disk.asUser { disk throws(FileError) in
                    try disk.makeSymlink("up", target: "../../etc/passwd")
                    try disk.makeSymlink("nowhere", target: "x/y")
                }
            }, there: { _ in }, ["up": "-> ../../etc/passwd", "nowhere": "-> x/y"])
    }

    @Test func aClockThatIsWrongDecidesNothing() throws {
        try expect(
            ["a": "old"],
            here: { device in
                device.clock.jump(milliseconds: 10 * 365 * 86_400_000)
                try device.write("mine, from the future", to: "a")
                device.clock.jump(milliseconds: -10 * 365 * 86_400_000)
            }, there: { try $0.write("theirs", to: "a") },
            ["a": "theirs", "a (conflict here)": "mine, from the future"])
    }

    @Test func anEditorsSaveByRenameKeepsTheNode() throws {
        let pair = try TwoDevices()
        try pair.there.write("old", to: "a")
        try pair.settle()
        let before = pair.server.tree()["a"]?.id
        try pair.here.write("new", to: "a~")
        try pair.here.disk.asUser { disk throws(FileError) in try disk.rename("a~", to: "a", replacing: true)
        }
        try pair.settle()
        #expect(before != nil && pair.server.tree()["a"]?.id == before)
        #expect(try pair.files(pair.there) == ["a": "new"])
    }

    @Test func anExcludedFileIsForgottenAndNotDeleted() throws {
        let pair = try TwoDevices()
        try pair.there.write("x", to: "a")
        try pair.there.write("y", to: "keep")
        try pair.settle()
        pair.here.stop()
        pair.here.options.isExcluded = { path, _ in path == "a" }
        try pair.there.write("edit", to: "a")
        try pair.settle()
        try pair.there.remove("keep")
        try pair.here.write("mine", to: "a")
        try pair.settle()
        #expect(try pair.files(pair.here) == ["a": "mine"])
        #expect(try pair.files(pair.there) == ["a": "edit"])
        #expect(pair.here.state.base.node(pair.server.tree()["a"]?.id ?? pair.server.root, in: .local) == nil)
    }

    @Test func aFileThatCannotBeReadIsNotDeleted() throws {
        let pair = try TwoDevices()
        try pair.there.makeDirectory("d")
        try pair.there.write("x", to: "d/a")
        try pair.settle()
        pair.here.disk.set(unreadable: "d")
        try pair.settle()
        pair.here.disk.set(unreadable: "a")
        try pair.settle()
        #expect(try pair.files(pair.there) == ["d": "/", "d/a": "x"])
        #expect(try pair.files(pair.here) == ["d": "/", "d/a": "x"])
    }

    @Test func aNameThatNoDiskHoldsIsHeldAndTheRestGoesOn() throws {
        let pair = try TwoDevices()
        try pair.there.write("x", to: "a")
        try pair.settle()
        let evil = SyncNode(
            id: .init(bits: 99), parent: pair.server.root, name: "../../evil", kind: .file,
            content: SimulatedUser.root(of: Array("x".utf8)), size: 1)
        try pair.here.state.transaction { try pair.here.state.put(evil, in: .remote) }
        try pair.there.write("y", to: "b")
        try pair.settle()
        #expect(try pair.files(pair.here) == ["a": "x", "b": "y"])
        #expect(pair.here.engine?.waitingItems().map(\.reason) == [.held(.nameNotPossible)])
    }

    @Test func aNameThatIsTooLongForTheDiskIsAnErrorOfThatFileAlone() throws {
        let pair = try TwoDevices()
        let long = String(repeating: "x", count: 300)
        let node = SyncNode(
            id: .init(bits: 99), parent: pair.server.root, name: long, kind: .symlink, target: "t", size: 1)
        try pair.here.synchronize()
        try pair.here.state.transaction { try pair.here.state.put(node, in: .remote) }
        try pair.there.write("y", to: "b")
        try pair.settle()
        #expect(try pair.files(pair.here) == ["b": "y"])
        #expect(pair.server.head == 1)
    }
}
