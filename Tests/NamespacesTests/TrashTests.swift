import Catalog
import Multiformats
import Namespaces
import TestKit
import Testing
import TreeValues

/// What was deleted is listed, comes back, and goes for good when it is asked for.
@Suite struct TrashTests {
    private func content(_ folder: Folder) throws -> Set<CID> {
        var found: Set<CID> = []
        var marks = NamespaceRepository.RootMarks()
        try folder.store.catalog.namespaces.forEachRoot(of: folder.namespace, since: &marks) {
            found.insert($0.cid)
        }
        return found
    }

    private func delete(_ node: TreeNode, _ folder: Folder) throws {
        let current = try #require(try folder.node(node.id))
        try folder.must(
            .delete(current.id, base: current.revision, newestBelow: try folder.namespace.head))
    }

    @Test(arguments: Engine.all) func aFolderIsOneItemAndComesBackWhole(engine: Engine) throws {
        let folder = try Folder(engine)
        let soups = try folder.directory("soups")
        let borscht = try folder.put("borscht", 10, in: soups)
        let ukha = try folder.put("ukha", 5, in: soups)
        try delete(ukha, folder)
        try delete(soups, folder)
        let trash = try folder.store.trash(of: folder.namespace)
        #expect(trash.map(\.path) == ["soups", "soups/ukha"])
        #expect(trash.map(\.nodes) == [2, 1] && trash.map(\.bytes) == [10, 5])
        #expect(trash[0].entry.author == folder.author)
        // A file of a folder that is not there needs another place.
        let file = try folder.store.trashItem("/soups/ukha", of: folder.namespace)
        #expect(throws: NamespaceError.directoryDeleted("soups/ukha")) {
            try folder.store.restoreFromTrash(file, of: folder.namespace, author: folder.author)
        }
        let back = try folder.store.restoreFromTrash(
            file, of: folder.namespace, to: "ukha", author: folder.author)
        #expect(back.node.id == ukha.id && back.node.name == "ukha")
        let item = try folder.store.trashItem(soups.id.text, of: folder.namespace)
        _ = try folder.store.restoreFromTrash(item, of: folder.namespace, author: folder.author)
        #expect(try folder.store.path(of: borscht.id, in: folder.namespace) == "soups/borscht")
        #expect(try folder.store.trash(of: folder.namespace).isEmpty)
        #expect(throws: NamespaceError.notInTrash("soups")) {
            try folder.store.trashItem("soups", of: folder.namespace)
        }
        #expect(try folder.namespace.nodes == 3 && folder.namespace.bytes == 15)
    }

    @Test(arguments: Engine.all) func whatIsPastItsTimeIsNotBroughtBack(engine: Engine) throws {
        let clock = ManualClock(milliseconds: 1_700_000_000_000)
        var policy = NamespacePolicy()
        (policy.history.all, policy.history.daily) = (86_400, 0)
        let folder = try Folder(engine, policy: policy, clock: clock)
        let soups = try folder.directory("soups")
        try folder.put("borscht", 10, in: soups)
        try delete(soups, folder)
        let item = try folder.store.trashItem("soups", of: folder.namespace)
        clock.advance(milliseconds: 86_400_001)
        try folder.store.thinHistory(of: folder.id)
        #expect(try folder.store.trash(of: folder.namespace).isEmpty)
        #expect(try content(folder).isEmpty)
        #expect(throws: NamespaceError.notInTrash("soups")) {
            try folder.store.restoreFromTrash(item, of: folder.namespace, author: folder.author)
        }
        #expect(try folder.namespace.nodes == 0)
    }

    @Test(arguments: Engine.all) func emptyingTakesContentOutOfEveryVersion(engine: Engine) throws {
        let folder = try Folder(engine)
        let soups = try folder.directory("soups")
        let borscht = try folder.put("borscht", 10, in: soups)
        try folder.must(.put(.init(file(11), node: borscht.id, base: borscht.contentRevision)))
        let keeper = try folder.put("keeper", 20)
        let single = try folder.put("single", 30)
        let then = try folder.namespace.head
        try delete(single, folder)
        try delete(soups, folder)
        let items = try folder.store.trash(of: folder.namespace)
        #expect(try folder.store.empty(items, of: folder.id, author: folder.author) == 3)
        #expect(try folder.store.trash(of: folder.namespace).isEmpty)
        let left = try #require(keeper.content)
        #expect(try content(folder) == [left])
        // The version is there without them, and bringing it back brings back what there is.
        _ = try folder.store.restore(folder.id, asOf: then, author: folder.author)
        #expect(try folder.store.path(of: keeper.id, in: folder.namespace) == "keeper")
        #expect(try folder.store.path(of: borscht.id, in: folder.namespace) == nil)
        #expect(try folder.store.path(of: single.id, in: folder.namespace) == nil)
        let live = try folder.namespace
        #expect(live.nodes == 2 && live.bytes == 20)
        #expect(try folder.store.finishEmptying(of: folder.id) == 0)
        #expect(try folder.store.catalogProblems() == [])
    }

    @Test func whatCameBackIsNotEmptied() throws {
        let folder = try Folder()
        let soup = try folder.put("soup", 10)
        try delete(soup, folder)
        let item = try folder.store.trashItem("soup", of: folder.namespace)
        _ = try folder.store.restoreFromTrash(item, of: folder.namespace, author: folder.author)
        #expect(try folder.store.empty([item], of: folder.id, author: folder.author) == 0)
        let left = try #require(soup.content)
        #expect(try content(folder) == [left])
    }
}
