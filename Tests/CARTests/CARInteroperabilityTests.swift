import CAR
import Foundation
import IPLD
import TestKit
import Testing

/// What is written here, judged by a reader in Python that was written from the specifications.
@Suite(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/python3")))
struct CARInteroperabilityTests {
    /// Runs a script of `Tests/Scripts`; returns its exit code and what it printed.
    private func run(_ script: String, _ arguments: [String]) throws -> (code: Int32, output: String) {
        let folder = Vectors.directory.deletingLastPathComponent().appendingPathComponent("Scripts")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        // No compiled copies of the scripts beside them.
        process.arguments = ["-B", folder.appendingPathComponent(script).path] + arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }

    @Test func otherReaderAcceptsWhatIsWrittenInEveryFormat() throws {
        let directory = try TemporaryDirectory()
        var paths: [String] = []
        for (number, format) in CARReaderTests.formats.enumerated() {
            var random = SeededRandom(seed: UInt64(number))
            let blocks = try random.blocks(30)
            let file = try writtenCAR(roots: [blocks[0].cid], blocks, format: format)
            paths.append(try directory.write(file, to: "\(number).car"))
        }
        let (code, output) = try run("check_car.py", ["--roots-present"] + paths)
        #expect(code == 0, "\(output)")
        let lines = output.split(separator: "\n")
        #expect(lines.count == paths.count)
        #expect(lines.allSatisfy { $0.contains(" 30 blocks,") && $0.contains(" 0 not checked") }, "\(output)")
    }

    @Test func otherReaderRefusesADamagedBlockAndAPackWithRoots() throws {
        let directory = try TemporaryDirectory()
        var random = SeededRandom(seed: 1)
        let blocks = try random.blocks(3, sizes: [200])
        var file = try writtenCAR(roots: [blocks[0].cid], blocks)
        let path = try directory.write(file, to: "rooted.car")
        #expect(try run("check_car.py", [path]).code == 0)
        #expect(try run("check_car.py", ["--pack", path]).code == 1)
        file[file.count - 1] ^= 1
        #expect(try run("check_car.py", [try directory.write(file, to: "damaged.car")]).code == 1)
    }

    @Test func otherReaderRestoresASmallTree() throws {
        let directory = try TemporaryDirectory()
        let target = directory.path("tree")
        let source = Vectors.url("car/simple-unixfs.car").path
        let (code, output) = try run("unixfs_cat.py", [source, target])
        #expect(code == 0, "\(output)")
        let files = try directory.allFiles().keys.sorted()
        #expect(files.count == 9 && files.first == "tree/a/1/A.txt" && files.last == "tree/c/9/I.txt")
    }
}
