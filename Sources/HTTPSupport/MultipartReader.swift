/// Reads `multipart/form-data` as it comes: part after part, none of them held.
///
/// Spec: RFC 7578, RFC 2046 section 5.1. Memory: one piece of the source and a boundary.
public struct MultipartReader {
    /// The head of a part.
    public struct Part: Hashable, Sendable {
        /// The name of the field.
        public var name: String
        /// As the client gave it; `nil` for a field that is no file.
        public var filename: String?
        public var contentType: String?
    }

    /// The most bytes of the head of a part.
    public static let maximumHeadBytes = 16 * 1024
    /// The most bytes of a boundary. Spec: RFC 2046 section 5.1.1.
    static let maximumBoundaryBytes = 70

    private var body: RequestBodyReader
    private var buffer: [UInt8] = []
    /// What of the buffer is read already.
    private var start = 0
    private var isAtEnd = false
    /// CRLF, two dashes and the boundary.
    private let delimiter: [UInt8]
    private var isFirst = true
    private var isInPart = false

    /// - Parameter contentType: the field of the request; its parameter `boundary` counts.
    /// - Throws: `noBoundary`.
    public init(_ body: RequestBodyReader, contentType: String) throws(MultipartError) {
        guard let boundary = Self.parameter("boundary", of: contentType), !boundary.isEmpty,
            boundary.utf8.count <= Self.maximumBoundaryBytes
        else { throw .noBoundary }
        self.body = body
        delimiter = Array("\r\n--".utf8) + Array(boundary.utf8)
        // The first boundary has no line before it.
        buffer = [13, 10]
    }

    /// Bytes that came so far.
    public var received: Int64 { body.received }

    /// The next part, after what is left of this one; `nil` at the end.
    ///
    /// - Throws: `MultipartError`, and what the source throws.
    public mutating func nextPart() throws -> Part? {
        if isFirst {
            isFirst = false
            try skipToBoundary()
        } else {
            while isInPart { _ = try nextBytes() }
        }
        // Behind the boundary: two dashes are the end, a line's end begins a part.
        try fill(2)
        let mark = buffer[start..<min(start + 2, buffer.count)]
        if mark.elementsEqual([0x2D, 0x2D]) { return nil }
        guard mark.elementsEqual([13, 10]) else { throw MultipartError.brokenOff }
        start += 2
        let part = try head()
        isInPart = true
        return part
    }

    /// Bytes of the part; `nil` at its end.
    public mutating func nextBytes() throws -> ArraySlice<UInt8>? {
        guard isInPart else { return nil }
        while true {
            if let end = find(delimiter) {
                let bytes = buffer[start..<end]
                if !bytes.isEmpty {
                    start = end
                    return bytes
                }
                start = end + delimiter.count
                isInPart = false
                return nil
            }
            // A boundary may have begun in the last bytes.
            let safe = buffer.count - delimiter.count
            if safe > start {
                let bytes = buffer[start..<safe]
                start = safe
                return bytes
            }
            guard try more() else { throw MultipartError.brokenOff }
        }
    }

    private mutating func skipToBoundary() throws {
        while true {
            if let end = find(delimiter) {
                start = end + delimiter.count
                return
            }
            start = max(start, buffer.count - delimiter.count)
            guard try more() else { throw MultipartError.brokenOff }
        }
    }

    private mutating func head() throws -> Part {
        let end: Int
        let blank: [UInt8] = [13, 10, 13, 10]
        // A part without any header begins with the blank line.
        try fill(2)
        if buffer[start...].starts(with: [13, 10]) {
            start += 2
            throw MultipartError.noName
        }
        while true {
            if let found = find(blank) {
                end = found
                break
            }
            guard buffer.count - start <= Self.maximumHeadBytes else { throw MultipartError.headTooLarge }
            guard try more() else { throw MultipartError.brokenOff }
        }
        let text = String(decoding: buffer[start..<end], as: UTF8.self)
        start = end + blank.count
        var part = Part(name: "")
        var hasName = false
        for line in text.split(separator: "\r\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = String(line[line.index(after: colon)...]).trimmed
            switch line[..<colon].lowercased() {
            case "content-disposition":
                if let name = Self.parameter("name", of: value) {
                    part.name = name
                    hasName = true
                }
                part.filename = Self.parameter("filename", of: value)
            case "content-type": part.contentType = value
            default: break
            }
        }
        guard hasName else { throw MultipartError.noName }
        return part
    }

    /// Makes sure that so many bytes are there, if they come at all.
    private mutating func fill(_ count: Int) throws {
        while buffer.count - start < count {
            guard try more() else { throw MultipartError.brokenOff }
        }
    }

    private mutating func more() throws -> Bool {
        guard !isAtEnd, let piece = try body.nextPiece() else {
            isAtEnd = true
            return false
        }
        buffer.removeFirst(start)
        start = 0
        buffer.append(contentsOf: piece)
        return true
    }

    private func find(_ pattern: [UInt8]) -> Int? {
        guard let first = pattern.first, buffer.count - start >= pattern.count else { return nil }
        var index = start
        let last = buffer.count - pattern.count
        while index <= last {
            guard let candidate = buffer[index...last].firstIndex(of: first) else { return nil }
            if buffer[candidate..<(candidate + pattern.count)].elementsEqual(pattern) { return candidate }
            index = candidate + 1
        }
        return nil
    }

    /// A parameter of a header, quoted or not.
    static func parameter(_ name: String, of field: String) -> String? {
        var rest = Substring(field)
        while let semicolon = rest.firstIndex(of: ";") {
            rest = rest[rest.index(after: semicolon)...].drop { $0 == " " || $0 == "\t" }
            guard let equals = rest.firstIndex(of: "=") else { return nil }
            let key = rest[..<equals].lowercased()
            rest = rest[rest.index(after: equals)...]
            var value = ""
            if rest.first == "\"" {
                rest = rest.dropFirst()
                while let character = rest.first, character != "\"" {
                    rest = rest.dropFirst()
                    // Browsers write %22 for a quote and leave backslashes alone, so that only a quote is
                    // escaped.
                    if character == "\\", rest.first == "\"" {
                        value.append("\"")
                        rest = rest.dropFirst()
                    } else {
                        value.append(character)
                    }
                }
                rest = rest.dropFirst()
            } else {
                value = String(rest.prefix { $0 != ";" && $0 != " " })
            }
            if key == name { return value }
        }
        return nil
    }
}

extension String {
    fileprivate var trimmed: String {
        String(drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
    }
}

/// What is wrong with a form.
public enum MultipartError: Error, Equatable, Sendable, CustomStringConvertible {
    case noBoundary
    case noName
    case headTooLarge
    /// It ends before its last boundary.
    case brokenOff

    public var description: String {
        switch self {
        case .noBoundary: "the content type of a form names its boundary, of at most 70 bytes"
        case .noName: "a part of the form has no name"
        case .headTooLarge:
            "the head of a part of the form is larger than \(MultipartReader.maximumHeadBytes) bytes"
        case .brokenOff: "the form ends before its last boundary"
        }
    }
}
