import Foundation
import Glibc
import Synchronization

/// A DNS server of a few lines: answers every query over UDP, and over TCP on the same port, with what it is told.
final class LoopbackDNS: Sendable {
    let port: UInt16
    private let datagrams: Int32
    private let connections: Int32
    private let questions = Mutex<[String]>([])
    private let isStopped = Atomic<Bool>(false)

    /// What is sent for a query.
    struct Reply: Sendable {
        var packet: [UInt8]
        /// What comes over TCP, where the first answer said that it was cut off.
        var whole: [UInt8] = []
    }

    /// The names that were asked for.
    var asked: [String] { questions.withLock { $0 } }

    /// - Parameter answer: gets the query; `nil` sends nothing.
    init(_ answer: @escaping @Sendable (_ query: [UInt8]) -> Reply?) throws {
        var found: (Int32, Int32, UInt16)?
        // TCP and UDP must have the same port: the system chooses one, the other may be taken.
        for _ in 0..<20 where found == nil {
            let udp = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
            let tcp = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            if let port = Self.bind(udp, 0), Self.bind(tcp, port) != nil, listen(tcp, 4) == 0 {
                found = (udp, tcp, port)
            } else {
                close(udp)
                close(tcp)
            }
        }
        guard let found else { throw POSIXErrorCode(code: EADDRINUSE) }
        (datagrams, connections, port) = found
        Thread.detachNewThread { [self] in serveDatagrams(answer) }
        Thread.detachNewThread { [self] in serveConnections(answer) }
    }

    struct POSIXErrorCode: Error { let code: Int32 }

    /// Ends both threads.
    func stop() {
        isStopped.store(true, ordering: .relaxed)
        shutdown(datagrams, Int32(SHUT_RDWR))
        shutdown(connections, Int32(SHUT_RDWR))
        // A datagram of its own wakes the thread that waits for one.
        let socket = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        var address = Self.address(port)
        _ = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(socket, "x", 1, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        close(socket)
    }

    private func serveDatagrams(_ answer: (_ query: [UInt8]) -> Reply?) {
        defer { close(datagrams) }
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            var address = sockaddr_in()
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let count = withUnsafeMutablePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    recvfrom(datagrams, &buffer, buffer.count, 0, $0, &length)
                }
            }
            if isStopped.load(ordering: .relaxed) || count < 0 { return }
            let query = Array(buffer.prefix(count))
            questions.withLock { $0.append(DNSPacket.name(in: query)) }
            guard let reply = answer(query) else { continue }
            _ = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    sendto(datagrams, reply.packet, reply.packet.count, 0, $0, length)
                }
            }
        }
    }

    private func serveConnections(_ answer: (_ query: [UInt8]) -> Reply?) {
        defer { close(connections) }
        while true {
            let connection = accept(connections, nil, nil)
            if connection < 0 { return }
            var buffer = [UInt8](repeating: 0, count: 4096)
            let count = read(connection, &buffer, buffer.count)
            if count > 2, let reply = answer(Array(buffer[2..<count])) {
                let whole = reply.whole
                let framed = [UInt8(whole.count >> 8), UInt8(whole.count & 255)] + whole
                _ = framed.withUnsafeBytes {
                    send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
            }
            close(connection)
        }
    }

    private static func address(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    private static func bind(_ socket: Int32, _ port: UInt16) -> UInt16? {
        var address = address(port)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(socket, $0, length) == 0 && getsockname(socket, $0, &length) == 0
            }
        }
        return isBound ? UInt16(bigEndian: address.sin_port) : nil
    }
}

/// Packets of the DNS, put together by hand.
enum DNSPacket {
    struct Record {
        var type: UInt16 = 16
        var recordClass: UInt16 = 1
        var ttl: UInt32 = 300
        var data: [UInt8]

        /// A TXT record of strings of at most 255 bytes each.
        static func txt(_ strings: String..., ttl: UInt32 = 300) -> Record {
            Record(ttl: ttl, data: strings.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) })
        }

        static func alias(_ name: String, ttl: UInt32) -> Record {
            Record(type: 5, ttl: ttl, data: DNSPacket.encoded(name))
        }
    }

    /// The answer to a query: its question again, and records whose name is a pointer to it.
    static func answer(_ query: [UInt8], _ records: [Record], flags: UInt16 = 0x8180) -> [UInt8] {
        let end = questionEnd(query)
        var packet = Array(query.prefix(2)) + big(flags) + big(1) + big(UInt16(records.count)) + [0, 0, 0, 0]
        packet += query[12..<end]
        for record in records {
            packet += [0xC0, 12] + big(record.type) + big(record.recordClass)
            packet += big(UInt16(record.ttl >> 16)) + big(UInt16(record.ttl & 0xFFFF))
            packet += big(UInt16(record.data.count)) + record.data
        }
        return packet
    }

    static func encoded(_ name: String) -> [UInt8] {
        name.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
    }

    /// The name in the question of a query.
    static func name(in query: [UInt8]) -> String {
        var labels: [String] = []
        var index = 12
        while index < query.count, query[index] > 0, query[index] < 64 {
            let end = min(query.count, index + 1 + Int(query[index]))
            labels.append(String(decoding: query[(index + 1)..<end], as: UTF8.self))
            index = end
        }
        return labels.joined(separator: ".")
    }

    private static func questionEnd(_ query: [UInt8]) -> Int {
        var index = 12
        while index < query.count, query[index] != 0 { index += 1 + Int(query[index]) }
        return min(query.count, index + 5)
    }

    private static func big(_ number: UInt16) -> [UInt8] { [UInt8(number >> 8), UInt8(number & 255)] }
}
