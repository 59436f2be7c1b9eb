/// Ordered keys and values that map multihashes to places in packs.
///
/// A cache of the packs: losing a tail of its writes is expected and mended at the next open.
/// `RocksDBBlockIndex` is the real one; `MemoryBlockIndex` stands in for tests and can lose writes as a crash
/// would.
public protocol BlockIndex: AnyObject, Sendable {
    /// The value of a key.
    func value(of key: [UInt8]) throws -> [UInt8]?
    /// The values of several keys, in order.
    func values(of keys: [[UInt8]]) throws -> [[UInt8]?]
    /// Makes all changes of the batch or none.
    ///
    /// - Parameter sync: whether this and everything before survives power loss when the call returns.
    func write(_ batch: IndexBatch, sync: Bool) throws
    /// Gives the entries whose keys begin with `prefix`, in the order of keys, from `start` on (with it), as
    /// of the moment of the call, until `body` returns `false`.
    func scan(
        prefix: [UInt8], from start: [UInt8],
        _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws -> Bool
    ) throws
    /// Makes everything written so far survive power loss.
    func sync() throws
    func close() throws
}

extension BlockIndex {
    public func values(of keys: [[UInt8]]) throws -> [[UInt8]?] { try keys.map { try value(of: $0) } }
}

/// Changes that are made together.
public struct IndexBatch: Sendable {
    /// One change of an entry.
    public enum Change: Sendable {
        case put(key: [UInt8], value: [UInt8])
        case remove(key: [UInt8])
    }

    public private(set) var changes: [Change] = []

    public init() {}

    public var isEmpty: Bool { changes.isEmpty }
    public mutating func put(_ key: [UInt8], _ value: [UInt8]) {
        changes.append(.put(key: key, value: value))
    }
    public mutating func remove(_ key: [UInt8]) { changes.append(.remove(key: key)) }
}
