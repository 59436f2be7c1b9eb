import Access
import Catalog
import IPLD
import Multiformats
import Namespaces
import NodeCore
import NodeService
import SyncProtocol
import Synchronization
import TestKit
import Testing
import TreeValues

/// Files that are being sent, as those see them who may and those who may not.
@Suite struct SyncInflightTests {
    private final class Clock: Sendable {
        let now = Mutex(Int64(0))
    }

    let laboratory: SyncLaboratory
    private let clock = Clock()
    private let hub: SyncHub
    /// Who sends, of the whole project.
    let sender: SyncDevice
    let content: CutContent
    private var cids: [CID] { content.leaves.map(\.cid) }

    init() throws {
        laboratory = try SyncLaboratory()
        let clock = clock
        hub = SyncHub(clock: { clock.now.withLock { $0 } })
        sender = try .create(
            SyncService(laboratory.node, as: .localAdministrator, device: "laptop", hub: hub))
        content = try CutContent(SeededRandom.bytes(seed: 4, count: 6 << 20), leafBytes: 1 << 20)
    }

    private func pass(seconds: Int64) { clock.now.withLock { $0 += seconds * 1000 } }

    private func device(_ name: String, _ principal: Principal) -> SyncDevice {
        var device = SyncDevice(
            SyncService(
                laboratory.node, as: principal, device: name, hub: hub, authority: laboratory.authority),
            sender.namespace)
        device.name = name
        return device
    }

    private func key(_ operations: [Access.Operation], in name: String = "recipes") throws -> SyncDevice {
        var draft = GrantDraft(name: "key", operations: OperationSet(operations), project: .default)
        draft.scope = .namespace(.default, name: name)
        let issued = try laboratory.authority.grants.create(draft, by: .localAdministrator)
        return device("key", try laboratory.authority.authorizer.principal(for: .bearer(issued.token.text)))
    }

    private func user(_ name: String, _ role: NamespaceRole, device: String) throws -> SyncDevice {
        let accounts = laboratory.authority.accounts
        let user =
            try laboratory.node.catalog.users.user(named: name)
            ?? accounts.add(name: name, password: "correct horse", by: .localAdministrator)
        _ = try accounts.setRole(
            role, ofUser: name, in: try laboratory.node.namespaces.namespace("recipes"),
            by: .localAdministrator)
        let session = try laboratory.authority.sessions.begin(for: user.id)
        return self.device(device, try laboratory.authority.authorizer.principal(for: .session(session)))
    }

    private func put(_ name: String = "large", from device: SyncDevice? = nil) throws -> SyncOperation {
        let device = device ?? sender
        return SyncOperation(
            id: device.id(),
            .put(content.node(try device.file(name)), base: nil, .leaves(content.edit)))
    }

    private func shown(to device: SyncDevice) throws -> [InflightFile] {
        try device.service.changes(
            ListRequest(cursor: nil, limit: 1, wantsInflight: true), of: device.namespace
        ).inflight
    }

    private func readable(by device: SyncDevice) throws -> Int {
        try device.service.retrieve(cids, of: device.namespace).blocks.count
    }

    private func news(_ device: SyncDevice, since mark: Int64) throws -> WaitAnswer {
        let info = try device.info
        return try device.service.changed(
            WaitRequest(
                positions: [
                    .init(namespace: info.id, epoch: info.epoch, jid: info.head, inflightMark: mark)
                ], seconds: 0))
    }

    @Test func aFileIsShownFromNeedUntilItIsCommitted() throws {
        let reader = device("desk", .localAdministrator)
        let operation = try put()
        #expect(try shown(to: reader).isEmpty && news(reader, since: 0).isEmpty)
        #expect(try sender.commit([operation]).results == [.need(cids)])
        #expect(try shown(to: sender).isEmpty, "it is its own")
        #expect(try news(sender, since: 0).isEmpty)
        var file = try #require(try shown(to: reader).first)
        #expect(file.name == "large" && file.device == "laptop" && file.root == content.root)
        #expect(file.size == 6 << 20 && file.leaves == 6 && file.arrived == [0] && file.seconds == 600)
        let mark = try #require(try news(reader, since: 0).inflight.first?.mark)
        #expect(try news(reader, since: mark).isEmpty)

        pass(seconds: 10)
        _ = try sender.service.store(content.blocks([cids[0], cids[5]]), for: sender.namespace)
        file = try #require(try shown(to: reader).first)
        #expect(file.arrived == [0b10_0001] && file.hasArrived(5) && !file.hasArrived(1))
        let next = try #require(try news(reader, since: mark).inflight.first?.mark)
        #expect(next > mark)
        let leaves = try reader.service.leaves(
            LeavesRequest(root: content.root, base: nil), of: reader.namespace)
        #expect(try leaves.apply(to: []) == content.leaves)
        #expect(hub.inflight.figures == (1, 2 << 20))
        // Nothing of it is in the journal.
        #expect(try reader.info.head == 0 && reader.live().isEmpty)

        _ = try sender.service.store(content.blocks(cids), for: sender.namespace)
        guard case .done? = try sender.commit([operation]).results.first else {
            Issue.record("all of it is here")
            return
        }
        #expect(try shown(to: reader).isEmpty && hub.inflight.figures == (0, 0))
        #expect(
            try reader.service.leaves(
                LeavesRequest(root: content.root, base: nil), of: reader.namespace
            ).apply(to: []) == content.leaves)
    }

    @Test func whoDoesNotAskIsNotTold() throws {
        _ = try sender.commit([put()])
        let reader = device("desk", .localAdministrator)
        #expect(try reader.list(after: nil).inflight.isEmpty)
        let info = try reader.info
        let answer = try reader.service.changed(
            WaitRequest(
                positions: [.init(namespace: info.id, epoch: info.epoch, jid: info.head)], seconds: 0))
        #expect(answer.isEmpty)
        var quiet = DeviceRates.Limits()
        quiet.inflightSeconds = 0
        let other = SyncDevice(
            SyncService(
                laboratory.node, as: .localAdministrator, device: "quiet", hub: hub, rates: quiet),
            sender.namespace)
        _ = try other.commit([put("other", from: other)])
        #expect(try shown(to: reader).map(\.name) == ["large"])
    }

    @Test func itEndsTenMinutesAfterTheLastBlock() throws {
        let reader = device("desk", .localAdministrator)
        _ = try sender.commit([put()])
        pass(seconds: 599)
        _ = try sender.service.store(content.blocks([cids[0]]), for: sender.namespace)
        pass(seconds: 599)
        #expect(try shown(to: reader).first?.seconds == 1)
        pass(seconds: 1)
        #expect(try shown(to: reader).isEmpty)
        #expect(throws: SyncFailure.self) {
            try reader.service.leaves(
                LeavesRequest(root: content.root, base: nil), of: reader.namespace)
        }
        // Another device may send the same file afterwards.
        #expect(try reader.put("large", content).content == content.root)
    }

    @Test func anotherRevisionOrAnotherFileOfThatNameEndsIt() throws {
        let reader = device("desk", .localAdministrator)
        let node = try sender.put("edited", "small")
        func begin() throws {
            _ = try sender.commit([
                SyncOperation(
                    id: sender.id(),
                    .put(
                        content.node(try sender.live()[node.id] ?? node),
                        base: sender.live()[node.id]?.contentRevision, .leaves(content.edit))),
                put("new"),
            ])
            #expect(try Set(shown(to: reader).map(\.name)) == ["edited", "new"])
        }
        try begin()
        try reader.put("elsewhere", "something else")
        #expect(try shown(to: reader).count == 2)
        // A move is another revision.
        try reader.must(
            .move(node.id, parent: reader.info.root, name: "moved", base: node.revision))
        #expect(try shown(to: reader).map(\.name) == ["new"])
        try reader.directory("new")
        #expect(try shown(to: reader).isEmpty && hub.inflight.figures == (0, 0))
        // What is bound to be a conflict is not shown at all.
        let stale = SyncOperation.Change.put(
            content.node(node), base: node.contentRevision + 1, .leaves(content.edit))
        guard case .need = try sender.commit(stale),
            case .need? = try sender.commit([put("new")]).results.first
        else {
            Issue.record("content is looked at first")
            return
        }
        #expect(try shown(to: reader).isEmpty)
    }

    @Test func whoReadsTheNamespaceReadsWhatIsShownAndOnlySoLong() throws {
        let reader = try key([.read])
        let beside = try SyncDevice.create(sender.service, "beside")
        var stranger = try key([.read, .write], in: "beside")
        stranger = SyncDevice(stranger.service, beside.namespace)
        _ = try sender.commit([put()])
        _ = try sender.service.store(content.blocks(Array(cids[..<3])), for: sender.namespace)
        // Stored for the same project, and not for this namespace.
        _ = try beside.service.store(content.blocks([cids[4]]), for: beside.namespace)
        #expect(try shown(to: reader).first?.arrived == [0b111])
        #expect(
            try reader.service.retrieve(cids, of: reader.namespace).blocks.map(\.cid) == Array(cids[..<3]))
        #expect(try readable(by: stranger) == 0, "nobody else")
        #expect(throws: SyncFailure.self) { try shown(to: SyncDevice(stranger.service, sender.namespace)) }
        pass(seconds: 600)
        #expect(try readable(by: reader) == 0)
        try sender.put("large", content)
        #expect(try readable(by: reader) == 6)
    }

    @Test func whoMayOnlyBringInSeesWhatTheSameUserSends() throws {
        let (anna, bert) = (
            try user("anna", .writerOnly, device: "phone"), try user("bert", .writerOnly, device: "tablet")
        )
        let other = try user("anna", .writerOnly, device: "camera")
        let reader = try user("carla", .viewer, device: "desk")
        _ = try anna.commit([put("photo", from: anna)])
        _ = try sender.commit([put()])
        _ = try anna.service.store(content.blocks([cids[0]]), for: anna.namespace)
        #expect(try shown(to: other).map(\.name) == ["photo"])
        #expect(try shown(to: bert).isEmpty && readable(by: bert) == 0)
        #expect(throws: SyncFailure.self) {
            try bert.service.leaves(LeavesRequest(root: content.root, base: nil), of: bert.namespace)
        }
        #expect(try news(bert, since: 0).isEmpty)
        #expect(try news(other, since: 0).inflight.count == 1)
        #expect(try Set(shown(to: reader).map(\.name)) == ["photo", "large"])
        #expect(try readable(by: reader) == 1)
        // Whoever knows the hashes of what somebody else is about to send does not get it by that.
        _ = try bert.commit([put("guess", from: bert)])
        _ = try anna.service.store(content.blocks([cids[1]]), for: anna.namespace)
        #expect(try readable(by: bert) == 0 && readable(by: reader) == 2 && readable(by: anna) == 2)
    }

    @Test func whoListensIsRungFor() throws {
        let reader = device("desk", .localAdministrator)
        let info = try reader.info
        let rings = Mutex(0)
        func listen(_ mark: Int64?) throws -> [Listening] {
            try reader.service.listen(
                for: WaitRequest(
                    positions: [
                        .init(namespace: info.id, epoch: info.epoch, jid: 0, inflightMark: mark)
                    ], seconds: 1)
            ) { rings.withLock { $0 += 1 } }
        }
        let (following, plain) = (try listen(0), try listen(nil))
        _ = try sender.commit([put()])
        #expect(rings.withLock { $0 } == 1, "only who asked for it")
        withExtendedLifetime((following, plain)) {}
    }
}
