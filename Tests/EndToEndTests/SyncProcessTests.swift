import Foundation
import TestKit
import Testing

/// What the process that syncs says of itself to people, programs and systemd.
@Suite struct SyncProcessTests: SyncSuite {
    let laboratory: SyncLaboratory

    init() throws {
        laboratory = try SyncLaboratory()
        try write("leek", "Recipes/soups/leek")
    }

    private func json(_ outcome: NacreProcess.Outcome) throws -> [[String: Any]] {
        try outcome.lines.map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
    }

    /// It printed nothing, as if it were broken.
    @Test func nothingThatIsSyncedIsSaid() throws {
        let text = "no folder is synced; `nacre sync DIR` adds one\n"
        let status = try must("sync", "status")
        #expect(status.text.isEmpty && status.errors == text)
        let json = try must("sync", "status", "--json")
        #expect(json.text.isEmpty && json.errors.isEmpty)
        #expect(try must("sync", "pause").errors == text)
        try node.stop()
    }

    /// A second daemon ended with 0 and a hint at folders that it took over.
    @Test func aSecondDaemonIsRefusedAndAFolderIsTakenOver() throws {
        let (one, two) = (directory.path("Recipes"), directory.path("Notes"))
        try write("a", "Notes/a")
        // It runs one folder, and is told of the other.
        let running = try RunningNacre(nacre, ["sync", one, "recipes"])
        try running.wait("it is done") { try running.errors().contains("/Recipes: settled") }
        let said = try running.errors()
        #expect(said.contains("/Recipes: starting\n") && !said.contains("not-running"), "\(said)")
        let second = try nacre.run("sync", "--daemon")
        #expect(second.status == 6 && second.errors.contains("another process syncs folders already"))
        let added = try must("sync", two, "notes")
        #expect(added.errors.contains("takes the folder over"), "\(added.errors)")
        try running.wait("both are done") { try running.errors().contains("/Notes: settled") }
        running.signal(SIGTERM)
        _ = try running.end()
        try node.stop()
    }

    @Test(arguments: [false, true]) func systemdHearsThatTheFoldersAreLoaded(isAbstract: Bool) throws {
        _ = try must("sync", directory.path("Recipes"), "recipes", "--once")
        let name = isAbstract ? "@nacre-test-\(UUID().uuidString)" : directory.path("notify")
        let socket = try NotificationSocket(name)
        var nacre = nacre
        nacre.environment["NOTIFY_SOCKET"] = socket.path
        let running = try RunningNacre(nacre, ["sync", "--daemon"])
        let ready = try socket.next()
        #expect(ready.first == "READY=1" && ready.last?.hasPrefix("STATUS=1 folders: 1 ") == true, "\(ready)")
        // Whoever waits for it can ask at once.
        #expect(try !must("sync", "status").text.contains("not-running"))
        _ = try socket.wait(for: "STATUS=1 folders: 1 settled")
        running.signal(SIGTERM)
        _ = try socket.wait(for: "STOPPING=1")
        #expect(try running.end().status == 0)
        try node.stop()
    }

    @Test func theUnitRunsThisProgram() throws {
        let program = try #require(
            try Tool.run("readlink", "-f", NacreProcess.executable.path).output.split(separator: "\n").first
                .map(String.init))
        var nacre = nacre
        nacre.environment["NACRE_SYNC_HOME"] = directory.path("a home/100%")
        nacre.environment["XDG_CONFIG_HOME"] = directory.path("configuration")
        let unit = try nacre.run("sync", "unit")
        #expect(
            unit.status == 0 && unit.text.contains("\nExecStart=\(program) sync --daemon\n"), "\(unit.text)")
        let home = directory.path("a home/100%%")
        #expect(unit.text.contains("\nEnvironment=\"NACRE_SYNC_HOME=\(home)\"\n"), "\(unit.text)")
        let installed = try nacre.run("sync", "unit", "--install")
        #expect(installed.errors.contains("systemctl --user enable --now nacre-sync.service"))
        let path = directory.path("configuration/systemd/user/nacre-sync.service")
        #expect(try String(contentsOfFile: path, encoding: .utf8) == unit.text)
        if Tool.areHere("systemd-analyze") {
            // What it says of other units of this machine is not ours.
            let verified = try Tool.run(
                "env", "XDG_RUNTIME_DIR=" + directory.path, "systemd-analyze", "verify", "--user", "--man=no",
                path)
            #expect(
                verified.status == 0 && !verified.output.contains("nacre-sync"), "\(verified.output)")
        }
        // What is packaged is the same, for a program at its usual place.
        let packaged = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appending(path: "../../packaging/systemd/nacre-sync.service")
        let usual = unit.text.split(separator: "\n", omittingEmptySubsequences: false)
            .filter { !$0.hasPrefix("Environment=") }.joined(separator: "\n")
            .replacing(program, with: "/usr/local/bin/nacre")
        #expect(try String(contentsOf: packaged, encoding: .utf8) == usual)
        try node.stop()
    }

    @Test func verbsThatChangeSomethingPrintJSON() throws {
        let folder = directory.path("Recipes")
        _ = try must("sync", folder, "recipes", "--once")
        for (verb, isPaused) in [("pause", true), ("resume", false)] {
            let told = try #require(try json(try must("sync", verb, "--json")).first)
            #expect(told["path"] as? String == folder && told["paused"] as? Bool == isPaused, "\(told)")
            #expect(told["running"] as? Bool == false && told["namespace"] as? String == "recipes")
        }
        let added = try json(try must("sync", "ignore", folder, "*.tmp", "#x", "--json"))[0]
        #expect(added["added"] as? [String] == ["*.tmp", "\\#x"], "\(added)")
        let rules = try json(try must("sync", "ignore", folder, "--json"))[0]
        #expect(rules["patterns"] as? [String] == ["*.tmp", "\\#x"] && rules["added"] as? [String] == [])
        #expect((rules["defaults"] as? [String])?.contains("*~") == true)
        let copy = folder + "/leek (conflict 2026-11-21 1925 laptop)"
        try write("copy", copy)
        let resolved = try json(try must("sync", "resolve", copy, "--keep", "both", "--json"))[0]
        #expect(resolved["path"] as? String == folder + "/leek 2" && resolved["keep"] as? String == "both")
        try withDaemon(true, nacre) {
            let rescanned = try json(try must("sync", "rescan", folder, "--json"))
            #expect(rescanned.first?["path"] as? String == folder)
        }
        let removed = try json(try must("sync", "rm", folder, "--json"))
        #expect(removed.first?["path"] as? String == folder && removed.first?["removed"] as? Bool == true)
        try node.stop()
    }

    /// `--up -5` was said to have no value.
    @Test(arguments: ["-5", "4000001", "99999999999999999999", "fast", ""])
    func aLimitThatIsNoneIsNamed(value: String) throws {
        let folder = directory.path("Recipes")
        for flag in ["--up", "--down", "--prefetch"] {
            let refused = try nacre.run("sync", folder, flag, value)
            #expect(
                refused.status == 2 && refused.errors.contains("\(flag) is 0 (for no"), "\(refused.errors)")
            #expect(refused.errors.contains("such as \(flag) 5"), "\(refused.errors)")
        }
        _ = try must("sync", folder, "recipes", "--once", "--up", "0", "--down=4000000")
        try node.stop()
    }

    /// All containers of one image were called alike.
    @Test func machinesOfOneNameAreToldApart() throws {
        _ = try must("sync", directory.path("Recipes"), "recipes", "--once")
        _ = try must(other, "sync", directory.path("copy"), "recipes", "--once")
        try write("peas", "copy/soups/peas")
        _ = try must(other, "sync", directory.path("copy"), "--once")
        let names = try json(try must("sync", "devices", "--json")).compactMap { $0["name"] as? String }
            .sorted()
        #expect(names.count == 2 && names.last == (names.first ?? "") + "-2", "\(names)")
        let log = try must("ns", "log", "recipes")
        #expect(log.lines.first?.hasSuffix(" create soups/peas by \(names[1])") == true, "\(log.text)")
        #expect(log.lines.last?.hasSuffix(" by \(names[0])") == true, "\(log.text)")
        try node.stop()
        // As the node's own door says it.
        #expect(try must("ns", "log", "recipes").text == log.text)
    }
}
