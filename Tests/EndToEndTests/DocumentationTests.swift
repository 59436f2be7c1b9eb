import Foundation
import TestKit
import Testing

/// The commands in the documents do what is said: each fenced `sh` block is run, in the order of its document.
///
/// A block that cannot run here (it builds, or installs) has `no-test` behind `sh`, which no reader sees.
@Suite struct DocumentationTests {
    static let documents: [String] = {
        let folder = Vectors.packageRoot.appendingPathComponent("docs/how-to")
        let pages = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return ["README.md"] + pages.filter { $0.hasSuffix(".md") }.sorted().map { "docs/how-to/" + $0 }
    }()

    @Test(arguments: documents)
    func commandsRun(document: String) throws {
        let text = try String(
            contentsOf: Vectors.packageRoot.appendingPathComponent(document), encoding: .utf8)
        let blocks = Self.shellBlocks(in: text)
        #expect(blocks.marked.allSatisfy { $0.contains("make ") }, "only builds may stay out")
        guard !blocks.run.isEmpty else { return }

        let home = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        try home.write(Array("a picture".utf8), to: "photos/2024/a.jpg")
        try home.write(SeededRandom.bytes(seed: 1, count: 2_000_000), to: "photos/2023/b.jpg")
        try home.write(try Vectors.bytes("car/simple-unixfs.car"), to: "other.car")
        // What a page takes for granted: a folder that was added.
        if document != "README.md" { try run("nacre add photos", home, document) }
        for block in blocks.run { try run(block, home, document) }
        #expect(try NacreProcess(data: home.path(".local/share/nacre")).run("verify").status == 0)
    }

    @Test func theReadmeHasCommandsThatRun() throws {
        let text = try String(
            contentsOf: Vectors.packageRoot.appendingPathComponent("README.md"), encoding: .utf8)
        #expect(!Self.shellBlocks(in: text).run.isEmpty)
        #expect(Self.documents.count > 3)
    }

    private func run(_ script: String, _ home: TemporaryDirectory, _ document: String) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["bash", "-euo", "pipefail", "-c", script]
        process.currentDirectoryURL = home.url
        var environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("NACRE_") }
        environment["HOME"] = home.path
        environment["PATH"] =
            NacreProcess.executable.deletingLastPathComponent().path + ":"
            + (environment["PATH"] ?? "/usr/bin:/bin")
        process.environment = environment
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(document):\n\(script)\n\(output)")
    }

    private static func shellBlocks(in text: String) -> (run: [String], marked: [String]) {
        var blocks: (run: [String], marked: [String]) = ([], [])
        var current: [Substring]?
        var isMarked = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if let lines = current {
                guard line == "```" else {
                    current?.append(line)
                    continue
                }
                let block = lines.joined(separator: "\n")
                if isMarked { blocks.marked.append(block) } else { blocks.run.append(block) }
                current = nil
            } else if line == "```sh" || line == "```sh no-test" {
                current = []
                isMarked = line != "```sh"
            }
        }
        return blocks
    }
}
