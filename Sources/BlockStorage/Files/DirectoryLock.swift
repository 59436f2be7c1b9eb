import Glibc
import Synchronization

/// The LOCK file: one process at a time has a data directory open.
///
/// The lock is the system's and goes when the process ends, however it ends; what the file says is for
/// messages.
final class DirectoryLock: Sendable {
    /// `nil` once it is released.
    private let descriptor: Mutex<Int32?>

    /// - Throws: `inUse` with the holder's name and process id.
    init(_ directory: String) throws {
        let path = directory + "/LOCK"
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw DiskFileSystem.failure("open", path) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            let holder = Self.holder(descriptor)
            close(descriptor)
            guard code == EWOULDBLOCK else {
                throw BlockStoreError.file(operation: "lock", path: path, code: code)
            }
            throw BlockStoreError.inUse(
                directory: directory, program: holder.program, processID: holder.processID)
        }
        self.descriptor = Mutex(descriptor)
        let text = Array("\(Self.programName)\n\(getpid())\n\n".utf8)
        // A message that could not be written costs a worse message, nothing else.
        _ = ftruncate(descriptor, 0)
        _ = pwrite(descriptor, text, text.count, 0)
    }

    /// Says where the holder can be spoken to, for those who come later.
    func publish(address: String) {
        descriptor.withLock { descriptor in
            guard let descriptor else { return }
            let text = Array("\(Self.programName)\n\(getpid())\n\(address)\n".utf8)
            _ = ftruncate(descriptor, 0)
            _ = pwrite(descriptor, text, text.count, 0)
        }
    }

    deinit { release() }

    /// Gives the directory free for others.
    func release() {
        descriptor.withLock { descriptor in
            if let open = descriptor {
                // Nobody is there to be spoken to any more.
                _ = ftruncate(open, 0)
                // Unlocked by name: a child that is just being made holds the same open file for a moment.
                flock(open, LOCK_UN)
                close(open)
            }
            descriptor = nil
        }
    }

    private static func holder(_ descriptor: Int32) -> (program: String, processID: String) {
        var bytes = [UInt8](repeating: 0, count: 512)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        let lines = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        return (
            lines.first.flatMap { $0.isEmpty ? nil : $0 } ?? "another program",
            lines.dropFirst().first.flatMap { $0.isEmpty ? nil : $0 } ?? "unknown"
        )
    }

    private static var programName: String {
        CommandLine.arguments.first?.split(separator: "/").last.map(String.init) ?? "nacre"
    }
}
