import Foundation
import TestKit
import Testing

/// What `--help` looks like on a terminal of 80 columns.
@Suite struct HelpTests {
    private static let nacre: NacreProcess = {
        var nacre = NacreProcess(data: "/nonexistent")
        nacre.environment["COLUMNS"] = "80"
        return nacre
    }()

    /// Every verb there is, as the program describes itself.
    static let verbs: [[String]] = {
        guard let dump = try? nacre.run("--experimental-dump-help"),
            let object = try? JSONSerialization.jsonObject(with: Data(dump.output)) as? [String: Any],
            let root = object["command"] as? [String: Any]
        else { return [] }
        var verbs: [[String]] = []
        var waiting: [([String], [String: Any])] = [([], root)]
        while let (path, command) = waiting.popLast() {
            verbs.append(path)
            for child in command["subcommands"] as? [[String: Any]] ?? [] {
                guard let name = child["commandName"] as? String, name != "help" else { continue }
                waiting.append((path + [name], child))
            }
        }
        return verbs
    }()

    /// A text that has line ends of its own within a paragraph is wrapped twice: every other line is short.
    @Test func noLineOfAParagraphEndsEarly() throws {
        #expect(Self.verbs.count > 50)
        for verb in Self.verbs {
            let help = try Self.nacre.run(verb + ["--help"])
            #expect(help.status == 0, "\(verb): \(help.errors)")
            let lines = help.text.split(separator: "\n", omittingEmptySubsequences: false)
            for (line, next) in zip(lines, lines.dropFirst()) where !line.hasPrefix("USAGE:") {
                #expect(line.count <= 80, "\(verb): \(line)")
                guard Self.goesOn(line, in: next) else { continue }
                let word = next.drop { $0 == " " }.prefix { $0 != " " }
                #expect(line.count + 1 + word.count > 78, "nacre \(verb.joined(separator: " ")): \(line)")
            }
        }
    }

    /// Whether a line is the same paragraph as the one before, or the same column of text beside a label.
    private static func goesOn(_ line: Substring, in next: Substring) -> Bool {
        let indentation = next.prefix { $0 == " " }.count
        guard !line.isEmpty, !line.hasSuffix(":"), next.dropFirst(indentation).first?.isLowercase == true
        else { return false }
        if indentation == 0 { return line.first != " " }
        // A label that is as long as its column stands on a line of its own.
        return indentation >= 20 && line.count > indentation
    }
}
