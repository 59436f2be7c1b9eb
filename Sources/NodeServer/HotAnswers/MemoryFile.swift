import CLinux
import Glibc
import NIOCore

/// Bytes in a file that is nowhere but in memory: they go to sockets without being copied.
final class MemoryFile: Sendable {
    let descriptor: Int32
    let count: Int

    /// - Returns: `nil` if the system has no descriptor or no memory for it.
    init?(_ bytes: ByteBuffer) {
        // 1: MFD_CLOEXEC.
        descriptor = memfd_create("nacre-answer", 1)
        count = bytes.readableBytes
        guard descriptor >= 0 else { return nil }
        let written = bytes.withUnsafeReadableBytes { write(descriptor, $0.baseAddress, $0.count) }
        guard written == count else { return nil }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// The bytes, for connections that have to see them.
    func read(_ allocator: ByteBufferAllocator) -> ByteBuffer {
        var buffer = allocator.buffer(capacity: count)
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) {
            max(0, pread(descriptor, $0.baseAddress, count, 0))
        }
        return buffer
    }
}
