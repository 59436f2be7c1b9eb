public import Catalog

/// Something that an operation is done to, or everything below it: the scope of a grant.
///
/// Text form: `node`, `public`, `project:ID`, `namespace:PROJECT/NAME`, `namespace:PROJECT/NAME/DIR/…`,
/// `archive:PROJECT/NAME`. A path is a prefix in whole segments: `photos/2024` contains `photos/2024/a.jpg` and not
/// `photos/2024-old`.
public enum Resource: Hashable, Sendable {
    /// The node and everything in it.
    case node
    /// What is published: anybody may read it.
    case `public`
    case project(ProjectID)
    /// A namespace, or what lies below a path in it.
    case namespace(ProjectID, name: String, path: [String] = [])
    case archiveBucket(ProjectID, name: String)

    /// The most segments of a path.
    public static let maximumSegments = 1024
    /// The most bytes of a text form.
    public static let maximumTextBytes = 8 * 1024

    /// The project that it belongs to; `nil` for the node and for what is public.
    public var project: ProjectID? {
        switch self {
        case .node, .public: nil
        case .project(let project), .namespace(let project, _, _), .archiveBucket(let project, _): project
        }
    }

    /// Whether `other` is the same, or lies below.
    public func contains(_ other: Resource) -> Bool {
        switch (self, other) {
        case (.node, _), (_, .public): true
        case (.project(let project), _): project == other.project
        case (.namespace(let project, let name, let path), .namespace(let other, let otherName, let below)):
            project == other && name == otherName && below.starts(with: path)
        case (.archiveBucket, .archiveBucket): self == other
        default: false
        }
    }
}

extension Resource: CustomStringConvertible {
    /// Reads the text form.
    ///
    /// - Throws: `invalidScope`.
    public init(text: String) throws(AccessError) {
        guard let resource = Self.parse(text) else { throw .invalidScope(String(text.prefix(256))) }
        self = resource
    }

    public var description: String {
        switch self {
        case .node: "node"
        case .public: "public"
        case .project(let project): "project:\(project.rawValue)"
        case .namespace(let project, let name, let path):
            "namespace:" + ([project.rawValue, name] + path).joined(separator: "/")
        case .archiveBucket(let project, let name): "archive:\(project.rawValue)/\(name)"
        }
    }

    private static func parse(_ text: String) -> Resource? {
        guard text.utf8.count <= maximumTextBytes else { return nil }
        if text == "node" { return .node }
        if text == "public" { return .public }
        guard let colon = text.firstIndex(of: ":") else { return nil }
        let segments = text[text.index(after: colon)...].split(
            separator: "/", maxSplits: maximumSegments + 2, omittingEmptySubsequences: false
        ).map(String.init)
        guard segments.count <= maximumSegments + 2, segments.allSatisfy(isName),
            let project = segments.first.flatMap(ProjectID.init(checked:))
        else { return nil }
        switch text[..<colon] {
        case "project" where segments.count == 1: return .project(project)
        case "namespace" where segments.count >= 2:
            return .namespace(project, name: segments[1], path: Array(segments.dropFirst(2)))
        case "archive" where segments.count == 2: return .archiveBucket(project, name: segments[1])
        default: return nil
        }
    }

    /// What a path can be compared by: `.`, `..` and empty segments could mean another place.
    private static func isName(_ segment: String) -> Bool {
        !segment.isEmpty && segment != "." && segment != ".."
            && !segment.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F }
    }
}

extension ProjectID {
    /// An id of small letters, digits, `-` and `_`, at most 64.
    public init?(checked text: String) {
        guard (1...64).contains(text.utf8.count),
            text.utf8.allSatisfy({
                (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D || $0 == 0x5F
            })
        else { return nil }
        self.init(rawValue: text)
    }
}
