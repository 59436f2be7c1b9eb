import Catalog
import Foundation
import IPNS
import Multiformats
import NodeCore
import TestKit
import Testing

/// Names from their making to their end, on a real data directory.
@Suite struct NameTests {
    private let data: TemporaryDirectory
    private let node: StorageNode
    private let now = IPNSTime(seconds: 1_800_000_000)

    init() throws {
        data = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        node = try StorageNode.open(data.path)
    }

    private static let one = "/ipfs/bafkqaaa"
    private static let two = "/ipfs/bafkqaa3bmjrq/a"

    private func key(_ seed: UInt8) throws -> PrivateKey {
        try PrivateKey(seed: [UInt8](repeating: seed, count: 32))
    }

    private func record(
        _ seed: UInt8, _ target: String = one, sequence: UInt64 = 0, seconds: Int64 = 3600
    ) throws -> (name: PeerID, bytes: [UInt8]) {
        let key = try key(seed)
        let draft = IPNSRecordDraft(
            target: try ContentPath(text: target), sequence: sequence,
            validUntil: now.adding(.seconds(seconds)))
        return (try key.publicKey.peerID, try IPNSRecord(signing: draft, with: key).bytes)
    }

    @Test func everyPublicationHasTheNextSequenceAndIsValid() throws {
        let made = try node.createName("site")
        #expect(made.publication == nil)
        #expect(throws: NameError.noRecord(made.id)) { try node.resolve(ContentPath(made.id), at: now) }
        for (index, target) in [Self.one, Self.two, Self.two, Self.one].enumerated() {
            let entry = try node.publish(ContentPath(text: target), as: node.name("site"), at: now)
            #expect(entry.publication?.sequence == Int64(index))
            let record = try #require(try node.validRecord(of: made.id, at: now))
            try record.validate(for: made.id, at: now)
            #expect(try record.target.description == target)
            #expect(record.ttl == .seconds(300))
            #expect(record.validUntil == now.adding(.seconds(48 * 3600)))
            #expect(try node.resolve(ContentPath(made.id), at: now).path.description == target)
        }
        let history = try node.catalog.names.versions(of: made.id).map(\.target)
        #expect(history == [Self.one, Self.two, Self.one])
    }

    @Test func whatWasPublishedIsThereAfterReopening() throws {
        let entry = try node.publish(ContentPath(text: Self.one), as: node.createName("site"), at: now)
        try node.close()
        let again = try StorageNode.open(data.path)
        #expect(try again.name("site") == entry)
        #expect(try again.name(entry.id.ipnsName) == entry)
        #expect(try again.name("/ipns/" + entry.id.description) == entry)
        let key = try again.privateKey(of: entry)
        #expect(try key.publicKey.peerID == entry.id)
        try again.close()
        // The key lies in the catalog only sealed.
        let seed = Array(key.protobuf[4..<36])
        let catalog = try data.read(CatalogDatabase.fileName)
        #expect(catalog.indices.dropLast(32).allSatisfy { Array(catalog[$0..<($0 + 32)]) != seed })
    }

    @Test func optionsStayUntilOthersAreGiven() throws {
        var options = PublishOptions()
        options.lifetime = .seconds(600)
        options.ttl = .seconds(7)
        options.fields = .onlyV2
        var entry = try node.publish(
            ContentPath(text: Self.one), as: node.createName("site"), options: options, at: now)
        entry = try node.publish(ContentPath(text: Self.two), as: entry, at: now)
        let record = try #require(try node.newestRecord(of: entry.id))
        #expect(record.validUntil == now.adding(.seconds(600)))
        #expect(record.ttl == .seconds(7))
        #expect(try node.resolve(ContentPath(entry.id), at: now).remainingTTL == .seconds(7))
        options.expectedSequence = 0
        #expect(throws: NameError.unexpectedSequence(entry.id, expected: 0, found: 1)) {
            try node.publish(ContentPath(text: Self.one), as: entry, options: options, at: now)
        }
        options.expectedSequence = 1
        #expect(
            try node.publish(ContentPath(text: Self.one), as: entry, options: options, at: now)
                .publication?.sequence == 2)
        options.expectedSequence = nil
        for wrong in [Duration.zero, .seconds(-1), .seconds(Int64.max)] {
            options.lifetime = wrong
            #expect(throws: NameError.self) {
                try node.publish(ContentPath(text: Self.one), as: entry, options: options, at: now)
            }
        }
        options.lifetime = nil
        options.ttl = .seconds(-1)
        #expect(throws: NameError.badDuration("the TTL of a record")) {
            try node.publish(ContentPath(text: Self.one), as: entry, options: options, at: now)
        }
    }

    @Test func manyWhoPublishAtOnceAllSucceedOneAfterTheOther() throws {
        let made = try node.createName("site")
        let (node, now) = (node, now)
        let target = try ContentPath(text: Self.one)
        DispatchQueue.concurrentPerform(iterations: 8) { _ in
            for _ in 0..<5 { _ = try? node.publish(target, as: made, at: now) }
        }
        let entry = try #require(try node.catalog.names.name(made.id))
        // Each that succeeded took a sequence of its own, so revisions and sequences go together.
        #expect(entry.publication.map { $0.sequence + 2 } == entry.revision)
        #expect(entry.revision > 2)
    }

    @Test func keysTravelAndGoOnFromTheRecordThatIsKnown() throws {
        let (name, bytes) = try record(1, sequence: 41)
        try node.putRecord(bytes, for: name, at: now)
        let entry = try node.importName(key(1), label: "moved")
        #expect(try node.resolve(ContentPath(entry.id), at: now).path.description == Self.one)
        let published = try node.publish(ContentPath(text: Self.two), as: entry, at: now)
        #expect(published.publication?.sequence == 42)
        // The same key published elsewhere: this node takes that over and goes on from there.
        let (_, later) = try record(1, sequence: 50)
        try node.putRecord(later, for: name, at: now)
        #expect(try node.name("moved").publication?.sequence == 50)
        #expect(
            try node.publish(ContentPath(text: Self.two), as: published, at: now).publication?.sequence == 51)
        #expect(throws: NameRepositoryError.keyTaken(name, label: "moved")) {
            try node.importName(key(1), label: "twice")
        }
        try node.removeName(entry)
        #expect(throws: NameError.notFound("moved")) { try node.name("moved") }
        #expect(throws: NameError.notFound("moved")) { try node.removeName(entry) }
    }

    @Test func badInputRecordsThatAreNotValidOrNotNewerAreNotKept() throws {
        let (name, bytes) = try record(1, sequence: 5)
        try node.putRecord(bytes, for: name, at: now)
        try node.putRecord(bytes, for: name, at: now)
        let (_, older) = try record(1, Self.two, sequence: 4, seconds: 9999)
        #expect(throws: NameRepositoryError.notNewer(name, sequence: 4, kept: 5)) {
            try node.putRecord(older, for: name, at: now)
        }
        let (_, ended) = try record(1, sequence: 6, seconds: -1)
        #expect(throws: IPNSRecordError.self) { try node.putRecord(ended, for: name, at: now) }
        let (other, foreign) = try record(2)
        #expect(throws: IPNSRecordError.wrongSignature) { try node.putRecord(foreign, for: name, at: now) }
        #expect(try node.newestRecord(of: other) == nil)
        #expect(try node.newestRecord(of: name)?.bytes == bytes)
        let late = now.adding(.seconds(3601))
        #expect(try node.validRecord(of: name, at: late) == nil)
        #expect(throws: NameError.expired(name, at: now.adding(.seconds(3600)))) {
            try node.resolve(ContentPath(name), at: late)
        }
    }

    @Test func whatEndsSoonIsSignedAnew() throws {
        let site = try node.publish(ContentPath(text: Self.one), as: node.createName("site"), at: now)
        _ = try node.createName("never published")
        let (foreign, bytes) = try record(3, seconds: 60)
        try node.putRecord(bytes, for: foreign, at: now)
        #expect(try node.renewNames(at: now.adding(.seconds(3600))).renewed == 0)
        // Also after the node was off for longer than a record lives.
        for hours in [30, 60, 1000] {
            let later = now.adding(.seconds(Int64(hours) * 3600))
            let report = try node.renewNames(at: later)
            #expect(report.renewed == 1)
            #expect(report.failures.isEmpty)
            let record = try #require(try node.validRecord(of: site.id, at: later))
            try record.validate(for: site.id, at: later)
            #expect(record.sequence == 0)
            #expect(record.validUntil == later.adding(.seconds(48 * 3600)))
        }
        #expect(try node.newestRecord(of: foreign) == nil)
        #expect(try node.catalog.names.versions(of: site.id).count == 1)
    }

    @Test func aLostMasterKeyIsSaidAndNothingIsPublished() throws {
        let entry = try node.createName("site")
        try node.close()
        try FileManager.default.removeItem(atPath: data.path("secrets/master-key"))
        let again = try StorageNode.open(data.path)
        #expect(throws: SecretsError.self) {
            try again.publish(ContentPath(text: Self.one), as: entry, at: now)
        }
        #expect(try again.name("site").publication == nil)
        try again.close()
    }
}
