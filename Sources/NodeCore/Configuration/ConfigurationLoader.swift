import Foundation
import TOMLKit

extension Configuration {
    /// Reads what is set: `nacre.toml` in the data directory if it is there, then the environment.
    ///
    /// - Throws: `ConfigurationError` with file and line; nothing is guessed.
    public static func load(
        dataDirectory: String, environment: [String: String]
    ) throws(ConfigurationError) -> Configuration {
        let (configuration, mistakes) = examine(dataDirectory: dataDirectory, environment: environment)
        if let first = mistakes.first { throw first }
        return configuration
    }

    /// As ``load(dataDirectory:environment:)``, with every mistake that can be seen, in the order of the
    /// file and then of the environment. What is wrong has its default.
    public static func examine(
        dataDirectory: String, environment: [String: String]
    ) -> (Configuration, mistakes: [ConfigurationError]) {
        var configuration = Configuration()
        var mistakes: [ConfigurationError] = []
        let file = dataDirectory + "/nacre.toml"
        if FileManager.default.fileExists(atPath: file) {
            if let data = FileManager.default.contents(atPath: file), data.count <= maximumFileBytes,
                let text = String(data: data, encoding: .utf8)
            {
                do throws(ConfigurationError) {
                    mistakes += try configuration.apply(toml: text, file: file)
                } catch {
                    mistakes.append(error)
                }
            } else {
                mistakes.append(
                    .unreadable(file: file, problem: "it must be readable UTF-8 text of at most 1 MiB"))
            }
        }
        mistakes.sort { ($0.line ?? 0) < ($1.line ?? 0) }
        mistakes += configuration.apply(environment: environment)
        return (configuration, mistakes)
    }

    /// The most bytes of a configuration file.
    public static let maximumFileBytes = 1024 * 1024

    /// - Returns: what is wrong with single settings.
    /// - Throws: `syntax`: then nothing of the file can be read.
    mutating func apply(toml text: String, file: String) throws(ConfigurationError) -> [ConfigurationError] {
        let table: TOMLTable
        do {
            table = try TOMLTable(string: text)
        } catch let error as TOMLParseError {
            throw .syntax(file: file, line: error.source.begin.line, problem: error.description)
        } catch {
            throw .syntax(file: file, line: 1, problem: String(describing: error))
        }
        var mistakes: [ConfigurationError] = []
        for (section, value) in table {
            guard let inner = value.table else {
                if let mistake = apply(key: section, value, text: text, section: nil, file: file) {
                    mistakes.append(mistake)
                }
                continue
            }
            if inner.isEmpty, !ConfigurationKey.hasSection(section) {
                let origin = Origin.file(file, line: Self.line(of: "[" + section, section: nil, in: text))
                let nearest = ConfigurationKey.nearest(to: section)?.name ?? ""
                mistakes.append(.unknownKey(section, nearest: nearest, origin: origin))
            }
            for (name, value) in inner {
                let key = section + "." + name
                if let mistake = apply(key: key, value, text: text, section: section, file: file) {
                    mistakes.append(mistake)
                }
            }
        }
        return mistakes
    }

    private mutating func apply(
        key: String, _ value: any TOMLValueConvertible, text: String, section: String?, file: String
    ) -> ConfigurationError? {
        let origin = Origin.file(file, line: Self.line(of: key, section: section, in: text))
        guard let known = ConfigurationKey.named(key) else {
            return .unknownKey(key, nearest: ConfigurationKey.nearest(to: key)?.name ?? "", origin: origin)
        }
        let plain =
            value.string ?? value.int.map { String($0) } ?? value.double.map { String($0) }
            ?? value.bool.map { String($0) } ?? (known.shape == .table ? Self.text(of: value.table) : nil)
            ?? (known.shape == .list ? Self.text(of: value.array) : nil)
        guard let plain else {
            return .badValue(key: key, value: "…", problem: known.shape.demand, origin: origin)
        }
        return mistake(known, plain, from: origin)
    }

    /// Sets a value, or says what is wrong with it.
    private mutating func mistake(_ key: ConfigurationKey, _ text: String, from origin: Origin)
        -> ConfigurationError?
    {
        do throws(ConfigurationError) {
            try set(key, text, from: origin)
            return nil
        } catch {
            return error
        }
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
    mutating func apply(environment: [String: String]) -> [ConfigurationError] {
        var mistakes: [ConfigurationError] = []
        for (name, value) in environment.sorted(by: { $0.key < $1.key }) {
            if let key = ConfigurationKey.all.first(where: { $0.environmentName == name }) {
                if let mistake = mistake(key, value, from: .environment(name)) { mistakes.append(mistake) }
            } else if Self.isInSection(name) {
                let nearest = ConfigurationKey.all.min {
                    EditDistance.between($0.environmentName, name)
                        < EditDistance.between($1.environmentName, name)
                }
                mistakes.append(
                    .unknownKey(
                        name, nearest: nearest?.environmentName ?? "", origin: .environment(name)))
            }
        }
        return mistakes
    }

    /// Variables that look like settings and are none, each with the name that is nearest: one whose
    /// section is mistyped sets nothing. They are no mistakes to stop at, since what begins with `NACRE_`
    /// may be somebody else's: Kubernetes names variables after services.
    ///
    /// - Returns: `unknownKey`, in the order of the names. Values are not looked at.
    public static func strayVariables(in environment: [String: String]) -> [ConfigurationError] {
        let known = ConfigurationKey.all.map(\.environmentName) + otherVariables
        return environment.keys.sorted().compactMap { name in
            guard name.hasPrefix("NACRE_"), !known.contains(name), !isInSection(name) else { return nil }
            let nearest = known.min {
                EditDistance.between($0, name) < EditDistance.between($1, name)
            }
            return .unknownKey(name, nearest: nearest ?? "", origin: .environment(name))
        }
    }

    /// Variables of the command line that are no settings.
    private static let otherVariables = [
        "NACRE_DATA", "NACRE_NODE", "NACRE_TOKEN", "NACRE_NODE_CA", "NACRE_SYNC_HOME",
    ]

    /// Whether a variable begins with a section there is.
    private static func isInSection(_ name: String) -> Bool {
        ConfigurationKey.all.contains {
            name.hasPrefix("NACRE_" + $0.name.prefix { $0 != "." }.uppercased() + "_")
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
