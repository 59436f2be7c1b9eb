/// What may be done. Every route of every door names one; grants name several.
public enum Operation: String, CaseIterable, Hashable, Sendable {
    /// Read content that is not public, lists and figures.
    case read
    /// Bring content in: files, blocks, CARs, with the pin that keeps them.
    case write
    /// Keep roots, change the records of pins.
    case pin
    /// Remove pins and what else was brought in.
    case delete
    /// Let anybody read, or no longer.
    case publish
    /// Make, update and remove names.
    case names
    /// Make narrower grants and signed URLs, list and revoke them.
    case keys
    /// See, wait for and cancel background work.
    case jobs
    /// Read the metrics of the node.
    case metrics
    /// Everything there is: of the node where the scope is the node, else of the project, members included.
    case admin
}

/// A set of operations. `admin` contains every other one.
public struct OperationSet: OptionSet, Hashable, Sendable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public init(_ operations: some Sequence<Operation>) {
        rawValue = operations.reduce(0) { $0 | Self.bit($1) }
    }

    /// Whether the operation is allowed: named, or `admin` is.
    public func allows(_ operation: Operation) -> Bool {
        rawValue & (Self.bit(operation) | Self.bit(.admin)) != 0
    }

    /// Whether everything that `other` allows is allowed.
    public func covers(_ other: OperationSet) -> Bool { allows(.admin) || isSuperset(of: other) }

    /// What both allow.
    public func narrowed(to other: OperationSet) -> OperationSet {
        if allows(.admin) { return other }
        return other.allows(.admin) ? self : intersection(other)
    }

    /// The operations that are named, in the order of ``Operation``.
    public var operations: [Operation] { Operation.allCases.filter { rawValue & Self.bit($0) != 0 } }

    private static func bit(_ operation: Operation) -> UInt32 {
        switch operation {
        case .read: 1 << 0
        case .write: 1 << 1
        case .pin: 1 << 2
        case .delete: 1 << 3
        case .publish: 1 << 4
        case .names: 1 << 5
        case .keys: 1 << 6
        case .jobs: 1 << 7
        case .metrics: 1 << 8
        case .admin: 1 << 9
        }
    }
}

extension OperationSet: CustomStringConvertible {
    /// Reads names separated by spaces or commas.
    ///
    /// - Throws: `invalidOperation` at a name that is none.
    public init(text: String) throws(AccessError) {
        var operations: [Operation] = []
        for name in text.split(whereSeparator: { $0 == " " || $0 == "," }) {
            guard let operation = Operation(rawValue: String(name)) else {
                throw .invalidOperation(String(name.prefix(64)))
            }
            operations.append(operation)
        }
        self.init(operations)
    }

    /// Names separated by spaces: the form that is stored.
    public var description: String { operations.map(\.rawValue).joined(separator: " ") }
}
