import Glibc

/// A regular file that is being read.
///
/// Closed when the last reference goes.
final class SourceFile: Sendable {
    let descriptor: Int32
    let path: [UInt8]
    /// As of opening.
    let status: FileStatus

    /// Opens `name` in `directory`.
    ///
    /// - Throws: `POSIXError`; also if it is no regular file by the time it is open (a pipe put in its place
    ///   would block for ever: hence non-blocking).
    init(_ name: [UInt8], in directory: DirectoryHandle, following: Bool) throws {
        let path = PathText.join(directory.path, name)
        let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (following ? 0 : O_NOFOLLOW)
        let descriptor = Path.withCString(name) { openat(directory.descriptor, $0, flags) }
        guard descriptor >= 0 else { throw POSIXError.last("open", path) }
        do {
            status = try FileStatus(descriptor: descriptor, path: path)
            guard status.kind == .file else { throw POSIXError("read", path: path, code: EINVAL) }
        } catch {
            close(descriptor)
            throw error
        }
        self.descriptor = descriptor
        self.path = path
    }

    deinit { close(descriptor) }

    /// Reads until `buffer` is full or the file ends; returns the bytes read.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        var done = 0
        while done < buffer.count {
            let count = pread(
                descriptor, buffer.baseAddress.map { $0 + done }, buffer.count - done,
                off_t(offset) + off_t(done))
            if count == 0 { break }
            if count < 0 {
                if errno == EINTR { continue }
                throw POSIXError.last("read", path)
            }
            done += count
        }
        return done
    }

    /// Whether the file is still what it was when it was opened.
    func isUnchanged() throws -> Bool {
        try FileStatus(descriptor: descriptor, path: path).isSameContent(as: status)
    }
}
