import Catalog
import Namespaces
import TestKit
import Testing
import TreeValues

/// Other rules for names hold for what is there, or do not come.
@Suite struct PolicyChangeTests {
    private func policy(
        _ letterCase: NamespacePolicy.LetterCase, _ names: NamespacePolicy.NameStyle = .files
    ) -> NamespacePolicy {
        var policy = NamespacePolicy()
        (policy.letterCase, policy.names) = (letterCase, names)
        return policy
    }

    private func isTaken(_ name: String, _ folder: Folder, in parent: TreeNode? = nil) throws -> Bool {
        let outcome = try folder.commit(.put(.init(file(99), place: folder.place(name, in: parent))))[0]
        if case .conflict(.nameTaken, _) = outcome { return true }
        return false
    }

    @Test(arguments: Engine.all) func newRulesHoldForNamesThatAreThere(engine: Engine) throws {
        let folder = try Folder(engine, policy: policy(.sensitive))
        let soups = try folder.directory("Soups")
        try folder.put("Borscht", 1, in: soups)
        let gone = try folder.put("Readme", 2)
        try folder.must(.delete(gone.id, base: gone.revision, newestBelow: 0))
        for number in 0..<1500 { try folder.put("File \(number)", UInt64(number)) }
        let changed = try folder.store.change(folder.id) { $0.letterCase = .insensitive }
        #expect(
            try changed == folder.namespace
                && NamespacePolicy(json: changed.policy).letterCase == .insensitive)
        #expect(try isTaken("borscht", folder, in: soups))
        #expect(try isTaken("soups", folder))
        #expect(try isTaken("file 1499", folder))
        // One that comes back by a restore of the whole is under the new rules too.
        _ = try folder.store.restore(folder.id, asOf: gone.revision, author: folder.author)
        #expect(try isTaken("readme", folder))
        #expect(try folder.store.catalogProblems() == [])
        // And back again.
        _ = try folder.store.change(folder.id) { $0.letterCase = .sensitive }
        #expect(try !isTaken("readme", folder))
        #expect(try isTaken("Soups", folder))
    }

    @Test(arguments: Engine.all) func namesThatWouldBeOneAreNamedAndNothingChanges(engine: Engine) throws {
        let folder = try Folder(engine, policy: policy(.sensitive))
        let soups = try folder.directory("Soups")
        let one = try folder.put("Readme", 1, in: soups)
        try folder.put("A", 1)
        try folder.put("readme", 2, in: soups)
        let before = try folder.namespace
        let error = #expect(throws: NamespaceError.self) {
            try folder.store.change(folder.id, name: "food") { $0.letterCase = .insensitive }
        }
        guard case .namesClash(let path, let other) = error else { throw try #require(error) }
        #expect(Set([path, other]) == ["Soups/Readme", "Soups/readme"])
        #expect(try folder.namespace == before)
        #expect(try !isTaken("a", folder), "the old rules hold for all")
        try folder.must(.delete(one.id, base: one.revision, newestBelow: 0))
        #expect(throws: NamespaceError.self, "a and A") {
            try folder.store.change(folder.id) { $0.letterCase = .insensitive }
        }
        #expect(try folder.store.catalogProblems() == [])
    }

    @Test(arguments: Engine.all) func whatOnlyObjectsMayBeCalledKeepsThePolicy(engine: Engine) throws {
        let folder = try Folder(engine, policy: policy(.insensitive, .objects))
        let twin = try folder.directory("a")
        try folder.put("a", 1)
        func change() throws { _ = try folder.store.change(folder.id) { $0.names = .files } }
        #expect(throws: NamespaceError.namesClash("a", "a")) { try change() }
        try folder.must(.delete(twin.id, base: twin.revision, newestBelow: 0))
        let odd = try folder.put("..", 1)
        #expect(throws: NamespaceError.nameNotAllowed("..", .isReserved)) { try change() }
        try folder.must(.delete(odd.id, base: odd.revision, newestBelow: 0))
        try change()
        #expect(try isTaken("A", folder))
        _ = try folder.store.change(folder.id) { $0.names = .objects }
        #expect(try !isTaken("A", folder))
    }
}
