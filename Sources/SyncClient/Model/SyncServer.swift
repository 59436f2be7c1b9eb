public import IPLD
public import Multiformats
public import SyncProtocol
public import TreeValues

/// The calls of the sync protocol that a folder makes: over HTTP, or to a simulated server.
///
/// One value speaks of one namespace, as one device. Calls are synchronous, may fail at any moment, and may
/// have been done although they failed. Format: docs/formats/sync.md.
public protocol SyncServer: Sendable {
    /// Entries after the cursor, in the order of JIDs, at most `limit`, only the newest of each node.
    func list(after cursor: SyncCursor?, limit: Int) throws(SyncServerError) -> ListAnswer
    /// Every live entry below a directory (or all, for `nil`) as of now, parents before children; page by
    /// page.
    func snapshot(of directory: NodeID?, page: String?) throws(SyncServerError) -> SnapshotPage
    /// Does operations in order; one result each.
    ///
    /// - Parameter cursor: how far the journal was read; its epoch is the one that the operations are for.
    func commit(_ operations: [SyncOperation], after cursor: SyncCursor?) throws(SyncServerError)
        -> CommitAnswer
    /// Which of these the server lacks.
    func missing(_ cids: [CID]) throws(SyncServerError) -> [CID]
    func store(_ blocks: [Block]) throws(SyncServerError)
    /// Leaves in the order asked, as many as fit one answer: it speaks of at least the first.
    func retrieve(_ cids: [CID]) throws(SyncServerError) -> RetrievedBlocks
    /// The leaves of a file, as a difference to a file that the client has.
    ///
    /// What comes out is checked by building the root from it.
    func leaves(of root: CID, base: CID?) throws(SyncServerError) -> LeafEdit
}

/// Blocks that a server was asked for.
public struct RetrievedBlocks: Hashable, Sendable {
    /// In the order asked.
    public var blocks: [Block]
    /// Of how many of the CIDs, from the first on, the answer speaks: those of them that did not come are
    /// not to be had. The others are asked for again.
    public var answered: Int

    public init(_ blocks: [Block], answered: Int) {
        self.blocks = blocks
        self.answered = answered
    }
}

/// Why a call failed.
public enum SyncServerError: Error, Hashable, Sendable {
    /// No connection, or broken off: try again later.
    case unreachable(String)
    /// The journal is not the one that the cursor is of: read a snapshot and compare; delete nothing for
    /// it.
    case resetRequired
    /// The key is not accepted any more, or not for this: a person has to do something.
    case notAllowed(code: SyncCode, message: String)
    /// The server has no room, or is read-only: pause this direction.
    case refused(code: SyncCode, message: String, retryAfterSeconds: Int?)
    /// An answer that cannot be understood.
    case badAnswer(String)
}

extension SyncServerError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unreachable(let text): "the node cannot be reached: \(text)"
        case .resetRequired:
            "the node's journal is another one: everything is compared again, nothing is deleted"
        case .notAllowed(_, let message), .refused(_, let message, _): message
        case .badAnswer(let text): "the node answered what cannot be understood: \(text)"
        }
    }
}
