import Testing

@testable import SyncClient

@Suite struct FolderPathTests {
    @Test(arguments: [
        ("", "", ""), ("a", "", "a"), ("a/b", "a", "b"), ("a/b/c", "a/b", "c"),
        ("d/\u{301}m", "d", "\u{301}m"),
    ])
    func aPathIsADirectoryAndAName(path: String, directory: String, name: String) {
        #expect(ExactPath(FolderPath.parent(of: path)) == ExactPath(directory))
        #expect(ExactPath(FolderPath.name(of: path)) == ExactPath(name))
        #expect(ExactPath(FolderPath.join(directory, name)) == ExactPath(path))
    }

    @Test func namesAreCutAtSlashesWhateverFollowsThem() {
        let names = FolderPath.names(of: "/a//\u{301}m/\u{1F600}/").map(ExactPath.init)
        #expect(names == ["a", "\u{301}m", "\u{1F600}"].map(ExactPath.init))
        #expect(FolderPath.names(of: "").isEmpty)
    }

    @Test(arguments: [
        ("a/b", "a", true), ("a", "a", false), ("ab", "a", false), ("a/\u{301}m", "a", true), ("a", "", true),
        ("", "", false), ("/a", "/", true), ("e\u{301}/x", "\u{e9}", false),
    ])
    func isBelow(path: String, directory: String, isBelow: Bool) {
        #expect(FolderPath.isBelow(path, directory) == isBelow)
    }

    @Test(
        arguments: [
            ("/d/a/b", "/d", "a/b"), ("/d/\u{301}m", "/d", "\u{301}m"), ("/a", "/", "a"), ("/d", "/d", nil),
            ("/dd/a", "/d", nil), ("/e\u{301}/x", "/\u{e9}", nil), ("/\u{e9}/x", "/\u{e9}", "x"),
        ] as [(String, String, String?)])
    func aPathWithinADirectory(path: String, directory: String, within: String?) {
        let found = FolderPath.path(path, within: directory)
        #expect(found.map(ExactPath.init) == within.map(ExactPath.init))
    }

    @Test func twoFormsAreTwoPaths() {
        #expect("\u{e9}" == "e\u{301}", "which is why there is a type")
        #expect(ExactPath("\u{e9}") != ExactPath("e\u{301}"))
        var paths = PathSet()
        #expect(paths.insert("\u{e9}") && paths.insert("e\u{301}") && !paths.insert("\u{e9}"))
        #expect(paths.count == 2 && paths.contains("e\u{301}"))
        #expect(paths.sorted.map(ExactPath.init) == [ExactPath("e\u{301}"), ExactPath("\u{e9}")])
    }

    @Test func whatChangedIsKnownByItsBytes() {
        var dirty = DirtyPaths()
        for path in ["\u{e9}", "e\u{301}", "d/\u{301}m", "\u{e9}/x", "e\u{301}/x"] { dirty.add(path) }
        #expect(dirty.take().count == 5)
        dirty.addSubtree("\u{e9}")
        dirty.add("e\u{301}/x")
        dirty.add("\u{e9}/x")
        #expect(dirty.take().map(ExactPath.init) == ["e\u{301}/x", "\u{e9}"].map(ExactPath.init))
    }
}
