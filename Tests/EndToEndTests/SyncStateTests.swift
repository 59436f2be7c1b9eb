import Foundation
import TestKit
import Testing

/// What a folder says of itself, and what ends what it holds: the real program, with a daemon and without.
@Suite struct SyncStateTests: SyncSuite {
    let laboratory: SyncLaboratory

    init() throws {
        laboratory = try SyncLaboratory()
        for file in ["a", "b"] { try write(file, "one/" + file) }
        _ = try must("sync", directory.path("one"), "recipes", "--once")
    }

    @Test(arguments: [false, true]) func aFolderThatReceivesIsPutBack(withDaemon: Bool) throws {
        let two = directory.path("two")
        _ = try must(other, ["sync", two, "recipes", "--mode", "pull-only", "--once"])
        let daemon = withDaemon ? try RunningNacre(other, ["sync", "--daemon"]) : nil
        try daemon?.wait("it runs") { try other.run("sync", "status").text.contains("settled") }
        try write("edited", "two/a")
        try FileManager.default.removeItem(atPath: two + "/b")
        try write("mine", "two/mine")
        if !withDaemon {
            let held = try other.run("sync", two, "--once")
            #expect(held.status == 3 && held.errors.contains("the folder only receives"), "\(held.errors)")
        }
        let done = try must(other, ["sync", "revert", two])
        #expect(
            done.text.contains("is what namespace recipes says: 2 fetched again, 1 removed"), "\(done.text)")
        #expect(try files("two") == ["a": "a", "b": "b"])
        #expect(try must(other, ["sync", "revert", two]).text.contains("nothing had to be replaced"))
        let wrong = try other.run("sync", "override", two)
        #expect(wrong.status == 6 && wrong.errors.contains("takes over what is changed on the node"))
        if let daemon {
            try write("later", "two/later")
            try daemon.wait("it is listed") {
                try other.run("sync", "status").text.contains("`nacre sync revert \(two)` puts back")
            }
            daemon.signal(SIGTERM)
            _ = try daemon.end()
        }
        try node.stop()
    }

    @Test(arguments: [false, true]) func aNamespaceBecomesWhatTheFolderThatSendsIs(withDaemon: Bool) throws {
        let two = directory.path("two")
        _ = try must(other, ["sync", two, "recipes", "--once"])
        _ = try must(other, ["sync", two, "--mode", "push-only", "--once"])
        let daemon = withDaemon ? try RunningNacre(other, ["sync", "--daemon"]) : nil
        try daemon?.wait("it runs") { try other.run("sync", "status").text.contains("settled") }
        try write("edited", "one/a")
        try FileManager.default.removeItem(atPath: directory.path("one/b"))
        try write("theirs", "one/theirs")
        _ = try must("sync", directory.path("one"), "--once")
        if !withDaemon {
            let held = try other.run("sync", two, "--once")
            #expect(held.status == 3 && held.errors.contains("the folder only sends"), "\(held.errors)")
        }
        let done = try must(other, ["sync", "override", two])
        #expect(
            done.text.contains("namespace recipes is what \(two) says: 2 sent, 1 removed"), "\(done.text)")
        #expect(try files("two") == ["a": "a", "b": "b"])
        _ = try must("sync", directory.path("one"), "--once")
        #expect(try files("one") == ["a": "a", "b": "b"])
        if let daemon {
            daemon.signal(SIGTERM)
            _ = try daemon.end()
        }
        try node.stop()
    }

    @Test func whatWasWhenNothingRunsIsTold() throws {
        let status = try must("sync", "status").text
        #expect(status.contains("not-running; 0 s ago it was settled (2 sent, 0 received)"), "\(status)")
        _ = try must("sync", "pause", directory.path("one"))
        #expect(
            try must("sync", "resume").errors.contains("/one is synced again as soon as `nacre sync` runs"))
        #expect(
            try must("sync", "ignore", directory.path("one"), "*.tmp").errors.contains("has *.tmp as well"))
        try node.stop()
        let offline = try nacre.run("sync", directory.path("one"), "--once")
        #expect(offline.status == 1 && offline.errors.contains("start `nacre serve`"), "\(offline.errors)")
        let status2 = try nacre.run("sync", "status").text
        #expect(status2.contains("it was offline") && status2.contains("both were equal"), "\(status2)")
        // Nobody listens there.
        let elsewhere = try nacre.run(
            "sync", directory.path("two"), "recipes", "--create", "--once", "--node", "http://127.0.0.1:1")
        #expect(elsewhere.errors.contains("http://127.0.0.1:1: connection refused"), "\(elsewhere.errors)")
    }

    @Test func aMemberThatMayOnlyReadReceivesAndOneThatMayNothingIsTold() throws {
        try write("secret word\n", "password")
        _ = try must("user", "add", "bob", "--password-file", directory.path("password"))
        _ = try must("ns", "members", "recipes", "add", "bob", "--role", "editor")
        let key = try must(
            "key", "create", "--name", "bob", "--user", "bob", "--scope", "namespace:default/recipes",
            "--allow",
            "read,write,delete")
        let two = directory.path("two")
        _ = try must(
            other, ["sync", two, "recipes", "--once", "--token", try #require(key.lines.first)])
        let daemon = try RunningNacre(other, ["sync", "--daemon"])
        func says(_ text: String) throws -> Bool { try other.run("sync", "status").text.contains(text) }
        try daemon.wait("it runs") { try says("settled") }
        _ = try must("ns", "members", "recipes", "add", "bob", "--role", "viewer")
        try write("held", "two/held")
        try daemon.wait("it may only read") { try says("read_only, 1 to do") }
        try write("new", "one/new")
        _ = try must("sync", directory.path("one"), "--once")
        try daemon.wait("it receives") { try files("two")["new"] == "new" }
        #expect(try files("one") == ["a": "a", "b": "b", "new": "new"])
        _ = try must("ns", "members", "recipes", "rm", "bob")
        // Nothing is changed here: the next question that waits for news is refused.
        _ = try must("sync", directory.path("one"), "--once")
        try write("another", "one/another")
        _ = try must("sync", directory.path("one"), "--once")
        try daemon.wait("it may nothing") { try says("stopped") && says("namespace recipes") }
        #expect(try files("two").keys.sorted() == ["a", "b", "held", "new"])
        daemon.signal(SIGTERM)
        _ = try daemon.end()
        try node.stop()
    }

    /// What somebody else changed within a large removal is planned anew, in parts that were each small enough.
    @Test func noPartOfALargeRemovalGoesBeforeAPersonAnswers() throws {
        for number in 0..<240 { try write("\(number)", "one/d\(number % 12)/f\(number)") }
        let one = directory.path("one")
        _ = try must("sync", one, "--once")
        _ = try must(other, "sync", directory.path("two"), "recipes", "--once")
        try withDaemon(true, nacre) {
            for number in 0..<9 { try FileManager.default.removeItem(atPath: one + "/d\(number)") }
            for _ in 0..<300 where try !nacre.run("sync", "status").text.contains("nacre sync confirm") {
                usleep(100_000)
            }
            for number in 0..<2 { try write("edited", "two/d\(number)/f\(number)") }
            _ = try must(other, "sync", directory.path("two"), "--once")
            for _ in 0..<300 where !FileManager.default.fileExists(atPath: one + "/d1/f1") { usleep(100_000) }
            _ = try must(other, "sync", directory.path("two"), "--once")
            for number in 0..<12 { #expect(try names("two/d\(number)").count == 20, "d\(number)") }
            _ = try must("sync", "decline", one)
        }
        for number in 0..<12 { #expect(try names("one/d\(number)").count == 20, "d\(number)") }
        try node.stop()
    }

    /// A file that was touched is looked at when it rests, and by then its directory is another one's: it was sent
    /// an hour later.
    @Test func whatIsEditedInADirectoryThatAnotherOneMovesIsSentFromWhereItIs() throws {
        for number in 0..<3 { try write("\(number)", "one/d/deep/f\(number)") }
        let two = directory.path("two")
        _ = try must("sync", directory.path("one"), "--once")
        _ = try must(other, "sync", two, "recipes", "--once")
        try withDaemon(true, nacre) {
            try write("edited", "one/d/deep/f1")
            try write("new", "one/d/deep/new")
            try FileManager.default.moveItem(atPath: two + "/d", toPath: two + "/e")
            _ = try must(other, "sync", two, "--once")
            for _ in 0..<200 where !FileManager.default.fileExists(atPath: two + "/e/deep/new") {
                _ = try must(other, "sync", two, "--once")
                usleep(100_000)
            }
            let expected = ["f0": "0", "f1": "edited", "f2": "2", "new": "new"]
            #expect(try files("two/e/deep") == expected)
            #expect(try files("one/e/deep") == expected)
        }
        try node.stop()
    }

    @Test func aNamespaceThatIsDeletedIsNoticedWithoutAnEdit() throws {
        let daemon = try RunningNacre(nacre, ["sync", "--daemon"])
        try daemon.wait("it runs") { try nacre.run("sync", "status").text.contains("settled") }
        _ = try must("ns", "rm", "recipes")
        var said = ""
        try daemon.wait("it stops") {
            said = try nacre.run("sync", "status").text
            return said.contains("stopped")
        }
        #expect(said.contains("namespace recipes") && said.contains("nacre ns undelete recipes"), "\(said)")
        #expect(try files("one") == ["a": "a", "b": "b"])
        _ = try must("ns", "undelete", "recipes")
        try daemon.wait("it goes on") { try nacre.run("sync", "status").text.contains("settled") }
        daemon.signal(SIGTERM)
        _ = try daemon.end()
        try node.stop()
    }

    /// The new file was called a case conflict with one that was not there any more.
    @Test func aFileThatIsCopiedToAnotherCaseAndRemovedHasOneNameAndNoConflict() throws {
        for folder in ["readme", "Notes"] { try write("text", "one/\(folder)/readme") }
        _ = try must("sync", directory.path("one"), "--once")
        try withDaemon(true, nacre) {
            let one = directory.path("one")
            try FileManager.default.copyItem(atPath: one + "/Notes/readme", toPath: one + "/Notes/README")
            try FileManager.default.removeItem(atPath: one + "/Notes/readme")
            try FileManager.default.copyItem(atPath: one + "/readme", toPath: one + "/README")
            try FileManager.default.removeItem(atPath: one + "/readme")
            _ = try must("sync", one, "--once")
        }
        _ = try must(other, "sync", directory.path("two"), "recipes", "--once")
        for folder in ["one", "two"] {
            #expect(try names(folder) == ["Notes", "README", "a", "b"])
            #expect(try names(folder + "/Notes") == ["README"])
        }
        let status = try must("sync", "status").text
        #expect(!status.contains("conflict"), "\(status)")
        // They are the same nodes, with their history.
        let log = try must("ns", "log", "recipes", "Notes/README")
        #expect(log.text.contains("move") && log.text.contains("create"), "\(log.text)")
        try node.stop()
    }
}
