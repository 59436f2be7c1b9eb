import Foundation
import TestKit
import Testing

/// Settings: where they come from, and what is said of wrong ones.
@Suite struct ConfigTests {
    let directory: TemporaryDirectory
    var nacre: NacreProcess

    init() throws {
        directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        nacre = NacreProcess(data: directory.path("data"))
    }

    @Test(arguments: [
        ("[store]\npack_sise = \"1MiB\"\n", ":2:", ["store.pack_sise", "store.pack_size"]),
        ("[stor]\npack_size = \"1MiB\"\n", ":2:", ["stor.pack_size", "store.pack_size"]),
        ("# note\n\ngrace = \"1h\"\n", ":3:", ["grace", "gc.grace"]),
        ("[import]\nthreads = [1, 2]\n", ":2:", ["import.threads"]),
        ("[import]\nthreads = 4000\n", ":2:", ["import.threads", "4000", "256"]),
        ("[store]\ndurability = \"maybe\"\n", ":2:", ["store.durability", "maybe", "group, always or os"]),
        ("[gc]\nmax_unused = \"120%\"\n", ":2:", ["gc.max_unused", "0% to 100%"]),
        ("[store]\n\nreserve = \n", ":3:", []),
        ("[store\n", ":1:", []),
        ("[gc]\ngrace = \"1h\"\ngrace = \"2h\"\n", ":", ["grace"]),
    ])
    func whatIsWrongInTheFileIsNamedWithItsLine(text: String, place: String, words: [String]) throws {
        try directory.write(Array(text.utf8), to: "data/nacre.toml")
        let checked = try nacre.run("config", "check")
        #expect(checked.status == 2, "\(checked.text)\(checked.errors)")
        #expect(checked.errors.contains("nacre.toml" + place), "\(checked.errors)")
        for word in words { #expect(checked.errors.contains(word), "\(word)? \(checked.errors)") }
    }

    @Test func everyMistakeIsNamedAtOnce() throws {
        try directory.write(
            Array("[store]\npack_sise = 1\n\n[import]\nthreads = 4000\n\n[gc]\ngrace = \"soon\"\n".utf8),
            to: "data/nacre.toml")
        var nacre = nacre
        nacre.environment["NACRE_LOG_FORMAT"] = "xml"
        nacre.environment["NACRE_TLS_CERTIFICATE"] = "/absent/certificate.pem"
        nacre.environment["NACRE_TLS_KEY"] = "/absent/key.pem"
        let checked = try nacre.run("config", "check")
        #expect(checked.status == 2 && checked.text.isEmpty)
        let lines = checked.errors.split(separator: "\n")
        #expect(lines.count == 6, "\(checked.errors)")
        let words = [
            ":2:", ":5:", ":8:", "NACRE_LOG_FORMAT", "/absent/certificate.pem", "/absent/key.pem",
        ]
        for (line, word) in zip(lines, words) { #expect(line.contains(word), "\(word)? \(line)") }
    }

    @Test(arguments: [
        ("one", "one", 0, ""), ("one", "two", 2, "not the one of the certificate"),
        ("ended", "one", 2, "has ended"), ("soon", "soon", 0, "days and was not renewed"),
    ])
    func theFilesOfTLSAreLookedAt(certificate: String, key: String, status: Int32, text: String) throws {
        for (name, file) in [(certificate + ".pem", "c.pem"), (key + "-key.pem", "k.pem")]
        where certificate != "soon" {
            try directory.write(try Vectors.bytes("tls/" + name), to: file)
        }
        if certificate == "soon" {
            let made = try Tool.run(
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                "-nodes", "-keyout", directory.path("k.pem"), "-out", directory.path("c.pem"), "-days", "5",
                "-subj", "/CN=localhost")
            try #require(made.status == 0, "\(made.output)")
        }
        var nacre = nacre
        nacre.environment["NACRE_TLS_CERTIFICATE"] = directory.path("c.pem")
        nacre.environment["NACRE_TLS_KEY"] = directory.path("k.pem")
        let checked = try nacre.run("config", "check")
        #expect(checked.status == status, "\(checked.errors)")
        #expect(text.isEmpty || checked.errors.contains(text), "\(checked.errors)")
    }

    @Test func aWrongConfigurationStopsEveryVerbBeforeAnythingIsTouched() throws {
        try directory.write(Array("[store]\nsize = 1\n".utf8), to: "data/nacre.toml")
        #expect(try nacre.run(["add", "-"], input: [1]).status == 2)
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path("data")) == ["nacre.toml"])
        try directory.write([0xFF, 0xFE, 0x00], to: "data/nacre.toml")
        let unreadable = try nacre.run("config", "check")
        #expect(unreadable.status == 2)
        #expect(unreadable.errors.contains("nacre.toml"))
    }

    /// It would set nothing, and nobody would notice.
    @Test func aVariableWithAMistypedSectionIsWarnedOf() throws {
        var nacre = nacre
        nacre.environment = [
            "NACRE_STROE_PACK_SIZE": "1MiB", "NACRE_SEVRER_LISTEN": "127.0.0.1:1", "NACRE_ROLE": "api",
            "NACRE_TOKEN": "secret", "NACRE_NODE_CA": "file", "NACRE_STORE_RESERVE": "1MiB",
        ]
        let words = [
            "NACRE_ROLE; did you mean NACRE_ROLES?", "NACRE_SEVRER_LISTEN; did you mean NACRE_SERVER_LISTEN?",
            "NACRE_STROE_PACK_SIZE; did you mean NACRE_STORE_PACK_SIZE?",
        ]
        let checked = try nacre.run("config", "check")
        let lines = checked.errors.split(separator: "\n")
        #expect(checked.status == 0 && lines.count == 3, "\(checked.errors)")
        for (line, word) in zip(lines, words) {
            #expect(line.contains("warning") && line.contains(word), "\(line)")
        }
        #expect(checked.text.contains("sets nothing") && !checked.errors.contains("secret"))
        let doctor = try nacre.run("doctor").text
        #expect(doctor.contains("warn  environment") && doctor.contains(words[0]), "\(doctor)")
        nacre.environment["NACRE_TOKEN"] = nil
        nacre.environment["NACRE_NODE_CA"] = nil
        let served = try ServedNacre(nacre)
        for word in words { #expect(served.said.contains(word), "\(word)? \(served.said)") }
        try served.end()
    }

    @Test(arguments: [
        ("NACRE_IMPORT_THREADS", "many", ["NACRE_IMPORT_THREADS", "import.threads", "many"]),
        ("NACRE_STORE_RESERVE", "-5", ["NACRE_STORE_RESERVE", "64MiB"]),
        ("NACRE_STORE_RESERV", "1MiB", ["NACRE_STORE_RESERV", "NACRE_STORE_RESERVE"]),
        ("NACRE_GC_GRACE", "", ["NACRE_GC_GRACE", "24h"]),
    ])
    func whatIsWrongInTheEnvironmentIsNamed(name: String, value: String, words: [String]) throws {
        var nacre = nacre
        nacre.environment[name] = value
        let checked = try nacre.run("config", "check")
        #expect(checked.status == 2, "\(checked.text)")
        for word in words { #expect(checked.errors.contains(word), "\(word)? \(checked.errors)") }
    }

    @Test(arguments: [["config", "show"], ["config", "show", "--json"]])
    func aPasswordInTheAddressOfTheCatalogIsNotShown(arguments: [String]) throws {
        var nacre = nacre
        nacre.environment["NACRE_CATALOG_URL"] = "postgresql://me:s3cret@127.0.0.1:1/nacre"
        let shown = try nacre.run(arguments)
        #expect(shown.status == 0)
        #expect(shown.text.contains("postgresql://me:***@127.0.0.1:1/nacre"))
        #expect(!shown.text.contains("s3cret"))
        let refused = try nacre.run("pin", "ls")
        #expect(refused.status != 0)
        #expect(!refused.errors.contains("s3cret"))
    }

    @Test func environmentGoesOverFileAndFileOverDefault() throws {
        let file = try directory.write(
            Array("[gc]\ngrace = \"2h\"\n\n[import]\nthreads = 3\nprofile = \"unixfs-v0-2015\"\n".utf8),
            to: "data/nacre.toml")
        var nacre = nacre
        nacre.environment = ["NACRE_IMPORT_THREADS": "5"]
        var settings: [String: [String]] = [:]
        for row in try nacre.run("config", "show", "--json").objects() {
            settings[try #require(row["key"] as? String)] = [
                try #require(row["value"] as? String), try #require(row["origin"] as? String),
            ]
        }
        #expect(settings["import.threads"] == ["5", "NACRE_IMPORT_THREADS"])
        #expect(settings["gc.grace"] == ["2h", file + ":2"])
        #expect(settings["import.profile"] == ["unixfs-v0-2015", file + ":6"])
        #expect(settings["gc.max_unused"] == ["5%", "default"])
        let shown = try nacre.run("config", "show").lines
        #expect(
            shown.contains { $0.hasPrefix("import.threads = 5") && $0.hasSuffix("# NACRE_IMPORT_THREADS") })
        #expect(shown.count == settings.count)
        // And a flag over all of them.
        #expect(try nacre.run(["add", "-Q", "--only-hash", "-"], input: [1, 2]).lines[0].hasPrefix("Qm"))
        let flagged = try nacre.run(
            ["add", "-Q", "--only-hash", "--profile", "unixfs-v1-2025", "-"], input: [1, 2])
        #expect(flagged.lines[0].hasPrefix("bafkrei"))
    }

    @Test func theDefaultFileIsRightAndSaysTheDefaults() throws {
        let plain = try nacre.run("config", "show", "--json").objects()
        let text = try nacre.run("config", "default")
        #expect(text.status == 0)
        try directory.write(text.output, to: "data/nacre.toml")
        let checked = try nacre.run("config", "check")
        #expect(checked.status == 0, "\(checked.errors)")
        let written = try nacre.run("config", "show", "--json").objects()
        #expect(plain.map { $0["key"] as? String } == written.map { $0["key"] as? String })
        #expect(plain.map { $0["value"] as? String } == written.map { $0["value"] as? String })
        #expect(plain.allSatisfy { $0["origin"] as? String == "default" })
        #expect(written.allSatisfy { ($0["origin"] as? String)?.contains("nacre.toml:") == true })
    }
}
