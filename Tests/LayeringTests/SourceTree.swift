import Foundation
import TestKit

/// The Swift files of the project, for rules that are about their text.
enum SourceTree {
    struct File: Sendable {
        /// Relative to the project's folder: `Sources/CAR/CARv1Reader.swift`.
        let path: String
        let lines: [String]

        /// The second part of the path: the module.
        var module: String { String(path.split(separator: "/")[1]) }
    }

    static let root = Vectors.directory.deletingLastPathComponent().deletingLastPathComponent()

    /// The modules under `Sources` that hold Swift files.
    static func modules() throws -> [String] {
        Set(try swiftFiles(under: "Sources").map(\.module)).sorted()
    }

    /// Every Swift file below a folder, in the order of paths.
    static func swiftFiles(under folder: String) throws -> [File] {
        let start = root.appendingPathComponent(folder)
        guard let walk = FileManager.default.enumerator(atPath: start.path) else {
            throw CocoaError(.fileReadNoSuchFile, userInfo: [NSFilePathErrorKey: start.path])
        }
        return try walk.compactMap { $0 as? String }.filter { $0.hasSuffix(".swift") }.sorted().map { name in
            let text = try String(contentsOf: start.appendingPathComponent(name), encoding: .utf8)
            return File(
                path: folder + "/" + name,
                lines: text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init))
        }
    }
}

extension SourceTree.File {
    /// The modules that the file imports, with the line of each.
    var imports: [(module: String, line: Int)] {
        lines.enumerated().compactMap { index, line in
            var words = line.split(separator: " ")
            while let first = words.first, first.hasPrefix("@") || Self.importAccess.contains(first) {
                words.removeFirst()
            }
            guard words.count >= 2, words[0] == "import" else { return nil }
            // `import struct Module.Type` names the module second.
            let name = Self.importKinds.contains(words[1]) && words.count > 2 ? words[2] : words[1]
            return (String(name.prefix { $0 != "." && $0 != ";" }), index + 1)
        }
    }

    private static let importAccess: Set<Substring> = [
        "public", "package", "internal", "fileprivate", "private",
    ]
    private static let importKinds: Set<Substring> = [
        "struct", "class", "enum", "protocol", "func", "var", "let", "typealias",
    ]

    /// The line without string literals and without what stands behind `//`: only code is left.
    /// Line `index` within a multi-line literal counts as code; the rules here can live with that.
    func code(at index: Int) -> String {
        var result = ""
        var inString = false
        var escaped = false
        var previous: Character = " "
        for character in lines[index] {
            if inString {
                if character == "\"" && !escaped { inString = false }
                escaped = character == "\\" && !escaped
                continue
            }
            if character == "/" && previous == "/" {
                result.removeLast()
                return result
            }
            if character == "\"" {
                inString = true
                continue
            }
            result.append(character)
            previous = character
        }
        return result
    }

    /// Whether a comment stands in the line, or right above it (attributes between do not count).
    func isExplained(at index: Int) -> Bool {
        if lines[index].contains("// ") { return true }
        var above = index - 1
        while above >= 0, lines[above].trimmingCharacters(in: .whitespaces).hasPrefix("@") { above -= 1 }
        return above >= 0 && lines[above].trimmingCharacters(in: .whitespaces).hasPrefix("//")
    }
}
