/// How the body of a message is packed for its way. Spec: RFC 9110 section 8.4; RFC 1952, RFC 8878.
public enum ContentCoding: String, CaseIterable, Hashable, Sendable {
    /// Packs some 500 MB a second on one core.
    case zstd
    case gzip

    /// What is said of bodies that can be read, the best first.
    public static let accepted = allCases.map(\.rawValue).joined(separator: ", ")

    /// The coding that a `Content-Encoding` names; `nil` if it is none of these, or several.
    public init?(header: String) {
        let word = header.lowercased().filter { $0 != " " && $0 != "\t" }
        self.init(rawValue: word == "x-gzip" ? "gzip" : word)
    }

    /// The best coding that an `Accept-Encoding` allows by its name; `nil` for none of them.
    ///
    /// `*` counts for none: who can read these says so.
    public static func best(accepting header: String) -> ContentCoding? {
        let weights = weights(header)
        var best: (ContentCoding, Double)?
        for coding in allCases {
            if let weight = weights[coding.rawValue], weight > best?.1 ?? 0 { best = (coding, weight) }
        }
        return best?.0
    }

    /// Whether an `Accept-Encoding` says that a body is better not packed, though it may be: of one that is
    /// long, that counts.
    public static func prefersPlain(_ header: String) -> Bool {
        let weights = weights(header)
        guard let plain = weights["identity"] else { return false }
        return allCases.allSatisfy { weights[$0.rawValue] ?? 0 < plain }
    }

    /// Bodies of up to so many bytes cost nearly nothing to be packed.
    public static let shortBytes = 16 * 1024

    /// How much each coding is wanted, by its name.
    private static func weights(_ header: String) -> [String: Double] {
        var weights: [String: Double] = [:]
        for part in header.split(separator: ",").prefix(32) {
            let fields = part.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" } }
            guard let field = fields.first else { continue }
            let name = ContentCoding(header: String(field))?.rawValue ?? field.lowercased()
            let weight = fields.dropFirst().first { $0.lowercased().hasPrefix("q=") }
            weights[name] = weight.map { Double($0.dropFirst(2)) ?? 0 } ?? 1
        }
        return weights
    }

    /// Whether packing pays: some of the bytes are packed, and lose a tenth at least.
    ///
    /// Looks at 16 KiB at the beginning, in the middle and at the end. What is short is not worth it.
    public func pays(for bytes: [UInt8]) -> Bool {
        guard bytes.count >= Self.shortest else { return false }
        let sample: [UInt8]
        if bytes.count <= 3 * Self.sampleBytes {
            sample = bytes
        } else {
            let middle = (bytes.count - Self.sampleBytes) / 2
            sample =
                Array(bytes.prefix(Self.sampleBytes)) + bytes[middle..<middle + Self.sampleBytes]
                + bytes.suffix(Self.sampleBytes)
        }
        guard let packed = try? compress(sample) else { return false }
        return packed.count * 10 <= sample.count * 9
    }

    private static let shortest = 512
    private static let sampleBytes = 16 * 1024
}

/// Why bytes could not be packed or unpacked.
public enum ContentCodingError: Error, Hashable, Sendable {
    /// They are not what the coding says.
    case damaged(ContentCoding)
    /// They end before their end.
    case truncated(ContentCoding)
    /// They unpack to more than is allowed.
    case tooLarge(maximum: Int)
    /// Something follows behind their end.
    case trailing(ContentCoding)
    case outOfMemory
}

extension ContentCodingError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .damaged(let coding): "the body is not the \(coding.rawValue) that it is said to be"
        case .truncated(let coding): "the body ends before its \(coding.rawValue) does"
        case .tooLarge(let maximum): "the body unpacks to more than \(maximum) bytes"
        case .trailing(let coding): "something follows behind the \(coding.rawValue) of the body"
        case .outOfMemory: "there is no memory to pack or unpack a body"
        }
    }
}
