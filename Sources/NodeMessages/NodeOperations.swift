public import BlockStorage
import IPLD
public import Multiformats
public import NodeCore

/// What can be done with a node, whether it is opened here or runs elsewhere.
///
/// The verbs of the command line are written against it; ``/api/v1`` offers it to everybody else. Blocks
/// are verified on this side, whoever sent them. Long work tells how far it is and can be broken off
/// through ``Watch``. Synchronous and thread-safe: calls may wait for a disk or a network.
public protocol NodeOperations: Sendable {
    /// Blocks to read and to put. What is put counts as durable after `commit`.
    var blocks: any BlockStore { get }

    /// Keeps what is put from now on from being collected, until the lease ends.
    func beginLease() throws -> any NodeLease

    /// What the node takes where nobody says otherwise.
    func defaults() throws -> DefaultsMessage

    /// Figures; nothing is scanned.
    func statistics() throws -> StatisticsMessage

    // MARK: Pins

    /// Keeps a root and everything below it.
    ///
    /// - Throws: what says that blocks are missing, unless the request allows it.
    func pin(_ request: PinRequest, _ watch: Watch) throws -> PinMessage
    /// Keeps a root whose blocks were all just put here under a lease: what is below is not walked where
    /// that is known.
    func pinStored(_ request: PinRequest) throws -> PinMessage
    /// Gives every pin that the query lets through to `body`, oldest first.
    func forEachPin(_ query: PinQuery, _ body: (PinMessage) throws -> Void) throws
    /// The pins that a person means: by root, by id, or by name.
    func pins(matching text: String) throws -> [PinMessage]
    /// - Returns: whether it was there.
    func removePin(_ id: String) throws -> Bool
    /// Removes the row of a pin that can no longer be read.
    ///
    /// - Returns: whether there was one.
    func removeDamagedPin(_ id: String) throws -> Bool
    /// Looks whether everything below a pin is there by now.
    func completePin(_ id: String, _ watch: Watch) throws -> PinMessage
    /// Lets anybody read what a pin keeps (`public`), or no longer (`private`).
    func setVisibility(_ visibility: String, ofPin id: String, _ watch: Watch) throws -> PinMessage

    // MARK: The whole

    /// Visits every block below a root once.
    func walk(_ root: CID, _ watch: Watch) throws -> WalkMessage
    /// Drops blocks that no pin reaches and gives their space back.
    func collect(_ request: CollectionRequest, _ watch: Watch) throws -> CollectionMessage
    /// Checks every block, every pin and the catalog.
    func verify(_ request: VerificationRequest, _ watch: Watch) throws -> VerificationMessage

    /// Writes a DAG as a CAR file: see `StorageNode.exportCAR`.
    func exportCAR(
        _ root: CID, _ options: CARExportOptions, _ watch: Watch,
        sink: @escaping (UnsafeRawBufferPointer) throws -> Void) throws

    // MARK: Names

    /// Makes a name with a new key, or takes one over with its key.
    func makeName(_ request: NameRequest) throws -> NameMessage
    /// Gives every name to `body`, by label.
    func forEachName(_ body: (NameMessage) throws -> Void) throws
    /// A name by its label or key, with so many of its old targets.
    func name(_ text: String, history: Int) throws -> NameMessage
    /// Removes a name with its key and its history.
    func removeName(_ text: String) throws -> NameMessage
    /// Lets a name point to content, or follow a namespace.
    func publishName(_ text: String, _ request: PublishRequest) throws -> NameMessage
    /// Ends the following of a name; it stays where it points.
    func unfollowName(_ text: String) throws -> NameMessage
    /// Where a label, a key, a domain, or a path below one of them leads in the end.
    func resolveName(_ text: String) throws -> ResolutionMessage
    /// The newest signed record of a name. Format: docs/formats/ipns-record.md.
    func record(ofName text: String) throws -> [UInt8]
    /// Keeps a record that somebody else signed, if it is valid and newer.
    func putRecord(_ bytes: [UInt8], forName key: String) throws -> RecordMessage
    /// The private key of a name as a protobuf of libp2p. Secret.
    func exportName(_ text: String) throws -> [UInt8]

    // MARK: Grants

    /// Makes a grant, no wider than one's own.
    ///
    /// - Returns: the grant with its token, which is shown this once.
    func makeGrant(_ request: GrantRequest) throws -> GrantMessage
    /// Gives every grant that is to be seen to `body`, oldest first.
    func forEachGrant(project: String?, _ body: (GrantMessage) throws -> Void) throws
    /// A grant by its id or name.
    func grant(matching text: String) throws -> GrantMessage
    /// Ends a grant and all that were narrowed from it.
    func revokeGrant(_ id: String) throws -> GrantMessage
    /// Signs a URL: who holds it may do this one thing.
    ///
    /// - Returns: path and query.
    func signURL(_ request: SignedURLRequest) throws -> String
    /// Ends a signed URL before its time.
    ///
    /// - Parameter url: with or without the address of the node in front.
    func revokeSignedURL(_ url: String) throws
    /// Removes the row of a grant that can no longer be read.
    func removeDamagedGrant(_ id: String) throws

    // MARK: People

    /// Adds a user, without a project.
    func addUser(_ request: UserRequest) throws -> UserMessage
    /// Gives every user to `body`, oldest first.
    func forEachUser(_ body: (UserMessage) throws -> Void) throws
    /// A user by name or id, with the projects.
    func user(matching text: String) throws -> UserMessage
    /// Sets another password; every session of the user ends.
    func setPassword(_ password: String, ofUser text: String) throws -> UserMessage
    /// Takes everything from a user at once, or gives it back.
    func setUser(_ text: String, isEnabled: Bool) throws -> UserMessage

    /// Makes a project.
    func addProject(_ request: ProjectRequest) throws -> ProjectMessage
    /// Gives every project that is to be seen to `body`, by id.
    func forEachProject(_ body: (ProjectMessage) throws -> Void) throws
    /// A project by its id, or by a name that only one has, with its members.
    func project(matching text: String) throws -> ProjectMessage
    /// Gives a project, by id or name, another name; its id stays.
    func renameProject(_ text: String, to name: String) throws -> ProjectMessage
    /// Removes a project that holds nothing any more, with its memberships.
    ///
    /// - Throws: `project-not-empty` with what it holds, `project-is-default`.
    func removeProject(_ text: String) throws -> ProjectMessage
    /// Makes a user a member of a project, or changes the role.
    func setRole(_ role: String, ofUser user: String, inProject project: String) throws -> MemberMessage
    /// Ends a membership.
    func removeMember(_ user: String, fromProject project: String) throws -> MemberMessage

    // MARK: Namespaces

    /// Makes an empty namespace.
    func addNamespace(_ request: NamespaceDraftMessage) throws -> NamespaceMessage
    /// Gives every namespace that is to be seen to `body`, oldest first.
    func forEachNamespace(_ body: (NamespaceMessage) throws -> Void) throws
    /// A namespace by its name or id.
    func namespace(matching text: String) throws -> NamespaceMessage
    /// Changes name or policy.
    func changeNamespace(_ text: String, _ change: NamespaceChangeMessage) throws -> NamespaceMessage
    /// Lets anybody read a namespace and its history (`public`), or no longer (`private`).
    func setVisibility(_ visibility: String, ofNamespace text: String, _ watch: Watch) throws
        -> NamespaceMessage
    /// Puts a namespace away: nobody finds it any more; its content is kept.
    func removeNamespace(_ text: String) throws -> NamespaceMessage
    /// Gives namespaces that were deleted and can be had back to `body`, the one deleted last first.
    func forEachDeletedNamespace(_ body: (NamespaceMessage) throws -> Void) throws
    /// Brings a deleted namespace back.
    func returnNamespace(_ text: String, _ request: NamespaceReturnMessage) throws -> NamespaceMessage
    /// Reads and checks everything that the newest state and the kept history of a namespace need.
    func verifyNamespace(_ text: String, _ watch: Watch) throws -> NamespaceVerificationMessage
    /// Gives a namespace a new epoch: every client compares anew; nothing else changes.
    func rebuildNamespace(_ text: String) throws -> NamespaceMessage
    /// Gives the versions that are kept to `body`, newest first.
    func forEachNamespaceVersion(_ text: String, _ body: (NamespaceVersionMessage) throws -> Void) throws
    /// The directory of a version; of the newest state for `nil`.
    func namespaceVersion(_ text: String, _ version: String?) throws -> NamespaceVersionMessage
    /// Holds on to a version, whatever the policy says.
    func holdNamespaceVersion(
        _ text: String, _ version: String, _ request: VersionHoldMessage
    ) throws -> NamespaceVersionMessage
    /// Lets go of a version.
    ///
    /// - Returns: whether it was held.
    func releaseNamespaceVersion(_ text: String, _ version: String) throws -> Bool
    /// Gives what was deleted and can be had back to `body`, the newest first.
    func forEachTrashItem(ofNamespace text: String, _ body: (TrashItemMessage) throws -> Void) throws
    /// Takes something out of the trash.
    func restoreFromTrash(ofNamespace text: String, _ request: TrashRestoreMessage) throws
        -> NamespaceRestoredMessage
    /// Takes content out of the trash for good.
    func emptyTrash(ofNamespace text: String, _ request: TrashEmptyMessage) throws -> TrashEmptiedMessage
    /// Gives at most so many changes to `body`, newest first: of all, or of what is at a path.
    func forEachNamespaceEntry(
        _ text: String, path: String?, limit: Int, _ body: (NamespaceEntryMessage) throws -> Void) throws
    /// Gives the paths in which two versions differ to `body`.
    func forEachNamespaceDifference(
        _ text: String, _ question: NamespaceDifferenceQuestion,
        _ body: (NamespaceDifferenceMessage) throws -> Void) throws
    /// Brings everything, or what is at a path, back to an earlier version, by new changes.
    func restoreNamespace(_ text: String, _ request: NamespaceRestoreMessage) throws
        -> NamespaceRestoredMessage

    // MARK: Sharing

    /// Makes a link to something in a namespace.
    ///
    /// - Returns: the link with its location, which is told this once.
    func makeLink(_ request: LinkRequest, inNamespace text: String) throws -> LinkMessage
    /// Gives the links of a namespace to `body`, oldest first.
    func forEachLink(inNamespace text: String, _ body: (LinkMessage) throws -> Void) throws
    /// Ends a link.
    func removeLink(_ id: String) throws -> LinkMessage
    /// Gives the members of a namespace to `body`, the first ones first.
    func forEachMember(ofNamespace text: String, _ body: (NamespaceMemberMessage) throws -> Void) throws
    /// Makes a user, by name or id, a member of a namespace, or changes the role.
    func setMember(_ user: String, role: String, ofNamespace text: String) throws -> NamespaceMemberMessage
    /// Ends a membership.
    func removeMember(_ user: String, ofNamespace text: String) throws -> NamespaceMemberMessage
    /// Where the node that is worked with answers, such as `http://127.0.0.1:8080`; `nil` where none runs.
    var address: String? { get }

    // MARK: Jobs

    /// Gives the jobs that are to be seen to `body`, newest first.
    ///
    /// - Parameter state: `nil` for all.
    func forEachJob(state: String?, _ body: (JobMessage<JSONValue>) throws -> Void) throws
    /// A job, once it has ended or after so many seconds.
    func job(_ id: String, waitSeconds: Int) throws -> JobMessage<JSONValue>
    /// Asks for the end of a job.
    ///
    /// - Throws: `job-ended` where there is nothing to end.
    func cancelJob(_ id: String) throws -> JobMessage<JSONValue>

    // MARK: Authority

    /// Gives the entries of the audit log that the query lets through to `body`, newest first.
    func forEachAuditEntry(_ query: AuditQuery, _ body: (AuditMessage) throws -> Void) throws
    /// Makes sure that the master key on the disk is the one the node works with; where the file was lost,
    /// a node that runs puts back what it holds.
    func confirmMasterKey() throws
}

/// Holds the collector off what is being put.
public protocol NodeLease: Sendable {
    func end()
}

/// How whoever asked for long work follows it, on the thread that asked.
public struct Watch {
    /// Once it is cancelled the work ends with `CancelledError`.
    public let cancellation: Cancellation
    /// Is told of items and bytes as they are done.
    public let advance: (_ items: Int, _ bytes: Int) -> Void
    /// Is told of how much the work consists, where that is known.
    public let setTotal: (_ items: Int64?, _ bytes: Int64?) -> Void

    public init(
        cancellation: Cancellation = Cancellation(),
        setTotal: @escaping (_ items: Int64?, _ bytes: Int64?) -> Void = { _, _ in },
        advance: @escaping (_ items: Int, _ bytes: Int) -> Void = { _, _ in }
    ) {
        self.cancellation = cancellation
        self.advance = advance
        self.setTotal = setTotal
    }

    /// Work that nobody follows.
    public static var none: Watch { Watch() }
}

extension NodeOperations {
    /// The CID that a reference leads to.
    ///
    /// - Throws: `NodeError`: `pinNotFound`, `ambiguousPin`, `blockNotFound`, `pathNotFound`.
    public func resolve(_ reference: ContentReference) throws -> CID {
        let root: CID
        switch reference.root {
        case .cid(let cid): root = cid
        case .pinName(let name):
            let roots = Set(try pins(matching: name).map(\.cid))
            guard roots.count == 1, let only = roots.first else {
                throw NodeError.ambiguousPin(name: name, count: roots.count)
            }
            root = try CID(text: only)
        case .namespace(let name, let version):
            let found = try namespaceVersion(name, version)
            guard let text = found.root else {
                throw NodeFailure(
                    .failed, code: "version-not-made",
                    detail: "the node gave no directory for \(reference.text)")
            }
            root = try CID(text: text)
            do {
                return try PathLookup.resolve(reference.path, from: root, in: blocks)
            } catch NodeError.pathNotFound(_, let path, let missing) {
                // A person named a place in a folder, and knows of no root.
                let place = PathText.printable(path)
                let missingPart = path == missing ? "" : ": “\(PathText.printable(missing))” is missing"
                throw NodeFailure(
                    .notFound, code: "path-not-found",
                    detail:
                        "there is nothing at “\(place)” in version \(found.version) of “\(name)”\(missingPart); "
                        + "`nacre ls \(name):/` shows what is there")
            }
        }
        guard try blocks.size(of: root) != nil || blocks.block(root) != nil else {
            throw NodeError.blockNotFound(root)
        }
        return try PathLookup.resolve(reference.path, from: root, in: blocks)
    }
}
