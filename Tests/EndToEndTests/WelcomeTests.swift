import Foundation
import TestKit
import Testing

/// `nacre serve --welcome`: something to look at on a node that holds nothing.
@Suite struct WelcomeTests {
    let directory: TemporaryDirectory
    let nacre: NacreProcess

    init() throws {
        directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        nacre = NacreProcess(data: directory.path("data"))
    }

    @Test func anEmptyNodeGetsAPublishedFolderOnce() throws {
        let node = try ServedNode(nacre, ["--welcome"])
        try node.stop()
        let pins = try nacre.run("pin", "ls", "--json").objects()
        #expect(pins.count == 1 && pins.first?["name"] as? String == "welcome")
        #expect(pins.first?["visibility"] as? String == "public")
        let root = try #require(pins.first?["cid"] as? String)
        let again = try ServedNode(nacre, ["--welcome"])
        let page = try again.get("/ipfs/\(root)/")
        #expect(page.hasPrefix("HTTP/1.1 200 ") && page.contains("Your Nacre node is running"))
        // Every link of the page leads somewhere, but for the one that shows the page of errors.
        let links = page.matches(of: /(?:href|src)="([^"]+)"/).map { String($0.output.1) }
        #expect(links.count > 5)
        for link in Set(links) {
            let path = link.hasPrefix("./") ? String(link.dropFirst(2)) : link
            let answer = try again.get("/ipfs/\(root)/\(path)")
            #expect(answer.hasPrefix(link.contains("lost") ? "HTTP/1.1 404 " : "HTTP/1.1 200 "), "\(link)")
        }
        try again.stop()
        #expect(try nacre.run("pin", "ls").lines.count == 1)
        #expect(try nacre.run("verify").status == 0)
    }

    @Test func aNodeThatHoldsSomethingIsLeftAlone() throws {
        _ = try nacre.run(["add", "-"], input: [1])
        try ServedNode(nacre, ["--welcome"]).stop()
        #expect(try nacre.run("pin", "ls").lines.count == 1)
        let other = NacreProcess(data: directory.path("other"))
        try ServedNode(other).stop()
        #expect(try other.run("pin", "ls").lines.isEmpty, "nobody asked for it")
    }

    /// As with `make run 2>&1 | cat`, and in logs of machines: what was asked for is said without a terminal.
    @Test func whatToOpenIsPrintedWithoutATerminalToo() throws {
        let node = try ServerProcess(nacre, arguments: ["--welcome"])
        let root = try #require(try nacre.run("pin", "ls", "--json").objects().first?["cid"] as? String)
        try node.running.wait("the link is there") {
            try node.running.errors().contains("\(node.address)/ipfs/\(root)/")
        }
        #expect(try !node.running.errors().contains("\u{1B}"))
        try node.stop()
        let silent = NacreProcess(data: directory.path("silent"))
        let other = try ServerProcess(silent)
        #expect(try !other.running.errors().contains("Nacre serves"), "nobody asked for it")
        try other.stop()
    }
}
