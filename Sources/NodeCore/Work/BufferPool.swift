import BlockStorage
import Glibc

/// A bounded number of large buffers that wander between threads: the bound on memory of every pipeline.
final class BufferPool: Sendable {
    private let free: Monitor<[PooledBuffer]>

    /// - Parameters:
    ///   - count: how many buffers there are; ``take()`` waits while all are in use.
    ///   - bytes: the size of each. Memory is used only as far as a buffer is filled.
    init(count: Int, bytes: Int) {
        free = Monitor((0..<count).map { _ in PooledBuffer(bytes: bytes) })
    }

    func take() -> PooledBuffer {
        free.wait { $0.popLast().map { .done($0) } ?? .waiting }
    }

    func giveBack(_ buffer: PooledBuffer) {
        free.with { $0.append(buffer) }
        free.signalOne()
    }
}

/// Memory that one thread at a time uses.
final class PooledBuffer: @unchecked Sendable {
    // Proof of Sendable: a buffer is handed on, never shared: the pool gives it to one taker, who gives it to
    // at most one task and touches it again only after that task's result, or gives it back.
    let bytes: UnsafeMutableRawBufferPointer

    init(bytes count: Int) {
        bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 4096)
    }

    deinit { bytes.deallocate() }
}
