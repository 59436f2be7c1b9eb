import Glibc

/// Who has a data directory open, read from its LOCK file without taking the lock.
struct LockHolder {
    let processID: Int32
    /// Where it can be spoken to, as `http://127.0.0.1:8080`; `nil` if it serves nothing.
    let address: String?

    /// `nil` if nobody has the directory open. What a process that was killed has left does not count.
    init?(directory: String) {
        guard let text = SmallText.read(directory + "/LOCK") else { return nil }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count > 1, let processID = Int32(lines[1]), processID > 0,
            Self.holdsLock(processID)
        else { return nil }
        self.processID = processID
        address = lines.count > 2 && !lines[2].isEmpty ? String(lines[2]) : nil
    }

    /// Whether a process holds any lock of this kind: its number may have gone to another one.
    private static func holdsLock(_ processID: Int32) -> Bool {
        guard let locks = SmallText.read("/proc/locks", maximumBytes: 1024 * 1024) else {
            // Without the list (a hardened service does not see it) the process itself has to do.
            return kill(processID, 0) == 0 || errno == EPERM
        }
        return locks.split(separator: "\n").contains { line in
            let words = line.split(separator: " ")
            return words.count > 4 && words[1] == "FLOCK" && words[4] == "\(processID)"
        }
    }
}

/// Small files of the system, which have no size of their own.
enum SmallText {
    /// - Returns: at most so many bytes as text; `nil` if the file cannot be read.
    static func read(_ path: String, maximumBytes: Int = 64 * 1024) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: maximumBytes)
        var done = 0
        while done < maximumBytes {
            let count = bytes.withUnsafeMutableBytes {
                Glibc.read(descriptor, $0.baseAddress.map { $0 + done }, maximumBytes - done)
            }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { return nil }
            if count == 0 { break }
            done += count
        }
        return String(decoding: bytes.prefix(done), as: UTF8.self)
    }
}
