import Catalog
import Multiformats
import TestKit
import Testing

/// Names and their history; records of others. On both engines alike.
@Suite struct NameRepositoryTests {
    private func name(_ number: UInt64) throws -> PeerID {
        try PeerID(multihash: cid(number).multihash)
    }

    private func draft(_ number: UInt64, _ label: String, owner: ProjectID = .default) throws -> NameDraft {
        NameDraft(
            id: try name(number), label: label, owner: owner, sealedKey: [1, 2, UInt8(number)],
            lifetimeSeconds: 3600, ttlNanoseconds: 5)
    }

    private func publication(_ target: String, _ sequence: Int64, until: Int64 = 9000) -> NamePublication {
        NamePublication(
            record: Array("record \(sequence)".utf8), target: target, sequence: sequence, validUntil: until)
    }

    @Test(arguments: Engine.all) func aNameIsFoundByKeyAndByLabel(engine: Engine) throws {
        let catalog = try engine.catalog(at: 5000)
        let added = try catalog.names.add(draft(1, "site"))
        #expect(added.publication == nil)
        #expect(added.created == 5000)
        #expect(try catalog.names.name(name(1)) == added)
        #expect(try catalog.names.name(labelled: "site", owner: .default) == added)
        #expect(try catalog.names.name(labelled: "site", owner: ProjectID(rawValue: "other")) == nil)
        #expect(try catalog.names.name(name(2)) == nil)
    }

    @Test(arguments: Engine.all) func labelsAndKeysAreUnique(engine: Engine) throws {
        let catalog = try engine.catalog(at: 5000)
        let first = try catalog.names.add(draft(1, "site"))
        #expect(throws: NameRepositoryError.labelTaken("site")) { try catalog.names.add(draft(2, "site")) }
        #expect(throws: NameRepositoryError.keyTaken(first.id, label: "site")) {
            try catalog.names.add(draft(1, "another"))
        }
        _ = try catalog.names.add(draft(2, "site", owner: ProjectID(rawValue: "other")))
        #expect(try catalog.names.list().count == 2)
        #expect(try catalog.names.list(owner: .default).map(\.id) == [first.id])
    }

    @Test(arguments: [
        "", "a/b", " a", "a ", "a\nb", "a\u{202E}b", String(repeating: "a", count: 256),
        "k51qzi5uqu5dlkw8pxuw9qmqayfdeh4kfebhmreauqdc6a7c3y7d5i9fi8mk9w",
        "12D3KooWLQzUv2FHWGVPXTXSZpdHs7oHbXub2G5WC8Tx4NQhyd2d",
    ])
    func labelsThatCannotBeSaidAreRefused(label: String) throws {
        let catalog = try Engine.sqlite.catalog(at: 5000)
        #expect(throws: NameRepositoryError.badLabel(label)) { try catalog.names.add(draft(1, label)) }
    }

    @Test(arguments: Engine.all) func publishingComparesAndRemembersEveryTarget(engine: Engine) throws {
        let catalog = try engine.catalog(at: 5000)
        let fresh = try catalog.names.add(draft(1, "site"))
        let first = try catalog.names.publish(publication("/ipfs/a", 0), as: fresh)
        #expect(first.publication == publication("/ipfs/a", 0))
        #expect(throws: NameRepositoryError.changedMeanwhile(fresh.id)) {
            try catalog.names.publish(publication("/ipfs/b", 0), as: fresh)
        }
        // The same target again is no new version.
        let again = try catalog.names.publish(publication("/ipfs/a", 0, until: 9999), as: first)
        let second = try catalog.names.publish(
            publication("/ipfs/b", 1), as: again, lifetimeSeconds: 60, ttlNanoseconds: 7)
        #expect(second.lifetimeSeconds == 60)
        #expect(second.ttlNanoseconds == 7)
        #expect(try catalog.names.name(fresh.id) == second)
        let versions = try catalog.names.versions(of: fresh.id)
        #expect(versions.map(\.target) == ["/ipfs/b", "/ipfs/a"])
        #expect(versions.map(\.number) == [2, 1])
        #expect(try catalog.names.versions(of: fresh.id, before: 2).map(\.target) == ["/ipfs/a"])
        #expect(try catalog.names.expiring(before: 9001).map(\.id) == [fresh.id])
        #expect(try catalog.names.expiring(before: 9000) == [])
        #expect(try catalog.problems() == [])
    }

    @Test(arguments: Engine.all) func removingTakesTheHistoryToo(engine: Engine) throws {
        let catalog = try engine.catalog(at: 5000)
        let entry = try catalog.names.publish(
            publication("/ipfs/a", 0), as: catalog.names.add(draft(1, "site")))
        #expect(try catalog.names.remove(entry.id))
        #expect(try !catalog.names.remove(entry.id))
        #expect(try catalog.names.versions(of: entry.id) == [])
        #expect(throws: NameRepositoryError.changedMeanwhile(entry.id)) {
            try catalog.names.publish(publication("/ipfs/b", 1), as: entry)
        }
    }

    @Test(arguments: Engine.all) func namesComeInPages(engine: Engine) throws {
        let catalog = try engine.catalog(at: 5000)
        for number in 0..<25 { _ = try catalog.names.add(draft(UInt64(number), "name \(number)")) }
        var seen: [NameEntry] = []
        while true {
            let page = try catalog.names.list(after: seen.last, limit: 7)
            if page.isEmpty { break }
            seen += page
        }
        #expect(seen.count == 25)
        #expect(seen.map(\.label) == seen.map(\.label).sorted())
    }

    @Test(arguments: Engine.all) func aDamagedRowIsNamed(engine: Engine) throws {
        let catalog = try engine.catalog(at: 5000)
        let entry = try catalog.names.add(draft(1, "site"))
        try catalog.database.write { _ = try $0.execute("UPDATE names SET target = '/ipfs/evil'") }
        #expect(throws: CatalogError.self) { try catalog.names.name(entry.id) }
        #expect(try catalog.problems().count == 1)
    }

    private func foreign(
        _ number: UInt64, _ sequence: Int64, until: Int64 = 9000, stored: Int64 = 1000
    ) throws -> ForeignRecord {
        ForeignRecord(
            name: try name(number), record: Array("\(number) \(sequence) \(until)".utf8), sequence: sequence,
            validUntil: until, stored: stored)
    }

    @Test(arguments: Engine.all) func badInputSequenceRollbackIsRefused(engine: Engine) throws {
        let catalog = try engine.catalog(at: 5000)
        try catalog.foreignRecords.put(foreign(1, 5))
        try catalog.foreignRecords.put(foreign(1, 5))
        #expect(throws: NameRepositoryError.notNewer(try name(1), sequence: 4, kept: 5)) {
            try catalog.foreignRecords.put(foreign(1, 4, until: 99999))
        }
        #expect(throws: NameRepositoryError.notNewer(try name(1), sequence: 5, kept: 5)) {
            try catalog.foreignRecords.put(foreign(1, 5, until: 8000))
        }
        try catalog.foreignRecords.put(foreign(1, 5, until: 9500))
        try catalog.foreignRecords.put(foreign(1, 6, until: 10))
        #expect(try catalog.foreignRecords.record(of: name(1)) == foreign(1, 6, until: 10))
        #expect(try catalog.foreignRecords.count() == 1)
    }

    @Test(arguments: Engine.all) func recordsOfOthersAreBoundedAndExpiredOnesMakeRoom(engine: Engine) throws {
        let catalog = try engine.catalog(at: 5000)
        for number in 0..<5 {
            try catalog.foreignRecords.put(
                foreign(UInt64(number), 0, until: 2000 + Int64(number)), maximum: 5)
        }
        #expect(throws: NameRepositoryError.tooManyRecords(maximum: 5)) {
            try catalog.foreignRecords.put(foreign(9, 0), maximum: 5)
        }
        // A known name needs no room.
        try catalog.foreignRecords.put(foreign(4, 1), maximum: 5)
        try catalog.foreignRecords.put(foreign(9, 0, stored: 2002), maximum: 5)
        #expect(try catalog.foreignRecords.count() == 4)
        #expect(try catalog.foreignRecords.record(of: name(0)) == nil)
        #expect(try catalog.foreignRecords.removeExpired(before: 100_000) == 4)
        #expect(try catalog.problems() == [])
    }
}
