public import BlockStorage
public import Catalog
public import IPNS

/// Everything that can be set: flags over environment over `nacre.toml` over defaults.
///
/// Each value knows where it came from. A key is `section.name`; in the environment `NACRE_SECTION_NAME`.
public struct Configuration: Sendable {
    /// One setting as it is in force.
    public struct Value: Equatable, Sendable {
        public let text: String
        public let origin: Origin
    }

    /// Where a value comes from.
    public enum Origin: Equatable, Sendable, CustomStringConvertible {
        case `default`
        case file(String, line: Int)
        case environment(String)

        public var description: String {
            switch self {
            case .default: "default"
            case .file(let path, let line): "\(path):\(line)"
            case .environment(let name): name
            }
        }
    }

    /// All keys with the values in force.
    public private(set) var values: [String: Value]

    /// The defaults.
    public init() {
        values = Dictionary(
            uniqueKeysWithValues: ConfigurationKey.all.map {
                ($0.name, Value(text: $0.defaultText, origin: .default))
            })
    }

    /// The value in force of a key that exists.
    public subscript(key: ConfigurationKey) -> String { values[key.name]?.text ?? key.defaultText }

    /// - Throws: `ConfigurationError` for a value that the key cannot have.
    public mutating func set(_ key: ConfigurationKey, _ text: String, from origin: Origin)
        throws(ConfigurationError)
    {
        if let problem = key.problem(with: text) {
            throw .badValue(key: key.name, value: key.shown(text), problem: problem, origin: origin)
        }
        values[key.name] = Value(text: text, origin: origin)
    }

    /// Gives a key the value that it has in another configuration.
    public mutating func keep(_ key: ConfigurationKey, of other: Configuration) {
        values[key.name] = other.values[key.name]
    }

    // Typed views of values that `set` has checked.

    public var durability: Durability { Durability(rawValue: self[.durability]) ?? .group }
    public var reserveBytes: Int64 { ByteCount.parse(self[.reserve]) ?? 64 * 1024 * 1024 }
    public var packBytes: Int64 { ByteCount.parse(self[.packSize]) ?? 256 * 1024 * 1024 }
    public var grace: Duration { DurationText.parse(self[.grace]) ?? .seconds(86400) }
    public var maximumUnusedShare: Double { (Double(self[.maximumUnused].dropLast()) ?? 5) / 100 }
    public var dnsLinks: [DomainName: ContentPath] { DNSLinkTable.parse(self[.dnsLinks]) ?? [:] }
    public var threads: Int { Int(self[.threads]) ?? 0 }
    /// Where the catalog is; `nil` for the data directory.
    public var catalogURL: PostgreSQLURL? { PostgreSQLURL(self[.catalogURL]) }
    public var catalogConnections: Int { Int(self[.catalogConnections]) ?? 8 }
}

/// One thing that can be set.
public struct ConfigurationKey: Sendable {
    public let name: String
    public let defaultText: String
    /// One line for `nacre config default`.
    public let help: String
    let shape: Shape
    /// Whether a value is an address that may hold a password.
    private let hidesPassword: Bool
    private let check: @Sendable (String) -> String?

    /// What a key is in the file.
    enum Shape: Sendable {
        /// One text or number.
        case plain
        /// Words; as one text separated by spaces, in the file also a list of texts.
        case list
        /// A table of texts; as one text `key=value, key=value`.
        case table
    }

    init(
        name: String, defaultText: String, help: String, shape: Shape = .plain, hidesPassword: Bool = false,
        check: @escaping @Sendable (String) -> String?
    ) {
        self.name = name
        self.defaultText = defaultText
        self.help = help
        self.shape = shape
        self.hidesPassword = hidesPassword
        self.check = check
    }

    /// How a value is shown: without the secrets in it.
    public func shown(_ text: String) -> String { hidesPassword ? PostgreSQLURL.masked(text) : text }

    /// What is wrong with a value; `nil` if nothing.
    public func problem(with text: String) -> String? { check(text) }

    public static let durability = ConfigurationKey(
        name: "store.durability", defaultText: "group",
        help:
            "group: a commit survives power loss, many share one sync; always: every put does; "
            + "os: a crash of the machine may lose the last seconds"
    ) { Durability(rawValue: $0) == nil ? "must be group, always or os" : nil }
    public static let packSize = ConfigurationKey(
        name: "store.pack_size", defaultText: "256MiB",
        help: "a pack is sealed when it has this size (1MiB to 4GiB)"
    ) {
        guard let bytes = ByteCount.parse($0) else { return "must be a size such as 256MiB" }
        return (1 << 20...4 << 30).contains(bytes) ? nil : "must be between 1MiB and 4GiB"
    }
    public static let reserve = ConfigurationKey(
        name: "store.reserve", defaultText: "64MiB",
        help:
            "free space that writing leaves alone, so that reading, removing and collecting still work on a full disk"
    ) { ByteCount.parse($0) == nil ? "must be a size such as 64MiB" : nil }
    public static let grace = ConfigurationKey(
        name: "gc.grace", defaultText: "24h", help: "unpinned blocks younger than this are kept by `nacre gc`"
    ) { DurationText.parse($0) == nil ? "must be a length of time such as 24h or 30d" : nil }
    public static let maximumUnused = ConfigurationKey(
        name: "gc.max_unused", defaultText: "5%",
        help: "packs are rewritten until no more than this share of the store is dead"
    ) {
        guard $0.hasSuffix("%"), let share = Double($0.dropLast()), (0...100).contains(share) else {
            return "must be a share from 0% to 100%"
        }
        return nil
    }
    public static let profile = ConfigurationKey(
        name: "import.profile", defaultText: "unixfs-v1-2025",
        help: "import profile: unixfs-v1-2025 or unixfs-v0-2015"
    ) {
        ["unixfs-v1-2025", "unixfs-v0-2015"].contains($0) ? nil : "must be unixfs-v1-2025 or unixfs-v0-2015"
    }
    public static let visibility = ConfigurationKey(
        name: "import.visibility", defaultText: "public", help: "visibility of new pins: public or private"
    ) { ["public", "private"].contains($0) ? nil : "must be public or private" }
    public static let dnsLinks = ConfigurationKey(
        name: "gateway.dnslink", defaultText: "",
        help:
            "domains that are answered from here and not from the DNS: a table of domain = \"/ipfs/…\" or \"/ipns/…\", "
            + "or a text domain=/ipfs/…, domain=/ipns/…",
        shape: .table
    ) { DNSLinkTable.problem(with: $0) }
    public static let threads = ConfigurationKey(
        name: "import.threads", defaultText: "0",
        help: "threads that read, hash and store; 0 means one a core"
    ) { (Int($0).map { (0...256).contains($0) } ?? false) ? nil : "must be a number from 0 to 256" }

    public static let catalogURL = ConfigurationKey(
        name: "catalog.url", defaultText: "",
        help:
            "where the catalog is: empty for SQLite in the data directory, or "
            + "postgresql://USER:PASSWORD@HOST/DATABASE",
        hidesPassword: true
    ) { $0.isEmpty || PostgreSQLURL($0) != nil ? nil : PostgreSQLURL.form }
    public static let catalogConnections = ConfigurationKey(
        name: "catalog.connections", defaultText: "8",
        help: "connections to PostgreSQL at most; one of them writes (2 to 1000)"
    ) { (Int($0).map { (2...1000).contains($0) } ?? false) ? nil : "must be a number from 2 to 1000" }

    /// Every key, in the order of `nacre config show`.
    public static let all: [ConfigurationKey] =
        [
            // First: what is in no table must stand before them.
            .roles, .durability, .packSize, .reserve, .grace, .maximumUnused, .profile, .visibility, .threads,
            .catalogURL, .catalogConnections,
        ] + ofServer

    /// The key of a name, if there is one.
    public static func named(_ name: String) -> ConfigurationKey? { all.first { $0.name == name } }

    /// Whether any key is in a section.
    static func hasSection(_ name: String) -> Bool { all.contains { $0.name.hasPrefix(name + ".") } }

    /// The known key that a mistyped one is nearest to.
    public static func nearest(to name: String) -> ConfigurationKey? {
        all.min { EditDistance.between($0.name, name) < EditDistance.between($1.name, name) }
    }

    /// The table of the file that it is in; `nil` for a key that stands before all tables.
    public var section: String? { name.contains(".") ? String(name.prefix { $0 != "." }) : nil }

    /// The name in that table.
    public var nameInSection: String { section.map { String(name.dropFirst($0.count + 1)) } ?? name }

    /// The default as it stands in the file.
    public var defaultInFile: String {
        guard shape == .list else { return "\"\(defaultText)\"" }
        return "[" + defaultText.split(separator: " ").map { "\"\($0)\"" }.joined(separator: ", ") + "]"
    }

    /// The name in the environment: `store.pack_size` is `NACRE_STORE_PACK_SIZE`.
    public var environmentName: String {
        "NACRE_" + name.uppercased().map { $0 == "." ? "_" : String($0) }.joined()
    }
}

/// Why a configuration cannot be used.
public enum ConfigurationError: Error, Equatable, Sendable {
    case unknownKey(String, nearest: String, origin: Configuration.Origin)
    case badValue(key: String, value: String, problem: String, origin: Configuration.Origin)
    case syntax(file: String, line: Int, problem: String)
    case unreadable(file: String, problem: String)
}

extension ConfigurationError {
    /// The line of the file, if it is one of the file.
    var line: Int? {
        switch self {
        case .unknownKey(_, _, .file(_, let line)), .badValue(_, _, _, .file(_, let line)),
            .syntax(_, let line, _):
            line
        case .unknownKey, .badValue, .unreadable: nil
        }
    }
}

extension ConfigurationError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unknownKey(let key, let nearest, let origin):
            "\(origin): there is no setting \(key); did you mean \(nearest)?"
        case .badValue(let key, let value, let problem, let origin):
            "\(origin): \(key) = \(value): \(problem)"
        case .syntax(let file, let line, let problem): "\(file):\(line): \(problem)"
        case .unreadable(let file, let problem): "cannot read \(file): \(problem)"
        }
    }
}
