import Glibc

/// Asks a node on this machine `GET /health/ready`, over a plain socket with a time limit.
enum ReadinessProbe {
    /// Why the answer was not that it is ready; continues a sentence about the node.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// - Parameter address: as it stands in the LOCK file, such as `http://127.0.0.1:8080`.
    static func ask(_ address: String, seconds: Int = 8) -> Result<Void, Failure> {
        guard address.hasPrefix("http://"), let listen = ListenAddress(String(address.dropFirst(7))) else {
            return .failure(Failure(description: "has an address that cannot be asked"))
        }
        guard let descriptor = connect(listen, seconds) else {
            return .failure(Failure(description: "does not take connections"))
        }
        defer { close(descriptor) }
        let request = Array(
            "GET /health/ready HTTP/1.1\r\nHost: \(listen)\r\nConnection: close\r\n\r\n".utf8)
        guard send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else {
            return .failure(Failure(description: "does not take requests"))
        }
        let answer = receive(descriptor)
        if answer.hasPrefix("HTTP/1.1 200 ") { return .success(()) }
        guard let body = answer.firstRange(of: "\r\n\r\n") else {
            return .failure(Failure(description: "has not answered within \(seconds) s"))
        }
        let text = answer[body.upperBound...].prefix(500).filter { !$0.isNewline }
        return .failure(Failure(description: "says: \(text)"))
    }

    private static func connect(_ address: ListenAddress, _ seconds: Int) -> Int32? {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        // A node that listens on every address is reached on loopback too.
        let host = ["0.0.0.0": "127.0.0.1", "::": "::1"][address.host] ?? address.host
        guard getaddrinfo(host, String(address.port), &hints, &list) == 0, let first = list else {
            return nil
        }
        defer { freeaddrinfo(list) }
        let descriptor = socket(
            first.pointee.ai_family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        var limit = timeval(tv_sec: seconds, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
        guard Glibc.connect(descriptor, first.pointee.ai_addr, first.pointee.ai_addrlen) == 0 else {
            close(descriptor)
            return nil
        }
        return descriptor
    }

    /// At most 64 KiB, until the end or the time limit.
    private static func receive(_ descriptor: Int32) -> String {
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 4096)
        while bytes.count < 64 * 1024 {
            let count = recv(descriptor, &part, part.count, 0)
            guard count > 0 else { break }
            bytes += part.prefix(count)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
