import Foundation
import TOMLKit

extension Configuration {
    /// Reads what is set: `nacre.toml` in the data directory if it is there, then the environment.
    ///
    /// - Throws: `ConfigurationError` with file and line; nothing is guessed.
    public static func load(
        dataDirectory: String, environment: [String: String]
    ) throws(ConfigurationError) -> Configuration {
        var configuration = Configuration()
        let file = dataDirectory + "/nacre.toml"
        if FileManager.default.fileExists(atPath: file) {
            guard let data = FileManager.default.contents(atPath: file), data.count <= maximumFileBytes,
                let text = String(data: data, encoding: .utf8)
            else {
                throw .unreadable(file: file, problem: "it must be readable UTF-8 text of at most 1 MiB")
            }
            try configuration.apply(toml: text, file: file)
        }
        try configuration.apply(environment: environment)
        return configuration
    }

    /// The most bytes of a configuration file.
    public static let maximumFileBytes = 1024 * 1024

    mutating func apply(toml text: String, file: String) throws(ConfigurationError) {
        let table: TOMLTable
        do {
            table = try TOMLTable(string: text)
        } catch let error as TOMLParseError {
            throw .syntax(file: file, line: error.source.begin.line, problem: error.description)
        } catch {
            throw .syntax(file: file, line: 1, problem: String(describing: error))
        }
        for (section, value) in table {
            guard let inner = value.table else {
                try apply(key: section, value, text: text, section: nil, file: file)
                continue
            }
            guard !inner.isEmpty || ConfigurationKey.hasSection(section) else {
                throw .unknownKey(
                    section, nearest: ConfigurationKey.nearest(to: section)?.name ?? "",
                    origin: .file(file, line: Self.line(of: "[" + section, section: nil, in: text)))
            }
            for (name, value) in inner {
                try apply(key: section + "." + name, value, text: text, section: section, file: file)
            }
        }
    }

    private mutating func apply(
        key: String, _ value: any TOMLValueConvertible, text: String, section: String?, file: String
    ) throws(ConfigurationError) {
        let origin = Origin.file(file, line: Self.line(of: key, section: section, in: text))
        guard let known = ConfigurationKey.named(key) else {
            throw .unknownKey(key, nearest: ConfigurationKey.nearest(to: key)?.name ?? "", origin: origin)
        }
        let plain =
            value.string ?? value.int.map { String($0) } ?? value.double.map { String($0) }
            ?? value.bool.map { String($0) } ?? (known.shape == .table ? Self.text(of: value.table) : nil)
            ?? (known.shape == .list ? Self.text(of: value.array) : nil)
        guard let plain else {
            throw .badValue(key: key, value: "…", problem: known.shape.demand, origin: origin)
        }
        try set(known, plain, from: origin)
    }

    /// A table of texts as one text, in the order of its keys; `nil` if a value is none.
    private static func text(of table: TOMLTable?) -> String? {
        guard let table else { return nil }
        var pairs: [String] = []
        for (key, value) in table {
            guard let text = value.string else { return nil }
            pairs.append(key + "=" + text)
        }
        return pairs.sorted().joined(separator: ", ")
    }

    /// A list of texts as one text; `nil` if one of them is none, or holds a space.
    private static func text(of list: TOMLArray?) -> String? {
        guard let list else { return nil }
        var words: [String] = []
        for value in list {
            guard let text = value.string, !text.contains(" ") else { return nil }
            words.append(text)
        }
        return words.joined(separator: " ")
    }

    /// Environment variables that begin with `NACRE_` and a section of the configuration.
    mutating func apply(environment: [String: String]) throws(ConfigurationError) {
        let sections = Set(
            ConfigurationKey.all.map { "NACRE_" + $0.name.prefix { $0 != "." }.uppercased() + "_" })
        for (name, value) in environment.sorted(by: { $0.key < $1.key }) {
            if let key = ConfigurationKey.all.first(where: { $0.environmentName == name }) {
                try set(key, value, from: .environment(name))
            } else if sections.contains(where: { name.hasPrefix($0) }) {
                let nearest = ConfigurationKey.all.min {
                    EditDistance.between($0.environmentName, name)
                        < EditDistance.between($1.environmentName, name)
                }
                throw .unknownKey(name, nearest: nearest?.environmentName ?? "", origin: .environment(name))
            }
        }
    }

    /// The line that sets a key: the parser does not tell where values stand.
    private static func line(of key: String, section: String?, in text: String) -> Int {
        let name = section.map { String(key.dropFirst($0.count + 1)) } ?? key
        var isInSection = section == nil
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let trimmed = line.trimmingCharacters(in: .whitespaces)
            if trimmed.hasPrefix("[" + key + "]") { return index + 1 }
            if trimmed.hasPrefix("[") { isInSection = section.map { trimmed.hasPrefix("[\($0)]") } ?? false }
            if isInSection && trimmed.hasPrefix(name) || trimmed.hasPrefix(key) { return index + 1 }
        }
        return 1
    }
}

extension ConfigurationKey.Shape {
    /// What to say of a value of another shape.
    var demand: String {
        switch self {
        case .plain: "must be a text or a number"
        case .list: "must be a list of texts"
        case .table: "must be a table of texts"
        }
    }
}
