public import Glibc

/// Tells the program that supervises this one (systemd) how it is, over the datagram socket that is named in
/// `NOTIFY_SOCKET`; where nobody asked, nothing is sent.
///
/// Spec: sd_notify(3), sd_watchdog_enabled(3).
public struct ServiceManager: Sendable {
    /// What can be told.
    public enum Message: Hashable, Sendable {
        /// Requests are answered; also the end of ``reloading``.
        case ready
        case reloading
        case stopping
        /// The sign of life that the watchdog waits for.
        case watchdog
        /// One line for people, shown by `systemctl status`.
        case status(String)
    }

    /// After so long without ``Message/watchdog`` the program is ended and started anew; `nil` if nobody
    /// watches.
    public let watchdogInterval: Duration?
    private let socketPath: [UInt8]?

    /// - Parameters:
    ///   - environment: `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID` are read.
    ///   - processID: a watchdog for another process is not ours.
    public init(environment: [String: String], processID: Int32 = getpid()) {
        // A path, or a name in the abstract namespace; anything else is no socket of this kind.
        socketPath = environment["NOTIFY_SOCKET"].map { Array($0.utf8) }.flatMap { path in
            let isNamed = path.first == UInt8(ascii: "/") || path.first == UInt8(ascii: "@")
            return isNamed && path.count > 1 && path.count < Self.maximumPathBytes ? path : nil
        }
        let isOurs = environment["WATCHDOG_PID"].map { $0 == String(processID) } ?? true
        let microseconds = environment["WATCHDOG_USEC"].flatMap { Int64($0) } ?? 0
        watchdogInterval =
            socketPath != nil && isOurs && microseconds > 0 ? .microseconds(microseconds) : nil
    }

    /// Sends all messages in one datagram.
    ///
    /// - Returns: whether it was taken. A supervisor that does not listen is no reason to stop serving.
    @discardableResult
    public func notify(_ messages: Message...) -> Bool {
        guard let socketPath else { return false }
        let text = messages.map(Self.line).joined(separator: "\n")
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { target in
            target.copyBytes(from: socketPath)
            if socketPath.first == UInt8(ascii: "@") { target[0] = 0 }
        }
        // Names of the abstract namespace have a length and no end.
        let length = MemoryLayout<sockaddr_un>.offset(of: \.sun_path).map { $0 + socketPath.count } ?? 0
        let bytes = Array(text.utf8)
        let sent = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0, socklen_t(length))
            }
        }
        return sent == bytes.count
    }

    private static let maximumPathBytes = MemoryLayout.size(ofValue: sockaddr_un().sun_path)

    private static func line(_ message: Message) -> String {
        switch message {
        case .ready: return "READY=1"
        case .stopping: return "STOPPING=1"
        case .watchdog: return "WATCHDOG=1"
        case .status(let text):
            return "STATUS=" + text.prefix(256).map { $0.isNewline ? " " : String($0) }.joined()
        case .reloading:
            // The time says which reload a later READY=1 is the end of.
            var now = timespec()
            clock_gettime(CLOCK_MONOTONIC, &now)
            let microseconds = Int64(now.tv_sec) &* 1_000_000 &+ Int64(now.tv_nsec) / 1000
            return "RELOADING=1\nMONOTONIC_USEC=\(microseconds)"
        }
    }
}
