import BlockStorage
import GatewayAPI
import HTTPSupport
import HTTPTypes
import IPLD
import Multiformats
import NodeCore
import TestKit
import Testing
import UnixFS

/// What the node's own pages link to and claim.
@Suite struct PageTests {
    private static let browser = ["Accept": "text/html"]

    private func directory(_ entries: [(name: String, cid: CID)]) -> Block {
        let links = entries.map { DAGPBLink(cid: $0.cid, name: Array($0.name.utf8), tsize: 1) }
        let data = UnixFSData(kind: .directory, metadata: UnixFSMetadata()).encoded()
        return Block(content: DAGPBNode(links: links, data: data).encoded(), codec: .dagPB)
    }

    @Test func foldersAreLinkedSoThatTheyOpenAtOnce() throws {
        let laboratory = try GatewayLaboratory()
        let file = Block(content: [1, 2, 3])
        let inner = directory([("a.bin", file.cid)])
        let outer = directory([("a.bin", file.cid), ("sub", inner.cid)])
        for block in [file, inner, outer] { try laboratory.node.store.put(block, scope: .public) }
        let page = try laboratory.get("/ipfs/\(outer.cid)/").text
        let link = "/ipfs/\(outer.cid)/sub/"
        #expect(page.contains("href=\"\(link)\">sub</a>"))
        #expect(page.contains("href=\"/ipfs/\(outer.cid)/a.bin\">"))
        #expect(try laboratory.get(link).status == 200)
    }

    @Test func pagesSayHowManyEntriesThereAreAndLeadToTheFirst() throws {
        var options = GatewayOptions()
        options.pageEntries = 10
        let laboratory = try GatewayLaboratory(options: options)
        let file = Block(content: [1])
        let folder = directory((10..<35).map { ("\($0)", file.cid) })
        for block in [file, folder] { try laboratory.node.store.put(block, scope: .public) }
        let path = "/ipfs/\(folder.cid)/"
        var (page, counts) = (try laboratory.get(path).text, [String]())
        #expect(!page.contains("rel=\"first\""))
        while true {
            let caption = try #require(page.firstMatch(of: /<caption>(.*)<\/caption>/)?.output.1)
            counts.append(String(caption))
            guard let next = page.firstMatch(of: /rel="next" href="([^"]+)"/)?.output.1 else { break }
            page = try laboratory.get(path + next).text
            #expect(page.contains("<a rel=\"first\" href=\"?\">First page</a>"))
        }
        #expect(
            counts == [
                "10 of 25 entries on this page", "10 of 25 entries on this page",
                "5 of 25 entries on this page",
            ])
        let small = directory([("a", file.cid)])
        try laboratory.node.store.put(small, scope: .public)
        #expect(try laboratory.get("/ipfs/\(small.cid)/").text.contains("<caption>1 entry</caption>"))
    }

    @Test func aPageClaimsOnlyWhatIsTrueOfIt() throws {
        let laboratory = try GatewayLaboratory()
        let folder = directory([])
        try laboratory.node.store.put(folder, scope: .public)
        let listing = try laboratory.get("/ipfs/\(folder.cid)/", Self.browser)
        #expect(listing.text.contains("checked the blocks of this page"))
        let absent = try laboratory.get("/ipfs/\(Block(content: [9]).cid)", Self.browser)
        #expect(absent.status == 404 && absent.text.contains("<footer>") && !absent.text.contains("checked"))
    }

    @Test func theFirstPageLeadsOn() throws {
        let ways = [
            HomePage.Way("/api/v1/openapi.json", "describes <the API>"), HomePage.Way("", "Read docs."),
        ]
        func answer(_ fields: HTTPFields) throws -> DoorResponse {
            HomePage.response(
                to: DoorRequest(method: .get, target: try RequestTarget("/"), fields: fields), ways: ways)
        }
        let page = try answer([.accept: "text/html"])
        guard case .bytes(let html) = page.body, case .bytes(let text) = try answer([:]).body else {
            Issue.record("there is a body")
            return
        }
        let shown = String(decoding: html, as: UTF8.self)
        #expect(shown.contains("<a href=\"/api/v1/openapi.json\">") && shown.contains("&lt;the API&gt;"))
        #expect(page.fields[.contentSecurityPolicy] != nil && page.fields[.vary] == "Accept")
        #expect(String(decoding: text, as: UTF8.self).contains("/api/v1/openapi.json  describes"))
    }
}
