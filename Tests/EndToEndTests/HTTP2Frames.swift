/// HTTP/2 by hand: frames as a hostile client would write them. Spec: RFC 9113, section 4.
enum HTTP2Frames {
    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    enum Kind: UInt8 {
        case data = 0
        case headers = 1
        case reset = 3
        case settings = 4
        case ping = 6
        case goAway = 7
        case windowUpdate = 8
        case continuation = 9
    }

    struct Frame {
        let kind: UInt8
        let flags: UInt8
        let stream: UInt32
        let payload: [UInt8]

        func isOf(_ kind: Kind) -> Bool { self.kind == kind.rawValue }
        /// Of a reset.
        var errorCode: UInt32 { payload.prefix(4).reduce(0) { $0 << 8 | UInt32($1) } }
        var endsStream: Bool { flags & 1 == 1 && (isOf(.data) || isOf(.headers)) }
    }

    static func frame(
        _ kind: Kind, flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8] = []
    ) -> [UInt8] {
        let count = payload.count
        return [UInt8(count >> 16 & 255), UInt8(count >> 8 & 255), UInt8(count & 255), kind.rawValue, flags]
            + [24, 16, 8, 0].map { UInt8(stream >> $0 & 255) } + payload
    }

    /// A setting and its value.
    static func settings(_ values: [(UInt16, UInt32)] = []) -> [UInt8] {
        frame(
            .settings,
            values.flatMap { id, value in
                [UInt8(id >> 8), UInt8(id & 255)] + [24, 16, 8, 0].map { UInt8(value >> $0 & 255) }
            })
    }

    /// Fields as literals without indexing and without Huffman coding: RFC 7541, section 6.2.2.
    static func fields(_ fields: [(String, String)]) -> [UInt8] {
        func text(_ text: String) -> [UInt8] {
            var count = text.utf8.count
            guard count >= 127 else { return [UInt8(count)] + Array(text.utf8) }
            var bytes: [UInt8] = [127]
            count -= 127
            while count >= 128 {
                bytes.append(UInt8(count & 127 | 128))
                count >>= 7
            }
            return bytes + [UInt8(count)] + Array(text.utf8)
        }
        return fields.flatMap { [0] + text($0.0) + text($0.1) }
    }

    /// A request that ends with its header.
    static func get(
        _ path: String, stream: UInt32, scheme: String = "http", more: [(String, String)] = []
    ) -> [UInt8] {
        let all =
            [(":method", "GET"), (":scheme", scheme), (":authority", "localhost"), (":path", path)] + more
        return frame(.headers, flags: 5, stream: stream, fields(all))
    }

    /// The whole frames of what came.
    static func parse(_ bytes: [UInt8]) -> [Frame] {
        var frames: [Frame] = []
        var rest = bytes[...]
        while rest.count >= 9 {
            let header = Array(rest.prefix(9))
            let count = Int(header[0]) << 16 | Int(header[1]) << 8 | Int(header[2])
            guard rest.count >= 9 + count else { break }
            frames.append(
                Frame(
                    kind: header[3], flags: header[4],
                    stream: header[5...8].reduce(0) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF,
                    payload: Array(rest.dropFirst(9).prefix(count))))
            rest = rest.dropFirst(9 + count)
        }
        return frames
    }
}

extension RawConnection {
    /// Frames until one is as wanted, or the connection ends.
    func frames(until isLast: (HTTP2Frames.Frame) -> Bool) -> [HTTP2Frames.Frame] {
        var bytes: [UInt8] = []
        while true {
            let frames = HTTP2Frames.parse(bytes)
            if frames.contains(where: isLast) { return frames }
            let more = receive()
            if more.isEmpty { return frames }
            bytes += more
        }
    }
}
