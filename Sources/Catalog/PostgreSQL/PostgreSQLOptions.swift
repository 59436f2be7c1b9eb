/// How a catalog in PostgreSQL is used. Whatever the address says of the same things comes first.
public struct PostgreSQLOptions: Hashable, Sendable {
    /// The most connections of this process; one of them writes, the others read. At least 2.
    public var connections = 8
    /// How long making a connection may take.
    public var connectTimeout = Duration.seconds(10)
    /// How long a statement may take, besides the steps of the schema.
    public var statementTimeout = Duration.seconds(60)
    /// How long a change waits for the changes of other nodes, and a reader for a connection.
    public var waitTimeout = Duration.seconds(30)
    /// How many changes of different threads share one transaction at most; 1 for none.
    public var maximumGroup = WriteQueue.defaultGroup

    /// Tests break connections with it.
    package var tap: (@Sendable (PostgreSQLMoment) -> Void)? {
        get { hooks.tap }
        set { hooks.tap = newValue }
    }
    private var hooks = Hooks()

    public init() {}

    /// Kept out of comparisons.
    private struct Hooks: Hashable, Sendable {
        var tap: (@Sendable (PostgreSQLMoment) -> Void)?

        static func == (a: Self, b: Self) -> Bool { true }
        func hash(into hasher: inout Hasher) {}
    }
}

/// A moment in the life of a connection, for tests.
package struct PostgreSQLMoment: Sendable {
    package enum Kind: Sendable {
        case beforeSending
        case beforeReceiving
    }

    package let kind: Kind
    /// The statements that go together.
    package let statements: [String]
    /// The socket of the connection.
    package let socket: Int32
}

extension Duration {
    /// At least one, so that no limit becomes none.
    var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        let milliseconds = seconds.multipliedReportingOverflow(by: 1000)
        guard !milliseconds.overflow else { return Int64(Int32.max) }
        let sum = milliseconds.partialValue &+ attoseconds / 1_000_000_000_000_000
        return min(max(sum, 1), Int64(Int32.max))
    }
}
