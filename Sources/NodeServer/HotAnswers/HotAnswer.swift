import GatewayAPI
import HTTPSupport
import HTTPTypes
import NIOCore

/// An answer as it goes to the socket, but for what differs each time: the date and the identifier.
final class HotAnswer: Sendable {
    /// What is asked, byte for byte, and whose word it is.
    struct Key: Sendable {
        /// The head of a request, to the end of its empty line.
        let head: [UInt8]
        let peer: Peer
    }

    /// What a proxy says of its client is believed only from those that were named: the same bytes mean
    /// something else from others.
    enum Peer: Sendable {
        case stranger
        case trustedProxy
    }

    /// An answer that was given.
    struct Content: Sendable {
        let head: HTTPResponse
        let body: ByteBuffer
        let series: Series
        let ground: Ground
    }

    /// What an answer rests on, as of before it was made: it is right for as long as both are the same.
    struct Ground: Sendable {
        let settings: ServerSettings
        /// `PackBlockStore.withdrawals`.
        let withdrawals: UInt64

        init(_ settings: ServerSettings) {
            self.settings = settings
            withdrawals = settings.gateway.withdrawals
        }

        func holds(under current: CurrentSettings) -> Bool {
            settings === current.value && withdrawals == settings.gateway.withdrawals
        }
    }

    /// What an answer counts as in the metrics.
    struct Series: Hashable, Sendable {
        let route: String
        let method: String
        let status: Int
    }

    let series: Series
    let ground: Ground
    let expiry: NIODeadline
    let bodyBytes: Int
    /// Bytes of memory.
    let cost: Int
    private let key: Key
    /// Head, and the body if it is small.
    private let bytes: [UInt8]
    private let identifierOffset: Int
    private let dateOffset: Int
    /// A body that is large enough to be written by itself.
    private let largeBody: MemoryFile?

    /// Larger bodies take the ordinary way.
    static let maximumBodyBytes = 512 * 1024
    /// Smaller bodies are copied behind their heads: one write is less work than two.
    private static let copiedBytes = 32 * 1024

    init(_ content: Content, _ key: Key, expiry: NIODeadline) {
        series = content.series
        ground = content.ground
        self.expiry = expiry
        self.key = key
        bodyBytes = content.body.readableBytes
        var bytes = Array("HTTP/1.1 \(content.head.status)\r\n".utf8)
        for field in content.head.headerFields where field.name != .requestID && field.name != .date {
            bytes += Array("\(field.name.rawName): \(field.value)\r\n".utf8)
        }
        bytes += Array("\(HTTPField.Name.requestID.rawName): ".utf8)
        identifierOffset = bytes.count
        bytes += [UInt8](repeating: UInt8(ascii: "0"), count: RequestIdentifier.digits)
        bytes += Array("\r\nDate: ".utf8)
        dateOffset = bytes.count
        bytes += [UInt8](repeating: UInt8(ascii: " "), count: Self.dateBytes)
        bytes += Array("\r\n\r\n".utf8)
        largeBody = bodyBytes > Self.copiedBytes ? MemoryFile(content.body) : nil
        if largeBody == nil { bytes += content.body.readableBytesView }
        self.bytes = bytes
        cost = key.head.count + bytes.count + (largeBody?.count ?? 0) + 512
    }

    /// Of a date as RFC 9110 section 5.6.7 has it.
    private static let dateBytes = 29

    func isAnswer(to head: UnsafeRawBufferPointer, from peer: Peer) -> Bool {
        key.peer == peer && key.head.withUnsafeBytes { $0.isEqual(to: head) }
    }

    /// What is to be written: the bytes, and then what is in the file.
    func parts(date: [UInt8], _ allocator: ByteBufferAllocator) -> (bytes: ByteBuffer, rest: MemoryFile?) {
        var buffer = allocator.buffer(capacity: bytes.count)
        buffer.writeBytes(bytes)
        RequestIdentifier.withNext { _ = buffer.setBytes($0, at: identifierOffset) }
        if date.count == Self.dateBytes { buffer.setBytes(date, at: dateOffset) }
        return (buffer, largeBody)
    }
}
