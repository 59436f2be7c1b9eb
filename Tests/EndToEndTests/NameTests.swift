import Foundation
import TestKit
import Testing

/// `nacre name` as a person and a script use it, with a checker that knows nothing of Nacre.
@Suite struct NameTests {
    let directory: TemporaryDirectory
    let nacre: NacreProcess

    init() throws {
        directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        nacre = NacreProcess(data: directory.path("data"))
    }

    private func create(_ label: String) throws -> String {
        let made = try nacre.run("name", "create", label)
        #expect(made.status == 0, "\(made.errors)")
        return String(try #require(made.lines.first?.split(separator: " ").first))
    }

    @Test(arguments: [[], ["--v2-only"]])
    func recordsAndKeysAreRightForAForeignChecker(options: [String]) throws {
        let name = try create("site")
        for target in ["/ipfs/bafkqaaa", "/ipfs/bafkqaa3bmjrq/a"] {
            let published = try nacre.run(["name", "publish", "site", target] + options)
            #expect(published.status == 0, "\(published.errors)")
            #expect(published.lines == ["/ipns/\(name) \(target)"])
        }
        let record = directory.path("record")
        let key = directory.path("key")
        #expect(try nacre.run("name", "record", "site", "-o", record).status == 0)
        #expect(try nacre.run("name", "export", "site", "-o", key).status == 0)
        let checked = try Script.run("check_ipns.py", record, name, "--key", key)
        #expect(checked.status == 0, "\(checked.output)")
        #expect(checked.output.contains("\"value\": \"/ipfs/bafkqaa3bmjrq/a\""))
        #expect(checked.output.contains("\"sequence\": 1"))
        #expect(checked.output.contains(options.isEmpty ? "\"v1\": true" : "\"v1\": null"))
        let mode = try FileManager.default.attributesOfItem(atPath: key)[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    @Test func aNameGoesToAnotherNodeByKeyOrByRecord() throws {
        let name = try create("site")
        #expect(try nacre.run("name", "publish", "site", "bafkqaaa").status == 0)
        let (record, pem) = (directory.path("record"), directory.path("pem"))
        #expect(try nacre.run("name", "record", "site", "-o", record).status == 0)
        #expect(try nacre.run("name", "export", "site", "--pem", "-o", pem).status == 0)
        let other = NacreProcess(data: directory.path("other"))
        let put = try other.run("name", "put", name, record)
        #expect(put.status == 0, "\(put.errors)")
        #expect(try other.run("name", "resolve", name).lines == ["/ipfs/bafkqaaa"])
        #expect(try other.run("name", "import", "moved", pem).lines == [name + " moved"])
        let next = try other.run("name", "publish", "moved", "/ipfs/bafkqaa3bmjrq", "--json").objects()
        #expect(next.first?["sequence"] as? Int == 1)
        // What is older than what is here is refused, and says so.
        let back = try other.run("name", "put", name, record)
        #expect(back.status == 6, "\(back.errors)")
        #expect(try other.run("name", "put", "k51nonsense", record).status == 2)
    }

    @Test func whatIsWrongEndsWithItsStatus() throws {
        _ = try create("site")
        #expect(try nacre.run("name", "create", "site").status == 6)
        #expect(try nacre.run("name", "create", "a/b").status == 2)
        #expect(try nacre.run("name", "resolve", "site").status == 4)
        #expect(try nacre.run("name", "resolve", "nobody").status == 4)
        #expect(try nacre.run("name", "publish", "nobody", "/ipfs/bafkqaaa").status == 4)
        #expect(try nacre.run("name", "publish", "site", "/ipfs/nonsense").status == 2)
        #expect(try nacre.run("name", "publish", "site", "/ipfs/bafkqaaa", "--lifetime", "soon").status == 2)
        #expect(try nacre.run("name", "publish", "site", "/ipfs/bafkqaaa", "--lifetime", "0").status == 2)
        #expect(try nacre.run("name", "publish", "site", "/ipfs/bafkqaaa").status == 0)
        #expect(try nacre.run("name", "publish", "site", "/ipfs/bafkqaaa", "--expect", "7").status == 6)
        #expect(try nacre.run(["name", "import", "x", "-"], input: Array("nonsense".utf8)).status == 2)
        #expect(try nacre.run("name", "rm", "site", "nobody").status == 4)
        #expect(try nacre.run("name", "ls").lines.count == 1)
        #expect(try nacre.run("name", "rm", "site").status == 0)
        #expect(try nacre.run("name", "ls", "--json").lines.isEmpty)
    }

    /// Killed at any moment while it publishes, a name has a whole record: the last that was acknowledged, or
    /// one later.
    @Test func aKillWhilePublishingLeavesTheLastRecordOrTheNext() throws {
        let name = try create("site")
        var acknowledged = -1
        for round in 0..<12 {
            let process = nacre.process(["name", "publish", "site", "/ipfs/bafkqaaa/\(round)"])
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            try process.run()
            usleep(UInt32(round * 6000))
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            if process.terminationReason == .exit, process.terminationStatus == 0 { acknowledged += 1 }
            let shown = try #require(try nacre.run("name", "show", "site", "--json").objects().first)
            let sequence = shown["sequence"] as? Int ?? -1
            #expect(sequence == acknowledged || sequence == acknowledged + 1)
            acknowledged = sequence
            guard sequence >= 0 else { continue }
            let record = directory.path("record")
            #expect(try nacre.run("name", "record", "site", "-o", record).status == 0)
            #expect(try Script.run("check_ipns.py", record, name).status == 0)
        }
        #expect(try nacre.run("verify").status == 0)
    }
}
