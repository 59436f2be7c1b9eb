import Foundation
import Glibc
import TestKit
import Testing

/// `nacre doctor` finds what was planted, says what to do, and changes nothing.
@Suite struct DoctorTests {
    let directory: TemporaryDirectory
    let nacre: NacreProcess

    init() throws {
        directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        nacre = NacreProcess(data: directory.path("data"))
    }

    /// The findings by check, with the exit code.
    private func examine(_ settings: [String: String] = [:]) throws -> (status: Int32, [String: Found]) {
        var nacre = nacre
        nacre.environment = settings
        nacre.environment["NACRE_SERVER_LISTEN"] = settings["NACRE_SERVER_LISTEN"] ?? "127.0.0.1:0"
        let outcome = try nacre.run("doctor", "--json")
        var found: [String: Found] = [:]
        for object in try outcome.objects() {
            let finding = Found(
                verdict: try #require(object["verdict"] as? String),
                text: try #require(object["text"] as? String), advice: object["advice"] as? String)
            #expect((finding.verdict == "ok") == (finding.advice == nil), "\(finding)")
            found[try #require(object["check"] as? String)] = finding
        }
        #expect(outcome.status == (found.values.contains { $0.verdict == "fail" } ? 1 : 0))
        return (outcome.status, found)
    }

    private struct Found {
        let verdict: String
        let text: String
        let advice: String?
    }

    private func makeDirectory() throws {
        _ = try nacre.run(["add", "-"], input: [1, 2, 3])
        _ = try nacre.run("key", "ls")
    }

    @Test func aMachineWithoutADirectoryIsFineAndNoneIsMade() throws {
        let (status, found) = try examine()
        #expect(status == 0)
        #expect(found["data-directory"]?.text.contains("not there yet") == true)
        #expect(found["lock"]?.verdict == "ok" && found["catalog"]?.verdict == "ok")
        #expect(!FileManager.default.fileExists(atPath: nacre.data))
    }

    @Test func aDirectoryThatIsRightIsLeftAsItIs() throws {
        try makeDirectory()
        let before = try directory.allFiles()
        let (status, found) = try examine()
        #expect(status == 0, "\(found)")
        #expect(found["data-directory"]?.text.contains("nacre 1") == true)
        #expect(found["catalog"]?.text.hasPrefix("SQLite, schema ") == true)
        for check in ["sync", "secrets", "clock", "open-files", "memory", "processor", "port", "reach"] {
            #expect(found[check] != nil, "\(check)")
        }
        let after = try directory.allFiles()
        #expect(Set(before.keys) == Set(after.keys))
        // The memory that processes of SQLite share is no data.
        for (path, bytes) in before where !path.hasSuffix("-shm") { #expect(after[path] == bytes, "\(path)") }
        let text = try nacre.run("doctor").text
        #expect(text.contains("ok    data-directory"), "\(text)")
    }

    @Test func memoryIsNoDisk() throws {
        guard TemporaryDirectory.fastParent?.hasPrefix("/dev/shm") == true else { return }
        try makeDirectory()
        #expect(try examine().1["file-system"]?.verdict == "warn")
    }

    @Test func whatIsWrongWithTheDirectoryIsNamed() throws {
        try makeDirectory()
        chmod(nacre.data, 0o755)
        #expect(try examine().1["data-directory-mode"]?.advice?.contains("chmod 700") == true)
        chmod(nacre.data, 0o700)
        let full = try examine(["NACRE_STORE_RESERVE": "100TiB"])
        #expect(full.1["free-space"]?.verdict == "fail")
        try directory.write(Array("nacre 9\nfeatures:\n".utf8), to: "data/VERSION")
        let newer = try examine()
        #expect(
            newer.1["data-directory"]?.verdict == "fail"
                && newer.1["data-directory"]?.text.contains("9") == true)
        try FileManager.default.removeItem(atPath: nacre.data)
        try directory.write([1], to: "data")
        #expect(try examine().1["data-directory"]?.text.contains("no directory") == true)
    }

    @Test func filesFromTheFutureMeanAClockThatIsBehind() throws {
        try makeDirectory()
        try FileManager.default.setAttributes(
            [.modificationDate: Date().addingTimeInterval(86400)], ofItemAtPath: nacre.data + "/VERSION")
        #expect(try examine().1["clock"]?.verdict == "fail")
    }

    @Test func secretsThatOthersCanReadFail() throws {
        try makeDirectory()
        chmod(nacre.data + "/secrets/master-key", 0o644)
        let found = try examine().1["secrets"]
        #expect(found?.verdict == "fail" && found?.advice?.contains("chmod go=") == true)
        chmod(nacre.data + "/secrets/master-key", 0o600)
        #expect(try examine().1["secrets"]?.verdict == "ok")
    }

    @Test func aCatalogThatIsLostDamagedOrNewerFails() throws {
        try makeDirectory()
        let path = nacre.data + "/catalog.sqlite"
        let script =
            "import sqlite3,sys;c=sqlite3.connect(sys.argv[1]);"
            + "c.execute(\"INSERT INTO schema_steps VALUES (999,'later',0)\");c.commit();c.close()"
        let bytes = try directory.read("data/catalog.sqlite")
        #expect(try Tool.run("python3", "-c", script, path).status == 0)
        let newer = try examine().1["catalog"]
        #expect(newer?.verdict == "fail" && newer?.text.contains("999") == true)
        try directory.write(
            Array(bytes.prefix(100)) + [UInt8](repeating: 7, count: 9000), to: "data/catalog.sqlite")
        #expect(try examine().1["catalog"]?.verdict == "fail")
        try FileManager.default.removeItem(atPath: path)
        let lost = try examine().1["catalog"]
        #expect(lost?.verdict == "fail" && lost?.advice?.contains("backup") == true)
    }

    @Test func aServerThatIsAwayFailsAndItsPasswordIsNotShown() throws {
        try makeDirectory()
        let found = try examine(["NACRE_CATALOG_URL": "postgresql://nacre:secret7@127.0.0.1:1/nacre"])
        #expect(found.1["catalog"]?.verdict == "fail")
        #expect(found.1["catalog"]?.advice?.contains("catalog.url") == true)
        #expect(!"\(found)".contains("secret7"))
    }

    @Test func aSettingThatIsWrongIsNamedWithTheNearest() throws {
        let found = try examine(["NACRE_STORE_RESERV": "1MiB"])
        #expect(found.1["configuration"]?.verdict == "fail")
        #expect(found.1["configuration"]?.text.contains("NACRE_STORE_RESERVE") == true)
    }

    @Test func aPortThatIsTakenAndAnAddressOfOthersFail() throws {
        let taken = try LoopbackListener()
        let found = try examine(["NACRE_SERVER_LISTEN": "127.0.0.1:\(taken.port)"])
        #expect(found.1["port"]?.verdict == "fail" && found.1["port"]?.advice?.contains("ss -ltnp") == true)
        #expect(try examine(["NACRE_SERVER_LISTEN": "192.0.2.1:8080"]).1["port"]?.verdict == "fail")
    }

    @Test func everythingShownToEverybodyIsWarnedOf() throws {
        let open = try examine(["NACRE_SERVER_LISTEN": "0.0.0.0:0", "NACRE_GATEWAY_SERVE": "all"])
        #expect(open.1["reach"]?.verdict == "warn")
        #expect(try examine(["NACRE_SERVER_LISTEN": "0.0.0.0:0"]).1["reach"]?.verdict == "ok")
    }

    @Test func blocksThatAreKnownToBeDamagedAreTold() throws {
        let bytes = SeededRandom.bytes(seed: 3, count: 5000)
        let root = try #require(try nacre.run(["add", "-Q", "-"], input: bytes).lines.first)
        #expect(try examine().1["blocks"]?.verdict == "ok")
        let packs = directory.path("data/blocks/packs")
        let pack = try #require(try FileManager.default.contentsOfDirectory(atPath: packs).first)
        let url = URL(fileURLWithPath: packs + "/" + pack)
        var content = try Data(contentsOf: url)
        let place = try #require(content.range(of: Data(bytes[..<32]))).lowerBound
        content[place] ^= 1
        try content.write(to: url)
        // Nobody has met it yet: the doctor reads no blocks.
        #expect(try examine().1["blocks"]?.verdict == "ok")
        #expect(try nacre.run("cat", root).status == 7)
        let found = try examine().1["blocks"]
        #expect(found?.verdict == "warn" && found?.text.contains(root) == true, "\(found as Any)")
        #expect(found?.advice?.contains("nacre verify") == true)
        #expect(try nacre.run(["add", "-Q", "-"], input: bytes).status == 0)
        #expect(try examine().1["blocks"]?.verdict == "ok")
    }

    @Test func keysThatTravelInTheOpenAreWarnedOf() throws {
        let open = try examine(["NACRE_SERVER_LISTEN": "0.0.0.0:0"]).1["encryption"]
        #expect(open?.verdict == "warn" && open?.text.contains("without TLS") == true)
        #expect(open?.advice?.contains("server.trusted_proxies") == true)
        for settings in [
            ["NACRE_SERVER_LISTEN": "127.0.0.1:0"], ["NACRE_SERVER_LISTEN": "[::1]:0"],
            ["NACRE_SERVER_LISTEN": "0.0.0.0:0", "NACRE_SERVER_TRUSTED_PROXIES": "192.0.2.1"],
            [
                "NACRE_SERVER_LISTEN": "0.0.0.0:0", "NACRE_TLS_CERTIFICATE": Vectors.url("tls/one.pem").path,
                "NACRE_TLS_KEY": Vectors.url("tls/one-key.pem").path,
            ],
        ] {
            #expect(try examine(settings).1["encryption"]?.verdict == "ok", "\(settings)")
        }
    }

    @Test func fewOpenFilesAreWarnedOf() throws {
        let outcome = try Tool.run(
            "bash", "-c", "ulimit -n 1024; NACRE_SERVER_LISTEN=127.0.0.1:0 exec \"$0\" --data \"$1\" doctor",
            NacreProcess.executable.path, nacre.data)
        #expect(outcome.status == 0 && outcome.output.contains("warn  open-files"), "\(outcome.output)")
    }

    @Test func aHostThatDoesNotResolveFails() throws {
        let found = try examine(["NACRE_GATEWAY_SUBDOMAINS": "nacre.invalid"])
        #expect(found.1["subdomain-host"]?.verdict == "fail")
        #expect(found.1["subdomain-host"]?.advice?.contains("*.ipfs.nacre.invalid") == true)
        #expect(try examine(["NACRE_GATEWAY_SUBDOMAINS": "localhost"]).1["subdomain-host"] == nil)
    }

    @Test func certificatesAreLookedAtAsTheNodeWould() throws {
        try makeDirectory()
        func make(_ name: String, days: String) throws {
            let made = try Tool.run(
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                "-nodes", "-keyout", directory.path(name + ".key"), "-out", directory.path(name + ".pem"),
                "-days", days, "-subj", "/CN=localhost")
            try #require(made.status == 0, "\(made.output)")
        }
        func found(_ certificate: String, _ key: String) throws -> Found? {
            try examine([
                "NACRE_TLS_CERTIFICATE": directory.path(certificate), "NACRE_TLS_KEY": directory.path(key),
            ]).1["tls"]
        }
        try make("good", days: "90")
        try make("short", days: "3")
        #expect(try found("good.pem", "good.key")?.verdict == "ok")
        #expect(try found("short.pem", "short.key")?.verdict == "warn")
        #expect(try found("good.pem", "short.key")?.text.contains("not the one of the certificate") == true)
        #expect(try found("lost.pem", "good.key")?.verdict == "fail")
        #expect(try examine(["NACRE_TLS_KEY": directory.path("good.key")]).1["tls"]?.verdict == "fail")
        let node = try ServedNode(
            nacre,
            settings: [
                "NACRE_TLS_CERTIFICATE": directory.path("good.pem"),
                "NACRE_TLS_KEY": directory.path("good.key"),
            ])
        let ready = try nacre.run("doctor", "--ready")
        #expect(ready.status == 0 && ready.text.contains("https://"), "\(ready.text)")
        try node.stop()
    }

    @Test func aRunningNodeIsAskedAndNotDisturbed() throws {
        let stopped = try nacre.run("doctor", "--ready")
        #expect(stopped.status == 1 && stopped.text.contains("no node runs"))
        let running = try RunningNacre(nacre, ["serve", "--listen", "127.0.0.1:0"])
        try running.wait("it listens") {
            let lock = try? String(contentsOfFile: nacre.data + "/LOCK", encoding: .utf8)
            return lock?.contains("http://") == true
        }
        let (status, found) = try examine()
        #expect(status == 0, "\(found)")
        #expect(found["node"]?.text.hasSuffix("is ready") == true)
        #expect(found["lock"]?.text.contains("\(running.pid)") == true)
        #expect(try nacre.run("doctor", "--ready").status == 0)
        // A process that hangs takes connections and never answers.
        running.signal(SIGSTOP)
        let hanging = try nacre.run("doctor", "--ready")
        #expect(hanging.status == 1 && hanging.text.contains("not answered"), "\(hanging.text)")
        running.signal(SIGCONT)
        running.signal(SIGKILL)
        _ = try running.end()
        // What a killed process has left in LOCK is nobody.
        #expect(try nacre.run("doctor", "--ready").text.contains("no node runs"))
    }

    // MARK: A node elsewhere

    private func examine(_ url: String, token: String?) throws -> (status: Int32, found: [String: Found]) {
        var elsewhere = NacreProcess(data: directory.path("none"))
        elsewhere.environment = ["NACRE_NODE": url, "NACRE_TOKEN": token ?? ""]
        let outcome = try elsewhere.run("doctor", "--json")
        var found: [String: Found] = [:]
        for object in try outcome.objects() {
            found[try #require(object["check"] as? String)] = Found(
                verdict: try #require(object["verdict"] as? String),
                text: try #require(object["text"] as? String), advice: object["advice"] as? String)
        }
        return (outcome.status, found)
    }

    @Test func aNodeElsewhereIsAskedWhatItsTokenIsGoodFor() throws {
        let key = try nacre.run(
            "key", "create", "--name", "reader", "--allow", "read,jobs", "--expires", "2d")
        let token = try #require(key.lines.first)
        let server = try ServerProcess(nacre)
        let (status, found) = try examine(server.address, token: token)
        #expect(status == 0)
        for check in ["node", "version", "health", "clock", "token"] {
            #expect(found[check]?.verdict == "ok", "\(check): \(found[check]?.text ?? "not looked at")")
        }
        #expect(found["token"]?.text.contains("key reader allows read, jobs in project:default") == true)
        #expect(found["token-end"]?.verdict == "warn" && found["certificate"] == nil)
        #expect(!FileManager.default.fileExists(atPath: directory.path("none")))
        let bad = try examine(server.address, token: "nonsense")
        #expect(
            bad.status == 1 && bad.found["token"]?.verdict == "fail" && bad.found["node"]?.verdict == "ok")
        #expect(try examine(server.address, token: nil).found["token"]?.verdict == "warn")
        var elsewhere = NacreProcess(data: directory.path("none"))
        elsewhere.environment = ["NACRE_NODE": server.address]
        #expect(try elsewhere.run("doctor", "--ready").status == 0)
        try server.stop()
        let gone = try examine(server.address, token: token)
        #expect(gone.status == 1 && gone.found["node"]?.text.contains("connection refused") == true)
    }

    @Test func theCertificateOfANodeElsewhereIsLookedAt() throws {
        for (file, path) in [("one.pem", "certificate.pem"), ("one-key.pem", "key.pem")] {
            try directory.write(try Vectors.bytes("tls/" + file), to: path)
        }
        let settings = [
            "NACRE_TLS_CERTIFICATE": directory.path("certificate.pem"),
            "NACRE_TLS_KEY": directory.path("key.pem"),
        ]
        #expect(chmod(directory.path("key.pem"), 0o600) == 0)
        let server = try ServerProcess(nacre, settings)
        let (_, found) = try examine(server.address, token: nil)
        // It is signed by nobody: the verbs would not trust it, and doctor says both.
        #expect(found["node"]?.verdict == "fail" && found["node"]?.text.contains("not trusted") == true)
        let certificate = try #require(found["certificate"])
        #expect(
            certificate.text.hasPrefix("it counts until ") && certificate.verdict == "ok",
            "\(certificate.text)")
        try server.stop()
    }
}

/// A port of loopback that somebody has.
private final class LoopbackListener {
    let port: UInt16
    private let descriptor: Int32

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(descriptor, pointer, length) == 0 && listen(descriptor, 1) == 0
                    && getsockname(descriptor, pointer, &length) == 0
            }
        }
        try #require(result)
        port = UInt16(bigEndian: address.sin_port)
    }

    deinit { close(descriptor) }
}
