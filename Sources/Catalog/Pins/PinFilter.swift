public import Multiformats

/// Which pins to list. Every condition that is set must hold.
public struct PinFilter: Hashable, Sendable {
    public var owner: ProjectID?
    public var name: String?
    public var namePrefix: String?
    /// Roots; the versions 0 and 1 of a CID name the same block and are both found.
    public var roots: [CID]?
    public var statuses: Set<PinStatus>?
    public var visibility: PinVisibility?
    /// Unix milliseconds: only pins made before it.
    public var createdBefore: Int64?
    /// Unix milliseconds: only pins made after it.
    public var createdAfter: Int64?

    /// All pins.
    public init() {}

    /// The pins of one root.
    public init(root: CID, owner: ProjectID? = nil) {
        roots = [root]
        self.owner = owner
    }

    func condition() -> SQLCondition {
        var condition = SQLCondition()
        if let owner { condition.require("owner = ?", .text(owner.rawValue)) }
        if let name { condition.require("name = ?", .text(name)) }
        if let namePrefix { condition.require("name", startsWith: namePrefix) }
        if let roots {
            condition.require("root", in: Set(roots.flatMap(Self.spellings)).map { .blob($0) })
        }
        if let statuses {
            if let status = statuses.first, statuses.count == 1 {
                // An equality, behind which an index is in the order of its next column.
                condition.require("status = ?", .text(status.rawValue))
            } else {
                condition.require("status", in: statuses.map(\.rawValue).sorted().map { .text($0) })
            }
        }
        if let visibility { condition.require("visibility = ?", .text(visibility.rawValue)) }
        if let createdBefore { condition.require("created < ?", .integer(createdBefore)) }
        if let createdAfter { condition.require("created > ?", .integer(createdAfter)) }
        return condition
    }

    /// The binary forms under which the block of `cid` may have been pinned.
    private static func spellings(of cid: CID) -> [[UInt8]] {
        guard cid.codec == .dagPB, let old = try? CID(version0: cid.multihash) else { return [cid.bytes] }
        return [old.bytes, old.asVersion1.bytes]
    }
}

/// In which order to list.
public enum PinOrder: Sendable {
    case newestFirst
    case oldestFirst
}

/// A part of a list.
public struct PinPage: Hashable, Sendable {
    public let pins: [Pin]
    /// Give it as `after` to get the next page; `nil` if this was the last.
    public let next: PinID?
}
