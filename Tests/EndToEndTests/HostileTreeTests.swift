import Foundation
import IPLD
import Multiformats
import TestKit
import Testing
import UnixFS

/// `get` of trees that were made to do harm: nothing is ever written outside the target.
@Suite struct HostileTreeTests {
    let directory: TemporaryDirectory
    let nacre: NacreProcess
    /// Where a careless program would write; it is compared before and after.
    private let outside: [String: [UInt8]] = ["outside/secret": [1, 2, 3], "outside/empty": []]

    init() throws {
        directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        nacre = NacreProcess(data: directory.path("data"))
        for (name, bytes) in outside { try directory.write(bytes, to: name) }
        try FileManager.default.createDirectory(
            atPath: directory.path("work"), withIntermediateDirectories: true)
    }

    @Test func badInput17NamesThatAreNoFileNamesAreRefusedAndTheOthersAreWritten() throws {
        let hostile = [
            "..", ".", "a/b", "../evil", "/evil", "../../../evil", "", "nul\u{0}byte", "..\u{0}",
            "x/../../../evil",
        ]
        var dag = HandmadeDAG()
        let (evil, good) = (dag.file("evil"), dag.file("good"))
        let inner = dag.directory([("file", evil)])
        // For each name a directory with a file of this name, and one with a directory of this name.
        var cases: [(String, CID)] = []
        for (index, name) in hostile.enumerated() {
            cases.append(("d\(index)", dag.directory([(name, inner), ("good", good)])))
            cases.append(("f\(index)", dag.directory([(name, evil), ("good", good)])))
        }
        cases.append(("z", good))
        let root = dag.directory(cases)
        try put(dag, root)
        let got = try nacre.run("get", root.description, "-o", directory.path("work/out"))
        #expect(got.status == 3, "\(got.errors)")
        #expect(got.errors.split(separator: "\n").count { $0.hasPrefix("error:") } == 2 * hostile.count)
        #expect(try directory.read("work/out/z") == Array("good".utf8))
        for (index, name) in hostile.enumerated() {
            for kind in ["d", "f"] {
                // A directory with names that no directory can hold, such as `a/b`, is refused as a whole.
                let isReadable = name == ".." || name == "."
                let names = try? RawFile.names(in: directory.path("work/out/\(kind)\(index)"))
                #expect(names ?? [] == (isReadable ? [Array("good".utf8)] : []), "\(name)")
            }
        }
        try nothingHappenedOutside()
    }

    @Test(arguments: ["..", "a/b"])
    func badInput17AnArchiveNeverHoldsANameThatLeadsOut(name: String) throws {
        var dag = HandmadeDAG()
        let evil = dag.file("evil")
        let root = dag.directory([(name, evil)])
        try put(dag, root)
        let tar = try nacre.run(
            "get", root.description, "--archive", "tar", "-o", directory.path("work/out.tar"))
        #expect(tar.status == 1, "\(tar.errors)")
        #expect(tar.errors.hasPrefix("error:"))
        #expect(try RawFile.names(in: directory.path("work")).isEmpty, "no archive, no beginning of one")
        // A CAR has no names outside its blocks: it is exported as it is.
        let car = try nacre.run(
            "get", root.description, "--archive", "car", "-o", directory.path("work/out.car"))
        #expect(car.status == 0, "\(car.errors)")
        let checked = try Script.run("check_car.py", "--roots-present", directory.path("work/out.car"))
        #expect(checked.status == 0, "\(checked.output)")
    }

    @Test func badInput11AFewBlocksThatAreATreeWithoutEndAreCutOff() throws {
        var dag = HandmadeDAG()
        var root = dag.file("x")
        for _ in 0..<64 { root = dag.directory([("a", root), ("b", root)]) }
        try put(dag, root)
        let got = try nacre.run(
            "get", root.description, "-o", directory.path("work/out"), "--max-entries", "1000")
        #expect(got.status == 1 && got.errors.contains("--max-entries"), "\(got.errors)")
        let tar = try nacre.run(
            "get", root.description, "--archive", "tar", "-o", directory.path("work/out.tar"),
            "--max-entries", "1000")
        #expect(tar.status == 1 && tar.errors.contains("--max-entries"), "\(tar.errors)")
        #expect(try RawFile.names(in: directory.path("work")) == [Array("out".utf8)])
    }

    @Test func twoEntriesOfOneNameDoNotReplaceEachOther() throws {
        var dag = HandmadeDAG()
        let (first, second) = (dag.file("first"), dag.file("second"))
        let root = dag.directory([("same", first), ("same", second)])
        try put(dag, root)
        let got = try nacre.run("get", root.description, "-o", directory.path("work/out"))
        #expect(got.status == 3, "\(got.errors)")
        #expect(got.errors.contains("same"))
        #expect(try directory.read("work/out/same") == Array("first".utf8))
    }

    @Test func aFileThroughASymlinkOfTheSameTreeIsNotWritten() throws {
        var dag = HandmadeDAG()
        let evil = dag.file("evil")
        let link = dag.symlink(directory.path("outside"))
        let inner = dag.directory([("secret", evil), ("new", evil)])
        // In both orders: the symlink first, and the directory first.
        let forward = dag.directory([("a", link), ("a", inner)])
        let backward = dag.directory([("a", inner), ("a", link)])
        let root = dag.directory([("backward", backward), ("forward", forward)])
        try put(dag, root)
        for options in [[], ["--overwrite"]] {
            let got = try nacre.run(
                ["get", root.description, "-o", directory.path("work/out")] + options)
            #expect(got.status != 0, "\(got.errors)")
            try nothingHappenedOutside()
        }
        let tar = try nacre.run(["get", root.description, "--archive", "tar", "-o", "-"])
        try extract(tar.output)
        try nothingHappenedOutside()
    }

    @Test func symlinksThatLieInTheTargetAreNotFollowed() throws {
        var dag = HandmadeDAG()
        let evil = dag.file("evil")
        let chunked = dag.file("evil", UnixFSMetadata())
        let inner = dag.directory([("secret", evil), ("new", chunked)])
        let root = dag.directory([("dir", inner), ("empty", evil), ("file", evil), ("node", chunked)])
        try put(dag, root)
        let out = directory.path("work/out")
        func plant() throws {
            try? FileManager.default.removeItem(atPath: out)
            try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
            for (name, target) in [
                ("dir", "outside"), ("empty", "outside/empty"), ("file", "outside/secret"),
                ("node", "outside/not-there"),
            ] {
                try FileManager.default.createSymbolicLink(
                    atPath: out + "/" + name, withDestinationPath: directory.path(target))
            }
        }
        try plant()
        let refused = try nacre.run("get", root.description, "-o", out)
        #expect(refused.status != 0)
        try nothingHappenedOutside()
        try plant()
        let overwritten = try nacre.run("get", root.description, "--overwrite", "-o", out)
        #expect(overwritten.status == 3, "a symlink in the place of a directory stays: \(overwritten.errors)")
        #expect(overwritten.errors.contains("dir"))
        for name in ["empty", "file", "node"] {
            #expect(try directory.read("work/out/" + name) == Array("evil".utf8))
            #expect(
                (try? FileManager.default.destinationOfSymbolicLink(atPath: out + "/" + name)) == nil,
                "the file took the place of the symlink")
        }
        try nothingHappenedOutside()
    }

    @Test func aFileWithAnotherNameOutsideIsNotCompletedInPlace() throws {
        var dag = HandmadeDAG()
        let root = dag.directory([("file", dag.file("evil"))])
        try put(dag, root)
        try directory.write([], to: "work/out/other")
        // The empty file is a beginning of any content: what a kill leaves looks the same.
        #expect(link(directory.path("outside/empty"), directory.path("work/out/file")) == 0)
        let refused = try nacre.run("get", root.description, "-o", directory.path("work/out"))
        #expect(refused.status == 6, "\(refused.errors)")
        try nothingHappenedOutside()
        let replaced = try nacre.run(
            "get", root.description, "--overwrite", "-o", directory.path("work/out"))
        #expect(replaced.status == 0, "\(replaced.errors)")
        #expect(try directory.read("work/out/file") == Array("evil".utf8))
        try nothingHappenedOutside()
    }

    @Test func symlinksToAnywhereAreMadeAndNothingIsWrittenThroughThem() throws {
        var dag = HandmadeDAG()
        let targets = ["/etc/passwd", "../../outside/secret", "..", "self", "/", "a b\nc"]
        var entries: [(String, CID)] = []
        for (index, target) in targets.enumerated() { entries.append(("l\(index)", dag.symlink(target))) }
        let root = dag.directory(entries)
        try put(dag, root)
        let out = directory.path("work/out")
        for _ in 0..<2 {
            let got = try nacre.run("get", root.description, "-o", out)
            #expect(got.status == 0, "\(got.errors)")
            for (index, target) in targets.enumerated() {
                #expect(
                    try FileManager.default.destinationOfSymbolicLink(atPath: out + "/l\(index)") == target)
            }
        }
        try nothingHappenedOutside()
    }

    @Test func symlinksThatCannotExistAreReported() throws {
        var dag = HandmadeDAG()
        let good = dag.file("good")
        let root = dag.directory([
            ("empty", dag.symlink("")), ("good", good), ("nul", dag.symlink("a\u{0}b")),
        ])
        try put(dag, root)
        let got = try nacre.run("get", root.description, "-o", directory.path("work/out"))
        #expect(got.status == 3, "\(got.errors)")
        #expect(got.errors.contains("empty") && got.errors.contains("nul"))
        #expect(try RawFile.names(in: directory.path("work/out")) == [Array("good".utf8)])
    }

    @Test func aSingleFileGoesWhereItIsToldAndNowhereElse() throws {
        var dag = HandmadeDAG()
        let evil = dag.file("evil")
        let link = dag.symlink(directory.path("outside/secret"))
        let root = dag.directory([("file", evil), ("link", link)])
        try put(dag, root)
        let target = directory.path("work/target")
        try FileManager.default.createSymbolicLink(
            atPath: target, withDestinationPath: directory.path("outside/secret"))
        let refused = try nacre.run("get", root.description + "/file", "-o", target)
        #expect(refused.status == 6, "\(refused.errors)")
        try nothingHappenedOutside()
        #expect(try nacre.run("get", root.description + "/file", "-o", target, "--overwrite").status == 0)
        #expect(try directory.read("work/target") == Array("evil".utf8))
        #expect(try nacre.run("get", root.description + "/link", "-o", directory.path("work/l")).status == 0)
        for path in ["/../file", "/%2e%2e"] {
            let got = try nacre.run("get", root.description + path, "-o", directory.path("work/x"))
            #expect(got.status == (path == "/%2e%2e" ? 4 : 2), "\(path): \(got.errors)")
        }
        try nothingHappenedOutside()
    }

    // MARK: Helpers

    private func put(_ dag: HandmadeDAG, _ root: CID) throws {
        let imported = try nacre.run(["car", "import", "-"], input: try dag.car(roots: [root]))
        try #require(imported.status == 0, "\(imported.errors)")
    }

    /// Everything beside the data directory and the target is as it was.
    private func nothingHappenedOutside(sourceLocation: SourceLocation = #_sourceLocation) throws {
        var found: [String: [UInt8]] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: directory.path("outside")) {
            found["outside/" + name] = try directory.read("outside/" + name)
        }
        #expect(found == outside, sourceLocation: sourceLocation)
        #expect(
            try RawFile.names(in: directory.path) == Set(["data", "outside", "work"].map { Array($0.utf8) }),
            sourceLocation: sourceLocation)
        #expect(!FileManager.default.fileExists(atPath: "/evil"), sourceLocation: sourceLocation)
    }

    private func extract(_ archive: [UInt8]) throws {
        try directory.write(archive, to: "work/archive.tar")
        try FileManager.default.createDirectory(
            atPath: directory.path("work/extracted"), withIntermediateDirectories: true)
        _ = try Tool.run(
            "tar", "-C", directory.path("work/extracted"), "-xf", directory.path("work/archive.tar"))
    }
}
