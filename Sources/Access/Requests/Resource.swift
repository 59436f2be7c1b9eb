public import Catalog
public import TreeValues

/// Something that an operation is done to, or everything below it: the scope of a grant.
///
/// Text form: `node`, `public`, `project:ID`, `namespace:PROJECT/NAME`, `namespace:PROJECT/NAME/DIR/…`,
/// `tree:PROJECT/NAMESPACE/NODE`, `archive:PROJECT/NAME`. `@` and the id of a namespace stand in the place
/// of its name: then it is meant whatever it is called. A path is a prefix in whole segments: `photos/2024`
/// contains `photos/2024/a.jpg` and not `photos/2024-old`.
public enum Resource: Hashable, Sendable {
    /// The node and everything in it.
    case node
    /// What is published: anybody may read it.
    case `public`
    case project(ProjectID)
    /// A namespace, or what lies below a path in it.
    case namespace(ProjectID, name: String, path: [String] = [])
    /// A namespace that was looked up, under its id as under its name: what is asked about, never a scope.
    case openNamespace(ProjectID, id: NamespaceID, name: String)
    /// A file or directory of a namespace with what is below it, wherever it is moved: what a link leads
    /// to.
    case treeNode(ProjectID, namespace: NamespaceID, node: NodeID)
    case archiveBucket(ProjectID, name: String)

    /// The most segments of a path.
    public static let maximumSegments = 1024
    /// The most bytes of a text form.
    public static let maximumTextBytes = 8 * 1024

    /// The project that it belongs to; `nil` for the node and for what is public.
    public var project: ProjectID? {
        switch self {
        case .node, .public: nil
        case .project(let project), .namespace(let project, _, _), .openNamespace(let project, _, _),
            .treeNode(let project, _, _), .archiveBucket(let project, _):
            project
        }
    }

    /// Whether `other` is the same, or lies below.
    public func contains(_ other: Resource) -> Bool {
        switch (self, other) {
        case (.node, _), (_, .public): true
        case (.project(let project), _): project == other.project
        case (.namespace(let project, let name, let path), .namespace(let other, let otherName, let below)):
            project == other && name == otherName && below.starts(with: path)
        case (.namespace(let project, let name, let path), .openNamespace(let other, let id, let otherName)):
            project == other && path.isEmpty && (name == otherName || name == Self.name(of: id))
        case (.namespace(let project, let name, let path), .treeNode(let other, let id, _)):
            project == other && path.isEmpty && name == Self.name(of: id)
        case (.archiveBucket, .archiveBucket), (.treeNode, .treeNode): self == other
        default: false
        }
    }

    /// The same of another project.
    package func moved(to project: ProjectID) -> Resource {
        switch self {
        case .node, .public: self
        case .project: .project(project)
        case .namespace(_, let name, let path): .namespace(project, name: name, path: path)
        case .openNamespace(_, let id, let name): .openNamespace(project, id: id, name: name)
        case .treeNode(_, let namespace, let node): .treeNode(project, namespace: namespace, node: node)
        case .archiveBucket(_, let name): .archiveBucket(project, name: name)
        }
    }

    /// What stands for a namespace in a scope, whatever it is called: no name has an `@`.
    static func name(of id: NamespaceID) -> String { "@" + id.text }

    /// The namespace that the scope is a part of, where it is told by its id.
    var namespaceID: NamespaceID? {
        switch self {
        case .namespace(_, let name, _) where name.hasPrefix("@"):
            try? NamespaceID(text: String(name.dropFirst()))
        case .openNamespace(_, let id, _), .treeNode(_, let id, _): id
        default: nil
        }
    }
}

extension Namespace {
    /// The namespace as what is asked about.
    public var resource: Resource { .openNamespace(project, id: id, name: name) }
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
        case .openNamespace(let project, _, let name): "namespace:\(project.rawValue)/\(name)"
        case .treeNode(let project, let namespace, let node):
            "tree:\(project.rawValue)/\(namespace.text)/\(node.text)"
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
        case "tree" where segments.count == 3:
            guard let namespace = try? NamespaceID(text: segments[1]),
                let node = try? NodeID(text: segments[2])
            else { return nil }
            return .treeNode(project, namespace: namespace, node: node)
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
