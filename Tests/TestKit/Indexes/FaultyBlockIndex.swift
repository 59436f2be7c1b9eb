public import BlockStorage
import Synchronization

/// An index whose n-th write or sync fails; nothing of a batch that fails is kept.
public final class FaultyBlockIndex: BlockIndex {
    private struct State {
        var calls = 0
        var faults = 0
    }
    private let base: any BlockIndex
    private let failing: Int?
    private let staysBroken: Bool
    private let state = Mutex(State())

    /// - Parameters:
    ///   - call: which write or sync fails, counted from 0; `nil` for none.
    ///   - staysBroken: all later ones fail as well.
    public init(base: any BlockIndex, failing call: Int?, staysBroken: Bool = false) {
        self.base = base
        self.failing = call
        self.staysBroken = staysBroken
    }

    /// How many calls failed so far.
    public var faults: Int { state.withLock { $0.faults } }

    public func value(of key: [UInt8]) throws -> [UInt8]? { try base.value(of: key) }
    public func values(of keys: [[UInt8]]) throws -> [[UInt8]?] { try base.values(of: keys) }

    public func write(_ batch: IndexBatch, sync: Bool) throws {
        try check()
        try base.write(batch, sync: sync)
    }

    public func scan(
        prefix: [UInt8], from start: [UInt8],
        _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws -> Bool
    ) throws {
        try base.scan(prefix: prefix, from: start, body)
    }

    public func sync() throws {
        try check()
        try base.sync()
    }

    public func close() throws { try base.close() }

    private func check() throws {
        try state.withLock { state in
            let call = state.calls
            state.calls += 1
            guard let failing, call == failing || staysBroken && call > failing else { return }
            state.faults += 1
            throw BlockStoreError.index("made to fail")
        }
    }
}
