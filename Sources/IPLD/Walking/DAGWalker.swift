public import Multiformats

/// Walks a DAG depth first, in the order of links, each block once.
///
/// Iterative: the depth of the DAG costs no stack. Memory: the links of the blocks on the way down, and
/// whatever the caller remembers visited blocks in.
///
/// ```
/// var walker = DAGWalker(root: root) { seen.insert($0.multihash).inserted ? .enter : .skip }
/// while let step = try walker.next(load: source.block) { … }
/// ```
public struct DAGWalker {
    /// What to do about a CID that the walk comes to.
    public enum Decision: Sendable {
        /// It is new.
        case enter
        /// It was visited before, or is not wanted.
        case skip
        /// The source does not hold it.
        case missing
    }

    /// What the walk came to.
    public enum Step: Sendable {
        /// A block that can link, read.
        case block(Block, depth: Int)
        /// A block of a codec without links; it was not read.
        case leaf(CID, depth: Int)
        case missing(CID, depth: Int)

        /// What was come to.
        public var cid: CID {
            switch self {
            case .block(let block, _): block.cid
            case .leaf(let cid, _), .missing(let cid, _): cid
            }
        }
    }

    /// How far a walk may go.
    public struct Budget: Hashable, Sendable {
        public var depth = Int.max
        /// Blocks that are come to, missing ones included.
        public var blocks = Int.max
        /// Bytes of the blocks that are read.
        public var bytes = UInt64.max

        public init() {}
    }

    private let budget: Budget
    private let visit: (CID) throws -> Decision
    private var stack: [(cid: CID, depth: Int)]
    private var blocks = 0
    private var bytes: UInt64 = 0

    /// - Parameter visit: asked once for each link that the walk comes to, before anything is read.
    public init(root: CID, budget: Budget = Budget(), visit: @escaping (CID) throws -> Decision) {
        self.budget = budget
        self.visit = visit
        stack = [(root, 0)]
    }

    /// The next step, or `nil` at the end.
    ///
    /// - Parameter load: the block of a CID; `nil` counts as missing.
    /// - Throws: `DAGWalkError` when a budget is used up or a block cannot be read, and what the closures throw.
    public mutating func next(load: (CID) throws -> Block?) throws -> Step? {
        while let (cid, depth) = stack.popLast() {
            switch try visit(cid) {
            case .skip: continue
            case .missing:
                try charge(cid, depth)
                return .missing(cid, depth: depth)
            case .enter: break
            }
            try charge(cid, depth)
            guard Block.canLink(cid.codec) else { return .leaf(cid, depth: depth) }
            guard let block = try load(cid) else { return .missing(cid, depth: depth) }
            bytes &+= UInt64(block.bytes.count)
            guard bytes <= budget.bytes else { throw DAGWalkError.tooManyBytes(cid, maximum: budget.bytes) }
            let links: [CID]
            do {
                links = try block.links()
            } catch {
                throw DAGWalkError.unreadable(cid, reason: String(describing: error))
            }
            for link in links.reversed() { stack.append((link, depth + 1)) }
            return .block(block, depth: depth)
        }
        return nil
    }

    private mutating func charge(_ cid: CID, _ depth: Int) throws(DAGWalkError) {
        blocks += 1
        guard blocks <= budget.blocks else { throw .tooManyBlocks(cid, maximum: budget.blocks) }
        guard depth <= budget.depth else { throw .tooDeep(cid, maximum: budget.depth) }
    }
}

/// A walk went farther than it may, or cannot go on.
public enum DAGWalkError: Error, Equatable, Sendable {
    case tooDeep(CID, maximum: Int)
    case tooManyBlocks(CID, maximum: Int)
    case tooManyBytes(CID, maximum: UInt64)
    /// The block is what its CID names, but not what its codec says: nobody knows its links.
    case unreadable(CID, reason: String)
}

extension DAGWalkError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .tooDeep(let cid, let maximum): "block \(cid) lies more than \(maximum) levels deep"
        case .tooManyBlocks(let cid, let maximum):
            "the DAG has more than \(maximum) blocks; the walk stopped at \(cid)"
        case .tooManyBytes(let cid, let maximum):
            "the DAG has more than \(maximum) bytes; the walk stopped at \(cid)"
        case .unreadable(let cid, let reason):
            "block \(cid) is not what its codec says, so that its links are not known: \(reason)"
        }
    }
}
