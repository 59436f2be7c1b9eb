public import Access
public import BlockStorage
public import Catalog
public import Multiformats
public import NodeCore
public import NodeMessages

/// A node that is opened in this process, as one principal may use it.
///
/// What the principal may do is decided before, by the `Authorizer`; here is what it sees: an administrator
/// of the node everything, anybody else the blocks, pins, names and grants of its project.
public struct LocalNode: NodeOperations {
    public let node: StorageNode
    /// `nil` where grants are out of the question.
    public let authority: Authority?
    public let principal: Principal
    /// In whose name things are made.
    public let project: ProjectID
    /// Whether everything on the node is to be seen.
    public let seesAll: Bool
    /// Whether what is brought in may be public.
    let mayPublish: Bool
    /// How the blocks of the project are marked.
    let audience: BlockAudience

    /// - Throws: what the catalog throws.
    public init(_ node: StorageNode, authority: Authority?, as principal: Principal = .localAdministrator)
        throws
    {
        try self.init(
            node, authority, principal, project: principal.project ?? .default,
            seesAll: principal.scope == .node, mayPublish: principal.mayPublishUploads)
    }

    /// A node as a job uses it: what its principal might see then, and no grants. What it may make public
    /// was decided when the job was asked for.
    init(_ node: StorageNode, project: ProjectID, seesAll: Bool) throws {
        try self.init(node, nil, .anonymous, project: project, seesAll: seesAll, mayPublish: true)
    }

    private init(
        _ node: StorageNode, _ authority: Authority?, _ principal: Principal, project: ProjectID,
        seesAll: Bool, mayPublish: Bool
    ) throws {
        self.mayPublish = mayPublish
        self.node = node
        self.authority = authority
        self.principal = principal
        self.project = project
        self.seesAll = seesAll
        audience = BlockAudience(
            scope: project == .default ? nil : try node.catalog.projects.scope(of: project))
    }

    /// Whose pins are seen; `nil` for everybody's.
    var visibleOwner: ProjectID? { seesAll ? nil : project }

    public var blocks: any BlockStore {
        // What an administrator brings in is marked for the default project by the store itself.
        seesAll && project == .default ? node.store : ProjectBlockStore(node.store, audience: audience)
    }

    public func beginLease() throws -> any NodeLease { try node.beginLease() }

    public func defaults() throws -> DefaultsMessage {
        DefaultsMessage(
            version: NacreVersion.text, profile: node.configuration[.profile],
            visibility: try visibilityOfNew(nil).rawValue)
    }

    public func statistics() throws -> StatisticsMessage {
        let store = node.store.statistics()
        return StatisticsMessage(
            directory: node.directory, blocks: store.blocks, liveBytes: store.liveBytes,
            deadBytes: store.deadBytes, packs: store.packs, packBytes: store.packBytes,
            pins: try node.catalog.pins.counters().pins, unreadablePacks: store.unreadablePacks)
    }

    /// Renews a block that is held: it counts as just put, and as the project's own.
    ///
    /// - Returns: whether it is held.
    public func touch(_ cid: CID) throws -> Bool {
        if cid.isIdentity { return true }
        guard try node.store.protect(cid.multihash) else { return false }
        try audience.mark([cid.multihash], in: node.store)
        return true
    }

    // MARK: The whole

    public func walk(_ root: CID, _ watch: Watch) throws -> WalkMessage {
        let report = try node.walk(root, audience: seesAll ? nil : audience, watch.cancellation) {
            watch.advance($0, 0)
        }
        return WalkMessage(
            blocks: report.blocks, bytes: report.bytes, missing: report.missing,
            firstMissing: report.firstMissing?.description)
    }

    public func exportCAR(
        _ root: CID, _ options: CARExportOptions, _ watch: Watch,
        sink: @escaping (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        _ = try node.exportCAR(
            root: root, options: options, cancellation: watch.cancellation,
            progress: { watch.advance(0, $0) }, sink: sink)
    }

    public func collect(_ request: CollectionRequest, _ watch: Watch) throws -> CollectionMessage {
        var options = CollectionOptions(
            grace: request.graceSeconds.map { .milliseconds(Int64(clampedOf: $0 * 1000)) }
                ?? node.configuration.grace,
            maximumUnusedShare: request.maximumUnusedShare ?? node.configuration.maximumUnusedShare)
        options.isDryRun = request.dryRun ?? false
        // What the policies of namespaces let go of goes in the same collection.
        var message = CollectionMessage(dryRun: options.isDryRun)
        if !options.isDryRun {
            let histories = try node.thinHistories(cancellation: watch.cancellation)
            message.historyWaitsUntil = histories.waitsUntil.map { TimeText.utc(milliseconds: $0) }
        }
        if request.list == true {
            var (trees, more) = ([TreeMessage](), 0)
            try node.forEachGarbageTree(
                options, cancellation: watch.cancellation, progress: { _, count in watch.advance(count, 0) }
            ) { tree in
                guard trees.count < CollectionMessage.maximumTrees else { return more += 1 }
                trees.append(
                    TreeMessage(
                        root: tree.root.description, treeBlocks: tree.blocks, treeBytes: tree.bytes))
            }
            message.trees = trees
            message.moreTrees = more > 0 ? more : nil
        }
        let report = try node.collectGarbage(options, cancellation: watch.cancellation) { _, count in
            watch.advance(count, 0)
        }
        message.take(report)
        return message
    }

    public func verify(_ request: VerificationRequest, _ watch: Watch) throws -> VerificationMessage {
        watch.setTotal(try? node.catalog.pins.counters().pins, node.verificationBytes)
        let report = try node.verify(
            bytesPerSecond: request.bytesPerSecond, repair: request.repair == true ? .yes : .no,
            cancellation: watch.cancellation, checkedPin: { watch.advance(1, 0) }
        ) { watch.advance(0, Int($0)) }
        return VerificationMessage(report)
    }
}

extension BlockLease: NodeLease {}

extension CollectionMessage {
    fileprivate mutating func take(_ report: CollectionReport) {
        blocks = report.blocks
        bytes = report.bytes
        keptBlocks = report.keptBlocks
        youngBlocks = report.youngBlocks
        youngBytes = report.youngBytes
        freedBytes = report.freedBytes
        removedPacks = report.removedPacks
        rewrittenPacks = report.rewrittenPacks
        skippedPacks = report.skippedPacks
        missingLeaves = report.missingLeaves
        unreadableBlocks = report.unreadableBlocks.map(\.description)
    }
}

extension VerificationMessage {
    /// Each finding is a line.
    public init(_ report: VerificationReport) {
        var findings = report.openingNotes.map(\.description)
        findings += report.storage.map(\.description)
        findings += report.catalog.map(\.description)
        findings += report.incompletePins.map { incomplete in
            let pin = incomplete.pin
            let name = pin.name.isEmpty ? pin.root.description : PathText.printable(pin.name.utf8)
            return "pin \(name): \(incomplete.problem)"
        }
        for incomplete in report.incompleteNamespaces {
            let name = incomplete.namespace.name
            findings += incomplete.problems.map { "namespace \(name): \($0)" }
            if incomplete.moreProblems > 0 {
                findings.append("namespace \(name): and \(incomplete.moreProblems) findings more")
            }
        }
        self.init(
            blocks: report.blocks, bytes: report.bytes, pins: report.pins, namespaces: report.namespaces,
            findings: findings)
    }
}

extension Int64 {
    /// The whole part, as far as there are such numbers.
    fileprivate init(clampedOf number: Double) {
        self = Int64(exactly: number.rounded(.towardZero)) ?? (number > 0 ? .max : 0)
    }
}
