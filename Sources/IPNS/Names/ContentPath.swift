public import Multiformats

/// Where a name points: `/ipfs/CID/…` or `/ipns/NAME/…`.
///
/// Segments are as they stand, not percent-encoded. Empty segments do not count; `.` and `..` are refused.
///
/// Spec: ipfs/specs, "IPNS Record", value; dnslink.dev.
public struct ContentPath: Hashable, Sendable {
    /// What a path begins with.
    public enum Root: Hashable, Sendable {
        /// `/ipfs/CID`
        case ipfs(CID)
        /// `/ipns/NAME`, the name of a key in any of its forms.
        case key(PeerID)
        /// `/ipns/DOMAIN`, a name of the DNS.
        case domain(DomainName)
    }

    public let root: Root
    /// What lies below, in UTF-8.
    public let segments: [[UInt8]]

    /// The most bytes of a path.
    public static let maximumBytes = 4096
    /// The most segments of a path.
    public static let maximumSegments = 1024

    /// A path of parts. Segments must be none of those that ``init(_:)`` refuses.
    ///
    /// - Throws: `tooLong`, `badSegment`.
    public init(root: Root, segments: [[UInt8]] = []) throws(ContentPathError) {
        self.root = root
        self.segments = segments
        for segment in segments { try Self.check(segment) }
        guard segments.count <= Self.maximumSegments, byteCount <= Self.maximumBytes else {
            throw .tooLong(maximum: Self.maximumBytes)
        }
    }

    /// A path to a root itself.
    public init(_ cid: CID) {
        root = .ipfs(cid)
        segments = []
    }

    /// A path to a name itself.
    public init(_ name: PeerID) {
        root = .key(name)
        segments = []
    }

    /// Reads the text of a path.
    public init(_ bytes: [UInt8]) throws(ContentPathError) {
        guard bytes.count <= Self.maximumBytes else { throw .tooLong(maximum: Self.maximumBytes) }
        guard String(validating: bytes, as: UTF8.self) != nil else { throw .notText }
        let parts = bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard parts.count >= 3, parts[0].isEmpty, !parts[2].isEmpty else { throw .notAPath }
        let name = String(decoding: parts[2], as: UTF8.self)
        switch String(decoding: parts[1], as: UTF8.self) {
        case "ipfs":
            do {
                root = .ipfs(try CID(text: name))
            } catch {
                throw .badCID(error)
            }
        case "ipns": root = try Self.ipnsRoot(name)
        default: throw .notAPath
        }
        segments = parts.dropFirst(3).filter { !$0.isEmpty }.map(Array.init)
        // The one form can be longer than what was given: roots come in bases of all widths.
        guard segments.count <= Self.maximumSegments, byteCount <= Self.maximumBytes else {
            throw .tooLong(maximum: Self.maximumBytes)
        }
        for segment in segments { try Self.check(segment) }
    }

    /// Reads the text of a path.
    public init(text: String) throws(ContentPathError) { try self.init(Array(text.utf8)) }

    /// What stands behind `/ipns/`: a key has no point in it, a domain has.
    public static func ipnsRoot(_ name: String) throws(ContentPathError) -> Root {
        if name.utf8.contains(UInt8(ascii: ".")) {
            guard let domain = DomainName(name) else { throw .badDomain }
            return .domain(domain)
        }
        do {
            return .key(try PeerID(text: name))
        } catch {
            throw .badName(error)
        }
    }

    /// The path with more segments below.
    public func appending(_ more: [[UInt8]]) throws(ContentPathError) -> ContentPath {
        try ContentPath(root: root, segments: segments + more)
    }

    private var byteCount: Int { segments.reduce(rootText.utf8.count) { $0 + 1 + $1.count } }

    private static func check(_ segment: [UInt8]) throws(ContentPathError) {
        let point = UInt8(ascii: ".")
        guard !segment.isEmpty, segment != [point], segment != [point, point], !segment.contains(0),
            !segment.contains(UInt8(ascii: "/")), String(validating: segment, as: UTF8.self) != nil
        else { throw .badSegment }
    }

    private var rootText: String {
        switch root {
        case .ipfs(let cid): "/ipfs/\(cid)"
        case .key(let name): "/ipns/\(name.ipnsName)"
        case .domain(let domain): "/ipns/\(domain)"
        }
    }
}

extension ContentPath: CustomStringConvertible {
    /// The path in its one form: keys as CIDs in base36, no slash at the end.
    public var description: String {
        rootText + segments.map { "/" + String(decoding: $0, as: UTF8.self) }.joined()
    }
}

/// Why a text is not a path to content.
public enum ContentPathError: Error, Equatable, Sendable {
    case notText
    /// It does not begin with `/ipfs/` or `/ipns/` and a root.
    case notAPath
    case badCID(CIDError)
    case badName(CIDError)
    case badDomain
    /// Empty, `.`, `..`, or with a NUL or slash.
    case badSegment
    case tooLong(maximum: Int)
}

extension ContentPathError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .notText: "a path must be UTF-8"
        case .notAPath: "a path begins with /ipfs/CID or /ipns/NAME"
        case .badCID(let error): "the root of the path is no CID: \(error)"
        case .badName(let error): "the path names no key: \(error)"
        case .badDomain:
            "the path names no domain: labels of letters, digits and hyphens, at most 253 characters"
        case .badSegment: "a path has a part that is empty, . or .., or holds a zero byte"
        case .tooLong(let maximum): "a path of more than \(maximum) bytes or too many parts is refused"
        }
    }
}
