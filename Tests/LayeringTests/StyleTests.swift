import Foundation
import TestKit
import Testing

/// What can be checked of the style by reading lines.
@Suite struct StyleTests {
    static let maximumColumns = 110
    /// Prose may run a little further than code.
    static let maximumCommentColumns = 120

    @Test(arguments: ["Sources", "Tests"])
    func linesFitTheScreen(folder: String) throws {
        for file in try SourceTree.swiftFiles(under: folder) {
            for (index, line) in file.lines.enumerated() where line.count > Self.maximumColumns {
                // A literal that cannot be broken without changing what it says may stand over the edge.
                let isComment = line.trimmingCharacters(in: .whitespaces).hasPrefix("//")
                if isComment && line.count <= Self.maximumCommentColumns { continue }
                if line.contains("\"") && line.count <= Self.maximumColumns + 40 { continue }
                Issue.record(
                    "\(file.path):\(index + 1) has \(line.count) columns, \(Self.maximumColumns) fit")
            }
        }
    }

    @Test(arguments: ["Sources", "Tests"])
    func aModuleIsImportedOnce(folder: String) throws {
        for file in try SourceTree.swiftFiles(under: folder) {
            var seen: Set<String> = []
            for line in file.lines {
                let words = line.split(separator: " ")
                guard let index = words.firstIndex(of: "import"), index < 2, line.first != " " else {
                    continue
                }
                let imported = words[index...].joined(separator: " ")
                #expect(seen.insert(imported).inserted, "\(file.path) has `\(imported)` twice")
            }
        }
    }

    @Test func publicTypesAndFunctionsAreDocumented() throws {
        let files = try SourceTree.swiftFiles(under: "Sources")
        let demanded = Set(files.flatMap(\.protocolFunctions)).union(Self.demandedByTheStandardLibrary)
        for file in files {
            for (index, line) in file.lines.enumerated() {
                guard let declared = PublicDeclaration(line), !demanded.contains(declared.name) else {
                    continue
                }
                if file.isDocumented(at: index) { continue }
                Issue.record(
                    "\(file.path):\(index + 1) \(declared.name) is public and undocumented: say what a caller cannot see"
                )
            }
        }
    }

    /// Functions that are documented where the standard library demands them.
    private static let demandedByTheStandardLibrary: Set<String> = [
        "==", "<", "hash", "encode", "next", "makeIterator", "index", "run", "validate",
    ]

    @Test(arguments: ["try!", "fatalError(", "@unchecked Sendable", "nonisolated(unsafe)", "Task.detached"])
    func dangerIsExplained(word: String) throws {
        for file in try SourceTree.swiftFiles(under: "Sources") {
            for index in file.lines.indices where file.code(at: index).contains(word) {
                #expect(
                    file.isExplained(at: index),
                    "\(file.path):\(index + 1) uses \(word) without a comment right above that proves it safe"
                )
            }
        }
    }

    @Test func everyFolderOfVectorsSaysWhereItIsFrom() throws {
        let manager = FileManager.default
        guard manager.fileExists(atPath: Vectors.directory.path) else { return }
        let groups = try manager.contentsOfDirectory(atPath: Vectors.directory.path).filter {
            !$0.hasPrefix(".")
        }
        for group in groups {
            let source = Vectors.url(group).appendingPathComponent("SOURCE.md")
            #expect(
                manager.fileExists(atPath: source.path),
                "Tests/Vectors/\(group) has no SOURCE.md: where from, which version, which licence, how made")
        }
    }
}

/// A public type or function that a line begins. Initialisers, constants and cases speak for themselves
/// where their type is documented; members that a protocol demands are documented there.
struct PublicDeclaration {
    let name: String

    init?(_ line: String) {
        var words = line.split(separator: " ")[...]
        while let first = words.first, first.hasPrefix("@") { words.removeFirst() }
        guard words.popFirst() == "public" else { return nil }
        while let first = words.first, Self.modifiers.contains(first) { words.removeFirst() }
        guard let kind = words.popFirst(), Self.kinds.contains(kind), let rest = words.first else {
            return nil
        }
        // An operator may begin with a character that ends other names.
        name = rest == "<" ? "<" : String(rest.prefix { !"(:<{".contains($0) })
    }

    private static let modifiers: Set<Substring> = [
        "final", "static", "mutating", "consuming", "borrowing", "indirect", "nonisolated",
    ]
    private static let kinds: Set<Substring> = [
        "struct", "class", "enum", "actor", "protocol", "func", "typealias",
    ]
}

extension SourceTree.File {
    /// The functions that protocols of the file demand, and document.
    var protocolFunctions: [String] {
        var names: [String] = []
        var inProtocol = false
        for (index, line) in lines.enumerated() {
            if line.contains("protocol ") && line.hasSuffix("{") { inProtocol = true }
            if line == "}" { inProtocol = false }
            let words = line.split(separator: " ")
            guard inProtocol, let keyword = words.firstIndex(of: "func"), keyword + 1 < words.count else {
                continue
            }
            if isDocumented(at: index) {
                names.append(String(words[keyword + 1].prefix { $0 != "(" && $0 != "<" }))
            }
        }
        return names
    }

    /// Whether documentation stands right above the line; attributes between do not count.
    func isDocumented(at index: Int) -> Bool {
        var above = index - 1
        while above >= 0 {
            let text = lines[above].trimmingCharacters(in: .whitespaces)
            guard text.hasPrefix("@") || text.hasPrefix("#if") || text.hasPrefix("#else") else {
                return text.hasPrefix("///") || text.hasSuffix("*/")
            }
            above -= 1
        }
        return false
    }
}

/// The rules above, tried on lines made up for it.
@Suite struct StyleRuleTests {
    @Test(arguments: [
        "public struct A {", "    public static func make() -> A",
        "@inlinable public mutating func add(_ x: Int)",
        "public typealias B = A", "public final class C<T>: D {",
    ])
    func seesADeclaration(line: String) { #expect(PublicDeclaration(line) != nil) }

    @Test(arguments: [
        "struct A {", "// public struct A", "public import A", "public let a = 1", "public init(a: Int) {",
    ])
    func passesOverWhatNeedsNoComment(line: String) { #expect(PublicDeclaration(line) == nil) }

    @Test func knowsTheNameOfWhatIsDeclared() {
        #expect(PublicDeclaration("    public static func < (a: A, b: A) -> Bool {")?.name == "<")
        #expect(PublicDeclaration("public func hash(into hasher: inout Hasher) {")?.name == "hash")
        #expect(PublicDeclaration("public struct B<C>: D {")?.name == "B")
    }

    @Test func membersThatAProtocolDocumentsNeedNoCommentOfTheirOwn() {
        let file = SourceTree.File(
            path: "Sources/X/Y.swift",
            lines: ["public protocol P {", "    /// Runs.", "    func go(_ x: Int)", "    func stop()", "}"])
        #expect(file.protocolFunctions == ["go"])
    }

    @Test func readsOnlyCode() {
        let file = SourceTree.File(
            path: "Sources/X/Y.swift",
            lines: ["let a = \"try! \\\" // no\" // try!", "let b = try! f()", "// because", "let c = 1"])
        #expect(file.code(at: 0) == "let a =  ")
        #expect(file.code(at: 1).contains("try!"))
        #expect(!file.isExplained(at: 1))
        #expect(file.isExplained(at: 3))
    }
}
