import IPLD
import Multiformats
import SyncProtocol
import TestKit
import TreeValues

/// What every message can do.
protocol WireMessage: Equatable, Sendable {
    func value(_ form: WireForm) -> IPLDValue
    init(_ value: IPLDValue) throws(SyncMessageError)
}

extension CommitRequest: WireMessage {}
extension CommitAnswer: WireMessage {}
extension ListRequest: WireMessage {}
extension ListAnswer: WireMessage {}
extension SnapshotRequest: WireMessage {}
extension SnapshotPage: WireMessage {}
extension BlockList: WireMessage {}
extension LeavesRequest: WireMessage {}
extension LeafEdit: WireMessage {}
extension WaitRequest: WireMessage {}
extension WaitAnswer: WireMessage {}
extension NamespaceInfo: WireMessage {}
extension NamespaceRequest: WireMessage {}
extension SyncProblem: WireMessage {}
extension DeviceInfo: WireMessage {}
extension DeviceRequest: WireMessage {}
extension DeviceList: WireMessage {}
extension SyncReport: WireMessage {}
extension RevisionPage: WireMessage {}
extension RestoreRequest: WireMessage {}
extension RestoreAnswer: WireMessage {}
extension ConflictList: WireMessage {}
extension ConflictResolution: WireMessage {}
extension LeaseRequest: WireMessage {}
extension LeaseList: WireMessage {}

/// Every kind of message, for what is true of all.
let messageTypes: [any WireMessage.Type] = [
    CommitRequest.self, CommitAnswer.self, ListRequest.self, ListAnswer.self, SnapshotRequest.self,
    SnapshotPage.self, BlockList.self, LeavesRequest.self, LeafEdit.self, WaitRequest.self, WaitAnswer.self,
    NamespaceInfo.self, NamespaceRequest.self, SyncProblem.self, DeviceInfo.self, DeviceRequest.self,
    DeviceList.self, SyncReport.self, RevisionPage.self, RestoreRequest.self, RestoreAnswer.self,
    ConflictList.self, ConflictResolution.self, LeaseRequest.self, LeaseList.self,
]

/// Makes random messages of every kind, with the odd values that clients have.
struct MessageMaker {
    var random: SeededRandom

    init(seed: UInt64) { random = SeededRandom(seed: seed) }

    static let names = [
        "a", "Käse.md", "Ka\u{308}se.md", " ", "con", "a/b", "..", "", "\u{0}", "\"\\\n\r\t\u{1}\u{7f}",
        "\u{2028}", "😀👩‍👩‍👧", "\u{FFFF}", "\u{10FFFF}", "\u{FEFF}x", String(repeating: "ä", count: 127),
    ]

    mutating func name() -> String { random.pick(Self.names) }
    mutating func id() -> NodeID { NodeID(bits: UInt128.random(in: 0 ... .max, using: &random)) }
    mutating func flag() -> Bool { random.oneIn(2) }

    mutating func jid() -> JID {
        random.pick([0, 1, 1 << 53, (1 << 53) + 1, .max, JID(random.number(0...1000))])
    }
    mutating func signed() -> Int64 {
        random.pick([.min, -1, 0, 1, .max, -(1 << 53) - 1, Int64(random.number(-1_000_000...1_000_000))])
    }

    mutating func cid() -> CID {
        let digest = random.bytes(32)
        guard let multihash = try? Multihash(code: .sha2_256, digest: digest.span.bytes) else {
            preconditionFailure("32 bytes are a digest")
        }
        return CID(codec: flag() ? .raw : .dagPB, multihash: multihash)
    }

    mutating func list<T>(_ maximum: Int, _ make: (inout MessageMaker) -> T) -> [T] {
        (0..<random.number(0...maximum)).map { _ in make(&self) }
    }

    mutating func maybe<T>(_ make: (inout MessageMaker) -> T) -> T? { flag() ? make(&self) : nil }

    mutating func leaf() -> Leaf {
        Leaf(cid: cid(), bytes: random.pick([0, 1, 256 * 1024, SyncLimits.maximumLeafBytes]))
    }

    mutating func edit() -> LeafEdit {
        var position = 0
        let splices = list(4) { maker in
            let start = position + maker.random.number(0...3)
            let remove = maker.random.number(0...3)
            position = start + remove
            return LeafEdit.Splice(start: start, remove: remove, insert: maker.list(3) { $0.leaf() })
        }
        return LeafEdit(base: maybe { $0.cid() }, splices: splices)
    }

    /// A node as the server has it.
    mutating func node() -> SyncNode {
        let kind = random.pick(TreeNodeKind.allCases)
        return SyncNode(
            id: id(), parent: id(), name: name(), kind: kind, content: kind == .file ? cid() : nil,
            target: kind == .symlink ? name() : nil,
            size: kind == .directory ? 0 : random.pick([0, 5, .max]), modified: signed(),
            mode: maybe { UInt32($0.random.number(0...0o7777)) }, revision: jid(), contentRevision: jid())
    }

    /// A node as a client asks for it.
    private mutating func draft(_ kind: TreeNodeKind) -> SyncNode {
        var node = node()
        node.kind = kind
        (node.revision, node.contentRevision) = (0, 0)
        node.content = kind == .file ? cid() : nil
        node.target = kind == .symlink ? name() : nil
        if kind == .directory { node.size = 0 }
        return node
    }

    mutating func operation() -> SyncOperation {
        let change: SyncOperation.Change
        switch random.number(0..<8) {
        case 0:
            var node = draft(.file)
            let bytes = random.bytes(random.pick([0, 1, 4096]))
            node.size = Int64(bytes.count)
            if flag() { node.content = nil }
            change = .put(node, base: maybe { $0.jid() }, .inline(bytes))
        case 1:
            change = .put(
                draft(.file), base: maybe { $0.jid() },
                .leaves(edit(), blocks: list(3) { $0.random.bytes($0.random.number(0...1000)) }))
        case 2: change = .put(draft(.symlink), base: maybe { $0.jid() }, .none)
        case 3: change = .makeDirectory(draft(.directory))
        case 4: change = .move(id(), parent: id(), name: name(), base: jid())
        case 5: change = .delete(id(), base: jid(), newestBelow: jid())
        case 6:
            change = .setAttributes(id(), modified: maybe { $0.signed() }, mode: maybe { _ in 0o644 })
        default: change = .restore(id(), parent: id(), name: name())
        }
        return SyncOperation(id: id(), change, confirmation: maybe { $0.name() })
    }

    mutating func result() -> CommitResult {
        switch random.number(0..<5) {
        case 0: .done(node())
        case 3: .confirmationNeeded(removals: Int64(random.number(0...1_000_000)), token: name())
        case 1: .need(list(5) { $0.cid() })
        case 2: .conflict(reason: "stale", current: maybe { $0.node() })
        default: .refused(code: .quotaExceeded, message: name())
        }
    }

    mutating func entry() -> RemoteEntry {
        RemoteEntry(
            node: node(), isDeleted: flag(), isRestored: flag(),
            inline: maybe { $0.random.bytes($0.random.number(0...100)) },
            edit: maybe { maker in FileEdit(maker.edit(), blocks: maker.list(3) { $0.random.bytes(9) }) },
            device: name(),
            deviceName: maybe { $0.name() })
    }

    mutating func inflight() -> InflightFile {
        let leaves = random.pick([0, 1, 8, 9, 1000])
        return InflightFile(
            node: id(), parent: id(), name: name(), device: name(), deviceName: maybe { $0.name() },
            size: random.pick([0, .max]), root: cid(), leaves: leaves,
            arrived: random.bytes((leaves + 7) / 8),
            seconds: random.number(0...600))
    }

    mutating func cursor() -> SyncCursor { SyncCursor(epoch: signed(), jid: jid(), text: name()) }

    mutating func info() -> NamespaceInfo {
        NamespaceInfo(
            id: name(), name: name(), role: "editor", root: id(), epoch: signed(), head: jid(),
            nodes: jid(), bytes: jid(), visibility: "public",
            policy: maybe { _ in #"{"history":{"all":5},"merge":"lines"}"# } ?? name())
    }

    mutating func device() -> DeviceInfo {
        DeviceInfo(
            id: name(), name: name(), platform: name(), ignoresCase: flag(), decomposesNames: flag(),
            features: list(4) { $0.name() }, lastSeen: signed(), isRevoked: flag())
    }

    mutating func lease() -> LeaseInfo {
        LeaseInfo(
            node: id(), device: name(), deviceName: maybe { $0.name() }, mode: name(), expires: signed(),
            isOwn: flag())
    }

    mutating func report() -> SyncReport {
        SyncReport(
            namespaces: list(3) { maker in
                NamespaceReport(
                    info: maker.info(), unsettledMilliseconds: maker.maybe { $0.jid() },
                    devices: maker.list(3) {
                        DeviceProgress(
                            device: $0.name(), name: $0.name(), jid: $0.jid(), behind: $0.jid(),
                            behindMilliseconds: $0.jid(), lastSeen: $0.signed())
                    }, leases: maker.list(3) { $0.lease() }, conflicts: maker.jid())
            },
            node: maybe { maker in
                var figures = NodeFigures()
                (figures.commits, figures.storedBytes) = (maker.jid(), maker.jid())
                figures.cacheCapacity = maker.jid()
                return figures
            })
    }

    mutating func conflict() -> ConflictInfo {
        ConflictInfo(
            id: id(), node: id(), reason: name(), name: name(), base: jid(), current: jid(), content: cid(),
            size: jid(), device: name(), deviceName: maybe { $0.name() }, time: signed(),
            resolution: maybe { $0.name() })
    }

    /// What came with devices and history.
    mutating func laterMessages() -> [any WireMessage] {
        [
            device(),
            DeviceRequest(
                id: maybe { $0.name() }, name: maybe { $0.name() }, platform: name(), ignoresCase: flag(),
                decomposesNames: flag(), features: list(4) { $0.name() }),
            DeviceList(list(3) { $0.device() }), report(),
            RevisionPage(
                revisions: list(3) {
                    Revision(operation: $0.name(), entry: $0.entry(), time: $0.signed())
                }, next: maybe { $0.jid() }),
            RestoreRequest(
                flag() ? .file(id(), contentRevision: jid()) : .tree(asOf: name(), path: name()),
                mayEmpty: flag(), bringsBackRules: flag()),
            RestoreAnswer(
                head: jid(), entries: random.number(0...1_000_000), kept: list(2) { $0.name() }),
            ConflictList(list(3) { $0.conflict() }),
            ConflictResolution(keep: random.pick(ConflictResolution.Choice.allCases)),
            LeaseRequest(
                node: maybe { $0.id() }, seconds: random.number(1...LeaseRequest.maximumSeconds),
                mode: maybe { $0.name() }),
            LeaseList(list(3) { $0.lease() }),
        ]
    }

    /// One message of each kind.
    mutating func messages() -> [any WireMessage] {
        laterMessages() + [
            CommitRequest(
                epoch: signed(), cursor: maybe { $0.name() }, isAtomic: flag(),
                operations: list(6) { $0.operation() }),
            CommitAnswer(
                head: jid(), results: list(6) { $0.result() }, cursor: maybe { $0.cursor() }),
            ListRequest(
                cursor: maybe { $0.name() }, limit: random.number(1...SyncLimits.maximumEntries),
                wantsInline: flag(), wantsEdits: flag(), wantsInflight: flag()),
            ListAnswer(
                entries: list(5) { $0.entry() }, cursor: cursor(), hasMore: flag(), mergesText: flag(),
                isDeviceUnknown: flag(), inflight: list(3) { $0.inflight() }),
            SnapshotRequest(
                directory: maybe { $0.id() }, page: maybe { $0.name() }, wantsInline: flag()),
            SnapshotPage(entries: list(5) { $0.entry() }, cursor: cursor(), next: maybe { $0.name() }),
            BlockList(list(10) { $0.cid() }), LeavesRequest(root: cid(), base: maybe { $0.cid() }), edit(),
            WaitRequest(
                positions: list(4) {
                    WaitRequest.Position(
                        namespace: $0.name(), epoch: $0.signed(), jid: $0.jid(),
                        inflightMark: $0.maybe { $0.jid() })
                }, seconds: random.number(0...SyncLimits.maximumWaitSeconds)),
            WaitAnswer(
                changed: list(4) { $0.name() },
                inflight: list(4) { .init(namespace: $0.name(), mark: $0.jid()) }),
            info(),
            NamespaceRequest(name: name(), visibility: maybe { $0.name() }, policy: maybe { $0.name() }),
            SyncProblem(
                code: .busy, message: name(),
                retryAfterSeconds: maybe { $0.random.number(0...86_400) }),
        ]
    }
}
