import Foundation
import Glibc
import TestKit
import Testing

/// Verbs with a node that runs: the same output and the same exit codes as without.
@Suite struct NodeClientTests {
    let directory: TemporaryDirectory
    let nacre: NacreProcess

    init() throws {
        directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        nacre = NacreProcess(data: directory.path("data"))
        try directory.write(Array("hello\n".utf8), to: "folder/a")
        try directory.write(SeededRandom.bytes(seed: 1, count: 3_000_000), to: "folder/large")
        try directory.write([], to: "folder/sub/empty")
        try directory.write([0xFF], to: "folder/sub/b c")
        #expect(symlink("a", directory.path("folder/link")) == 0)
        try directory.write(Array("long enough\n".utf8), to: "password")
    }

    /// Each line is a command. `{f}` is the folder, `{out}` a place to write to, `{pw}` a password.
    private static let script = """
        add {f}
        add -Q {f}/a
        add --private --name secret -q {f}/sub
        add --only-hash {f}
        pin ls
        pin ls --json
        pin ls folder
        pin ls nosuch
        ls folder
        ls --json folder/sub
        ls folder/nosuch
        cat folder/a
        cat --offset 2 --length 2 folder/a
        cat folder/sub
        stat folder --deep
        stat nosuch
        get folder -o {out}/got
        get folder -o {out}/got
        get folder --archive tar -o {out}/folder.tar
        get folder/a --archive car -o {out}/a.car
        get secret -o {out}/secret
        dag stat folder --json
        dag get folder
        car export folder -o {out}/folder.car
        car export folder --car-version 2 -o {out}/folder2.car
        car export folder/large --dag-scope entity --entity-bytes 0:1048575 -o {out}/part.car
        car import {out}/folder.car --name again
        car import {out}/part.car --name part
        car import {f}/a
        pin wait folder
        pin wait part
        pin unpublish folder
        pin publish folder
        pin publish nosuch
        block stat bafkreiey5jxe6ilpf62lnh77tm5ejbbmhbugzjuf6p2v3remlu73ced34q
        block get bafkreiey5jxe6ilpf62lnh77tm5ejbbmhbugzjuf6p2v3remlu73ced34q
        block get bafkreiaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaae
        stats
        gc --dry-run --grace 0 --list
        pin rm part
        pin rm nosuch
        pin rm again
        gc --grace 0
        gc --grace x
        verify
        verify --json
        name create blog
        name create blog
        name create a/b
        name publish blog folder
        name publish blog /ipfs/bafkqaaa --expect 7
        name publish nosuch folder
        name resolve blog
        name resolve blog/a
        name resolve nosuch
        name ls
        name show blog
        name show nosuch
        name record nosuch
        name rm nosuch
        key create --name reader --allow read --max-uses 3
        key create --name bad --allow fly
        key ls
        key show reader
        key show nosuch
        key revoke reader
        key ls --all
        user add ada --password-file {pw} --admin
        user add ben --password-file {pw}
        user add ben --password-file {pw}
        user add Ben --password-file {pw}
        user add cat --password-file {f}/a
        user ls
        user ls --json
        user show ben
        user show nobody
        user password ben --password-file {pw}
        user password nobody --password-file {pw}
        user disable ben
        user enable ben --json
        user disable nobody
        project create photos --owner ada
        project create music --owner nobody
        project ls
        project ls --json
        project member photos ben reader
        project member photos ben boss
        project member photos nobody reader
        project member nosuch ben reader
        project show photos
        project show photos --json
        project show nosuch
        user show ben --json
        project remove photos ben
        project remove photos ben
        project create draft
        project rename draft sketches
        project rename draft other
        project show sketches --json
        key create --name sketcher --allow read --project sketches
        project rm sketches
        project rm sketches --json
        project rm default
        project rename default main
        key create --name photographer --allow read --project nosuch
        key reset-master
        job ls --state queued
        job ls --state nosuch
        job show 01ARZ3NDEKTSV4RRFFQ69G5FAV
        job wait 01ARZ3NDEKTSV4RRFFQ69G5FAV
        job cancel 01ARZ3NDEKTSV4RRFFQ69G5FAV
        job show nonsense
        audit --since 1h --until 2h
        audit --outcome perhaps
        audit --principal nobody
        audit --since nonsense
        project create photos
        name rm blog
        ns create recipes
        ns create recipes
        ns create a/b
        ns create site --public --names objects --case sensitive --keep-all 7 --keep-daily 0
        ns create odd --names nosuch
        ns create odd --keep-all -1
        ns create odd --case upper
        ns ls
        ns ls --json
        ns show recipes
        ns show recipes --json
        ns show nosuch
        ns show 01ARZ3NDEKTSV4RRFFQ69G5FAV
        ns policy recipes
        ns policy recipes --keep-all 3 --json
        ns policy recipes --names nosuch
        ns policy recipes --keep-daily 40000
        ns policy nosuch --keep-all 3
        ns quota recipes
        ns quota recipes 1000
        ns quota recipes 1KiB
        ns quota recipes much
        ns quota recipes 0 --json
        ns quota recipes -- -1
        ns quota nosuch
        ns log recipes
        ns log recipes --json --limit 5
        ns log recipes nosuch/path
        ns log recipes --limit 0
        ns log nosuch
        ns versions recipes
        ns snapshot recipes
        ns snapshot recipes 0 --json
        ns snapshot recipes 1
        ns snapshot recipes nonsense
        ns snapshot nosuch
        ns versions recipes --json
        ns versions nosuch
        ns keep recipes 0 --note first
        ns keep recipes 0 --json
        ns keep recipes 7
        ns unkeep recipes 0
        ns unkeep recipes 0
        ns unkeep nosuch 0
        ns trash recipes
        ns trash recipes --json
        ns trash nosuch
        ns trash restore recipes gone
        ns trash restore recipes 01ARZ3NDEKTSV4RRFFQ69G5FAV --to other
        ns trash empty recipes
        ns trash empty recipes gone
        ns trash empty recipes --older-than 7d --json
        ns trash empty recipes gone --older-than 7d
        ls recipes:/
        ls recipes:/@0
        ls recipes:/nosuch
        ls recipes:/@9
        cat nosuch:/a
        stat recipes@0:/ --json
        get recipes:/ -o {out}/recipes
        ns diff recipes 0
        ns diff recipes 0 0 --json
        ns diff recipes 0 7
        ns diff nosuch 0
        ns restore recipes 0
        ns restore recipes 0 nosuch --json
        ns restore recipes 9
        ns restore nosuch 0
        ns publish recipes
        ns show recipes --json
        ns publish nosuch
        ns unpublish recipes --json
        ns unpublish nosuch
        ns rename recipes dishes
        ns rename dishes site
        ns rename dishes a/b
        ns rename nosuch other
        ns rm site
        ns rm site
        ns rm dishes --json
        ns ls
        ns ls --deleted
        ns ls --deleted --json
        ns undelete nosuch
        ns undelete dishes --as a/b
        ns undelete dishes --as meals
        ns undelete site --json
        ns ls
        """

    /// What differs from run to run: times, ids, keys, tokens, paths and the length of a run.
    private static func normal(_ text: String, _ data: String, _ out: String) -> String {
        var text = text.replacingOccurrences(of: data, with: "DATA").replacingOccurrences(
            of: out, with: "OUT")
        for (pattern, name) in [
            ("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z", "TIME"), ("nacre_[0-9A-Z]+", "TOKEN"),
            ("[0-9A-HJKMNP-TV-Z]{26}", "ID"), ("\\b01[0-9a-hjkmnp-tv-z]{24}\\b", "PROJECT"),
            ("k51[0-9a-z]+", "KEY"), ("12D3[0-9A-Za-z]+", "PEER"),
        ] {
            text = text.replacingOccurrences(of: pattern, with: name, options: .regularExpression)
        }
        return text
    }

    private func outputs(_ nacre: NacreProcess, out: String) throws -> [(command: String, said: String)] {
        try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
        return try Self.script.split(separator: "\n").map { line in
            let words = line.split(separator: " ").map {
                $0.replacingOccurrences(of: "{f}", with: directory.path("folder"))
                    .replacingOccurrences(of: "{out}", with: out)
                    .replacingOccurrences(of: "{pw}", with: directory.path("password"))
            }
            let outcome = try nacre.run(words)
            let said = "\(outcome.status)\n\(outcome.text)\n\(outcome.errors)"
            return (String(line), Self.normal(said, nacre.data, out))
        }
    }

    @Test func everyVerbSaysTheSameThroughANode() throws {
        let alone = NacreProcess(data: directory.path("alone"))
        // Where the first administrator's key is made is told once: by the server, or by the first verb
        // about keys.
        _ = try alone.run("key", "ls")
        let expected = try outputs(alone, out: directory.path("out1"))
        let server = try ServerProcess(nacre)
        let through = try outputs(nacre, out: directory.path("out2"))
        try server.stop()
        #expect(expected.count == through.count)
        for (a, b) in zip(expected, through) { #expect(a.said == b.said, "\(a.command)") }
        // What was written is the same, byte for byte.
        let listed = try Folder.files(directory.path("out1"))
        #expect(listed.count > 8)
        #expect(try Folder.files(directory.path("out2")) == listed)
    }

    @Test func aNodeIsNamedByURLAndToken() throws {
        let server = try ServerProcess(nacre)
        let token = try server.adminToken()
        var elsewhere = NacreProcess(data: directory.path("none"))
        elsewhere.environment = ["NACRE_NODE": server.address, "NACRE_TOKEN": token]
        let added = try elsewhere.run("add", "-Q", directory.path("folder"))
        #expect(added.status == 0, "\(added.errors)")
        #expect(!FileManager.default.fileExists(atPath: directory.path("none")))
        #expect(try nacre.run("pin", "ls", "-q").lines == added.lines)
        elsewhere.environment["NACRE_TOKEN"] = "nonsense"
        let refused = try elsewhere.run("pin", "ls")
        #expect(refused.status == 5, "\(refused.errors)")
        let flags = try NacreProcess(data: directory.path("none")).run(
            "--node", server.address, "--token", token, "cat", "folder/a")
        #expect(flags.text == "hello\n", "\(flags.errors)")
        try server.stop()
        let gone = try elsewhere.run("pin", "ls")
        #expect(
            gone.status == 1 && gone.errors.contains("connection refused; is it running?"), "\(gone.errors)")
    }

    /// Waiting is for nodes that have answered before.
    @Test(arguments: ["http://127.0.0.1:1", "https://127.0.0.1:1", "http://nosuch.invalid:8080"])
    func aNodeThatIsNotThereIsToldOfAtOnce(url: String) throws {
        let none = NacreProcess(data: directory.path("none"))
        for verb in [["pin", "ls"], ["cat", "bafkreiaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaae"]] {
            let start = ContinuousClock.now
            let outcome = try none.run(["--node", url, "--token", "x"] + verb)
            #expect(outcome.status == 1 && outcome.errors.contains("no node answers at"), "\(outcome.errors)")
            // A resolver takes its time to say that it knows no such name.
            #expect(ContinuousClock.now - start < .seconds(url.contains("invalid") ? 15 : 5))
        }
    }

    @Test func anAuthorityOfOnesOwnIsTrustedByItsCertificate() throws {
        for (file, path) in [("one.pem", "certificate.pem"), ("one-key.pem", "key.pem")] {
            try directory.write(try Vectors.bytes("tls/" + file), to: path)
        }
        #expect(chmod(directory.path("key.pem"), 0o600) == 0)
        let server = try ServerProcess(
            nacre,
            [
                "NACRE_TLS_CERTIFICATE": directory.path("certificate.pem"),
                "NACRE_TLS_KEY": directory.path("key.pem"),
            ])
        let token = try server.adminToken()
        var elsewhere = NacreProcess(data: directory.path("none"))
        elsewhere.environment = ["NACRE_NODE": server.address, "NACRE_TOKEN": token]
        let start = ContinuousClock.now
        let unknown = try elsewhere.run("pin", "ls")
        #expect(unknown.status == 1 && unknown.errors.contains("--node-ca FILE"), "\(unknown.errors)")
        #expect(ContinuousClock.now - start < .seconds(9))
        let authority = Vectors.url("tls/one.pem").path
        let trusted = try elsewhere.run("--node-ca", authority, "pin", "ls")
        #expect(trusted.status == 0, "\(trusted.errors)")
        elsewhere.environment["NACRE_NODE_CA"] = authority
        #expect(try elsewhere.run("pin", "ls").status == 0)
        elsewhere.environment["NACRE_NODE_CA"] = directory.path("folder/a")
        let nonsense = try elsewhere.run("pin", "ls")
        #expect(nonsense.status == 2 && nonsense.errors.contains("no certificates"), "\(nonsense.errors)")
        // HTTP to a port of HTTPS: what the node says about it is shown.
        let plain = server.address.replacingOccurrences(of: "https://", with: "http://")
        let told = try elsewhere.run("--node", plain, "--node-ca", authority, "pin", "ls")
        #expect(told.status == 2 && told.errors.contains("use https://"), "\(told.errors)")
        try server.stop()
    }

    @Test(arguments: [false, true]) func whatStaysPublicByAnotherPinIsSaid(throughNode: Bool) throws {
        let root = try #require(
            try nacre.run("add", "-Q", "--name", "one", directory.path("folder")).lines.first)
        #expect(try nacre.run("pin", "add", root, "--name", "two").status == 0)
        let server = try throughNode ? ServerProcess(nacre) : nil
        let first = try nacre.run("pin", "unpublish", "one")
        #expect(first.status == 0 && first.errors.contains("still public by pin two ("), "\(first.errors)")
        let second = try nacre.run("pin", "unpublish", "two")
        #expect(second.status == 0 && !second.errors.contains("still public"), "\(second.errors)")
        try server?.stop()
    }

    @Test func aRunningNodeGoesByItsOwnTableOfDomains() throws {
        let server = try ServerProcess(nacre)
        var here = nacre
        here.environment["NACRE_GATEWAY_DNSLINK"] = "docs.example.invalid=/ipfs/bafkqaaa"
        let asked = try here.run("name", "resolve", "docs.example.invalid")
        #expect(asked.status != 0, "\(asked.text)")
        if asked.status == 4 {
            #expect(asked.errors.contains("its gateway.dnslink counts"), "\(asked.errors)")
        }
        try server.stop()
        #expect(try here.run("name", "resolve", "docs.example.invalid").lines == ["/ipfs/bafkqaaa"])
    }

    @Test func anAddThroughANodeSurvivesItsInterruptionAndSendsOnlyWhatIsMissing() throws {
        let server = try ServerProcess(nacre)
        let bytes = SeededRandom.bytes(seed: 3, count: 40_000_000)
        let running = try RunningNacre(nacre, ["add", "-"])
        try running.feed(Array(bytes[..<30_000_000]))
        try running.wait("blocks are there") {
            let stats = try nacre.run("stats", "--json").objects().first
            return (stats?["liveBytes"] as? Int ?? 0) > 15_000_000
        }
        running.signal(SIGINT)
        let outcome = try running.end()
        #expect(outcome.status == 130, "\(outcome.errors)")
        #expect(try nacre.run("pin", "ls").output.isEmpty)
        let again = try nacre.run(["add", "-Q", "-"], input: bytes)
        #expect(again.status == 0, "\(again.errors)")
        let stats = try #require(try nacre.run("stats", "--json").objects().first)
        #expect((stats["packBytes"] as? Int ?? .max) < bytes.count + 200_000, "nothing is stored twice")
        #expect(try nacre.run("cat", again.lines[0]).output == bytes)
        try server.stop()
    }

    /// The server is killed while it works; what was acknowledged is there, and the verbs go on with the
    /// next one.
    @Test func aKilledNodeLosesNothingThatWasSaid() throws {
        let server = try ServerProcess(nacre)
        let roots = try (0..<5).map { number in
            let bytes = SeededRandom.bytes(seed: UInt64(number), count: 100_000)
            return try #require(try nacre.run(["add", "-Q", "-"], input: bytes).lines.first)
        }
        server.running.signal(SIGKILL)
        _ = try server.running.end()
        // The stale address in LOCK misleads nobody: the directory is free.
        #expect(try nacre.run("pin", "ls", "-q").lines == roots)
        let next = try ServerProcess(nacre)
        #expect(try nacre.run("pin", "ls", "-q").lines == roots)
        for root in roots { #expect(try nacre.run("cat", root).output.count == 100_000) }
        try next.stop()
        #expect(try nacre.run("verify").status == 0)
    }
}

extension Folder {
    /// Names and contents; symlinks by what they point to.
    fileprivate static func files(_ path: String) throws -> [String: Data] {
        var files: [String: Data] = [:]
        let enumerator = FileManager.default.enumerator(atPath: path)
        while let name = enumerator?.nextObject() as? String {
            let full = path + "/" + name
            let type = try FileManager.default.attributesOfItem(atPath: full)[.type] as? FileAttributeType
            if type == .typeSymbolicLink {
                files[name] = Data(try FileManager.default.destinationOfSymbolicLink(atPath: full).utf8)
            } else if type == .typeRegular {
                files[name] = try Data(contentsOf: URL(fileURLWithPath: full))
            }
        }
        return files
    }
}
