import Catalog
import Multiformats
import TestKit
import Testing

/// Names that follow namespaces, as rows. On both engines alike.
@Suite struct NameFollowTests {
    private struct Bench {
        let catalog: CatalogDatabase
        let entry: NameEntry
        let namespace: Namespace

        init(_ engine: Engine) throws {
            catalog = try engine.catalog(at: 5000)
            entry = try catalog.names.add(
                NameDraft(
                    id: try PeerID(multihash: cid(1).multihash), label: "site", owner: .default,
                    sealedKey: [1], lifetimeSeconds: 3600, ttlNanoseconds: 5))
            namespace = try catalog.namespaces.add(
                name: "recipes", project: .default, visibility: .private, policy: "{}")
        }

        func publish(
            _ sequence: Int64, as entry: NameEntry, _ change: NameFollowChange
        ) throws -> NameEntry {
            try catalog.names.publish(
                NamePublication(record: [1], target: "/ipfs/\(sequence)", sequence: sequence, validUntil: 9),
                as: entry, follow: change)
        }

        func follow(version: Int64?) -> NameFollow {
            var follow = NameFollow(name: entry.id, namespace: namespace.id, path: "a/b", since: 5000)
            follow.version = version
            return follow
        }

        func behind() throws -> [NameFollow] { try catalog.nameFollows.behind(retryBefore: 5000) }
    }

    @Test(arguments: Engine.all) func whoIsBehindIsFoundUntilItIsPublished(engine: Engine) throws {
        let bench = try Bench(engine)
        let first = bench.follow(version: 7)
        let published = try bench.publish(0, as: bench.entry, .began(first))
        #expect(try bench.catalog.nameFollows.follow(of: bench.entry.id) == first)
        #expect(try bench.catalog.nameFollows.follows(of: [bench.entry.id]) == [bench.entry.id: first])
        #expect(try bench.behind() == [first])
        #expect(
            try bench.catalog.nameFollows.behind(in: [bench.namespace.id], retryBefore: 0) == [first])
        #expect(try bench.catalog.nameFollows.behind(in: [], retryBefore: 0).isEmpty)
        #expect(try bench.catalog.nameFollows.behind(retryBefore: 0, after: bench.entry.id).isEmpty)
        let second = bench.follow(version: 0)
        _ = try bench.publish(1, as: published, .advanced(from: first, to: second))
        #expect(try bench.behind().isEmpty)
        #expect(try bench.catalog.problems().isEmpty)
    }

    @Test(arguments: Engine.all) func whatFailedIsLeftAloneForAWhile(engine: Engine) throws {
        let bench = try Bench(engine)
        let first = bench.follow(version: 7)
        _ = try bench.publish(0, as: bench.entry, .began(first))
        var failed = first
        failed.tried = 4000
        failed.failure = String(repeating: "no\u{0}", count: 1000)
        #expect(try bench.catalog.nameFollows.note(failed, over: first))
        let kept = try #require(try bench.catalog.nameFollows.follow(of: bench.entry.id)?.failure)
        #expect(kept.utf8.count == 512 && !kept.utf8.contains(0))
        #expect(try bench.catalog.nameFollows.behind(retryBefore: 4000).isEmpty)
        #expect(try bench.catalog.nameFollows.behind(retryBefore: 4001).count == 1)
        #expect(try bench.catalog.nameFollows.note(failed, over: first) == false, "it was read before that")
    }

    @Test(arguments: Engine.all) func whoPointsElsewhereIsNotOverruled(engine: Engine) throws {
        let bench = try Bench(engine)
        let first = bench.follow(version: 1)
        let published = try bench.publish(0, as: bench.entry, .began(first))
        let moved = try bench.publish(1, as: published, .ended)
        #expect(throws: NameRepositoryError.followChanged(bench.entry.id)) {
            try bench.publish(2, as: moved, .advanced(from: first, to: bench.follow(version: 2)))
        }
        #expect(try bench.catalog.names.name(bench.entry.id) == moved, "nothing was changed")
        #expect(try bench.catalog.nameFollows.remove(bench.entry.id) == false)
        let again = try bench.publish(2, as: moved, .began(first))
        _ = try bench.publish(2, as: again, .unchanged)
        #expect(try bench.catalog.nameFollows.follow(of: bench.entry.id) == first, "signed anew")
        #expect(try bench.catalog.nameFollows.remove(bench.entry.id))
    }

    @Test(arguments: Engine.all) func itEndsWithTheNamespaceAndWithTheName(engine: Engine) throws {
        let bench = try Bench(engine)
        let published = try bench.publish(0, as: bench.entry, .began(bench.follow(version: 1)))
        _ = try bench.catalog.namespaces.change(bench.namespace.id) { $0.deleted = 5000 }
        #expect(try bench.behind().isEmpty, "in the trash it stops")
        _ = try bench.catalog.namespaces.change(bench.namespace.id) { $0.deleted = nil }
        #expect(try bench.behind().count == 1, "and goes on after it")
        _ = try bench.catalog.namespaces.change(bench.namespace.id) { $0.deleted = 5000 }
        #expect(try bench.catalog.namespaces.removeDeleted(bench.namespace.id))
        #expect(try bench.catalog.nameFollows.follow(of: bench.entry.id) == nil)
        _ = try bench.publish(1, as: published, .began(bench.follow(version: 1)))
        #expect(try bench.catalog.names.remove(bench.entry.id))
        #expect(try bench.catalog.nameFollows.follow(of: bench.entry.id) == nil)
    }

    @Test func oldTargetsAreKeptUpToANumber() throws {
        let bench = try Bench(.sqlite)
        var entry = bench.entry
        for sequence in 0..<1010 { entry = try bench.publish(Int64(sequence), as: entry, .unchanged) }
        let versions = try bench.catalog.names.versions(of: entry.id, limit: 1000)
        #expect(versions.count == 1000 && versions.last?.number == 11)
        #expect(try bench.catalog.names.versions(of: entry.id, before: 11).isEmpty)
    }
}
