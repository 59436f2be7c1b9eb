import Foundation

/// What is allowed in a namespace, and how long what was there is kept.
public struct NamespacePolicy: Hashable, Sendable, Codable {
    /// Which names its nodes may have.
    public var names = NameStyle.files
    /// Whether two names that differ by case or Unicode form only are two names. Matters under `files`.
    public var letterCase = LetterCase.insensitive
    /// What folders do with a text that was changed on two machines.
    public var merge = MergeStyle.none
    public var history = History()
    /// The most bytes of live content; `nil` for no limit.
    public var maximumBytes: Int64?
    /// The most live nodes.
    public var maximumNodes: Int64 = 50_000_000

    /// Which names nodes may have.
    public enum NameStyle: String, Codable, CaseIterable, Hashable, Sendable {
        /// What file systems can hold.
        case files
        /// What S3 allows: empty names, and a file and a directory of one name.
        case objects
    }

    /// What makes two names of one directory the same.
    public enum LetterCase: String, Codable, CaseIterable, Hashable, Sendable {
        case sensitive
        case insensitive
    }

    /// What becomes of a text that was changed on two machines at once.
    public enum MergeStyle: String, Codable, CaseIterable, Hashable, Sendable {
        /// One version keeps the name, the other becomes a conflict copy.
        case none
        /// Where the changed lines do not touch, both changes go into one version.
        case lines
    }

    /// How long versions are kept that are not the newest.
    public struct History: Hashable, Sendable, Codable {
        /// Every version, so many seconds.
        public var all: Int64 = 30 * 24 * 3600
        /// After that the last version of each day, so many seconds more.
        public var daily: Int64 = 90 * 24 * 3600

        public init() {}

        enum CodingKeys: String, CodingKey, CaseIterable {
            case all, daily
        }

        public init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: CodingKeys.self)
            let standard = History()
            all = try values.decodeIfPresent(Int64.self, forKey: .all) ?? standard.all
            daily = try values.decodeIfPresent(Int64.self, forKey: .daily) ?? standard.daily
        }
    }

    public init() {}

    enum CodingKeys: String, CodingKey, CaseIterable {
        case names
        case letterCase = "case"
        case merge, history, maximumBytes, maximumNodes
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        let standard = NamespacePolicy()
        names = try values.decodeIfPresent(NameStyle.self, forKey: .names) ?? standard.names
        letterCase = try values.decodeIfPresent(LetterCase.self, forKey: .letterCase) ?? standard.letterCase
        merge = try values.decodeIfPresent(MergeStyle.self, forKey: .merge) ?? standard.merge
        history = try values.decodeIfPresent(History.self, forKey: .history) ?? standard.history
        maximumBytes = try values.decodeIfPresent(Int64.self, forKey: .maximumBytes)
        maximumNodes =
            try values.decodeIfPresent(Int64.self, forKey: .maximumNodes) ?? standard.maximumNodes
    }

    /// As it stands in the catalog.
    public var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Numbers, words and booleans: there is nothing that cannot be encoded.
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }

    /// Reads what ``json`` wrote; members that are missing have their defaults.
    ///
    /// - Throws: `NamespaceError.policyInvalid`.
    public init(json: String) throws(NamespaceError) {
        do {
            self = try JSONDecoder().decode(NamespacePolicy.self, from: Data(json.utf8))
        } catch {
            throw .policyInvalid(Self.reason(error))
        }
        if history.all < 0 || history.daily < 0 {
            throw .policyInvalid("history is kept for no less than 0 s")
        }
        if maximumNodes < 0 || (maximumBytes ?? 0) < 0 { throw .policyInvalid("a limit is below 0") }
    }

    /// Reads a policy as somebody wrote it: a member that is not known is a mistake, where in a catalog a
    /// later version may have written it.
    ///
    /// - Throws: `NamespaceError.policyInvalid`.
    public init(checking json: String) throws(NamespaceError) {
        guard let object = try? JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any] else {
            throw .policyInvalid("it is to be a map in JSON")
        }
        try Self.check(object.keys, CodingKeys.allCases.map(\.stringValue), "")
        if let history = object["history"] as? [String: Any] {
            try Self.check(history.keys, History.CodingKeys.allCases.map(\.stringValue), "history.")
        }
        try self.init(json: json)
    }

    private static func check(
        _ given: some Sequence<String>, _ known: [String], _ place: String
    ) throws(NamespaceError) {
        guard let unknown = given.sorted().first(where: { !known.contains($0) }) else { return }
        throw .policyInvalid(
            "\(place)\(unknown.prefix(100)) is no member of it; there are "
                + known.sorted().map { place + $0 }.joined(separator: ", "))
    }

    /// What is wrong, and where.
    private static func reason(_ error: any Error) -> String {
        let path: [any CodingKey]
        switch error as? DecodingError {
        case .typeMismatch(_, let context)?, .valueNotFound(_, let context)?, .dataCorrupted(let context)?,
            .keyNotFound(_, let context)?:
            path = context.codingPath
        default: path = []
        }
        let place = path.map(\.stringValue).joined(separator: ".")
        return switch place {
        case "": "it is to be a map in JSON"
        case "names": "names are " + words(NameStyle.self)
        case "case": "case is " + words(LetterCase.self)
        case "merge": "merge is " + words(MergeStyle.self)
        case "history": "history is a map of all and daily"
        default: "\(place) is to be a whole number"
        }
    }

    private static func words<Word: CaseIterable & RawRepresentable>(_ type: Word.Type) -> String
    where Word.RawValue == String {
        type.allCases.map(\.rawValue).joined(separator: " or ")
    }
}
