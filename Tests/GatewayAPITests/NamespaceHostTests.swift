import Catalog
import GatewayAPI
import IPNS
import Multiformats
import Namespaces
import NodeCore
import TestKit
import Testing

/// Hosts have no case: `NAME.n.HOST` of namespaces and published names that differ by no more.
@Suite struct NamespaceHostTests {
    let laboratory: GatewayLaboratory
    private let host = "n.dweb.example:8080"

    init() throws {
        var options = GatewayOptions()
        options.subdomainHosts = ["dweb.example"]
        laboratory = try GatewayLaboratory(options: options)
    }

    private func make(_ name: String, _ visibility: NamespaceVisibility = .public) throws {
        let made = try laboratory.node.namespaces.create(name, project: .default, visibility: visibility)
        let place = TreeChange.Place(parent: made.root, name: "in \(name)")
        _ = try laboratory.node.namespaces.commit(
            [TreeOperation(.makeDirectory(at: place, node: nil, .init()))], to: made.id,
            author: ChangeAuthor(device: "test"))
    }

    private func publish(_ label: String) throws -> String {
        let entry = try laboratory.node.createName(label)
        let root = try laboratory.load("dir_listing__fixtures.car")
        _ = try laboratory.node.publish(ContentPath(text: "/ipfs/\(root)"), as: entry)
        return entry.id.ipnsName
    }

    @Test func aNamespaceWithCapitalsHasAnOriginOfItsOwn() throws {
        try make("Recipes")
        let sent = try laboratory.get("/n/Recipes/a/?x=1", host: "dweb.example:8080")
        #expect(sent.status == 302 && sent["Location"] == "http://recipes.\(host)/a/?x=1")
        #expect(try laboratory.get("/", host: "recipes.\(host)").text.contains("in Recipes"))
        #expect(try laboratory.get("/n/recipes/").status == 404, "in a path case counts")
        let version = try laboratory.get("/n/Recipes@1/", host: "dweb.example:8080")
        #expect(version.status == 200, "a version keeps its path")
    }

    @Test func oneOfSmallLettersGoesFirst() throws {
        try make("recipes")
        try make("Recipes")
        #expect(try laboratory.get("/", host: "recipes.\(host)").text.contains("in recipes"))
        let other = try laboratory.get("/n/Recipes/", host: "dweb.example:8080")
        #expect(other.status == 200 && other.text.contains("in Recipes"), "by its path, and no further")
    }

    @Test func severalThatDifferByCaseAloneAreNamed() throws {
        try make("Recipes")
        try make("RECIPES")
        try make("reCipes", .private)
        let answer = try laboratory.get("/", host: "recipes.\(host)")
        #expect(answer.status == 404 && answer.text.contains("/n/RECIPES/, /n/Recipes/"))
        #expect(!answer.text.contains("reCipes"), "one that may not be read is not there")
        for name in ["Recipes", "RECIPES"] {
            let shown = try laboratory.get("/n/\(name)/", host: "dweb.example:8080")
            #expect(shown.status == 200 && shown.text.contains("in \(name)"))
        }
        #expect(try laboratory.get("/n/reCipes/", host: "dweb.example:8080").status == 404)
    }

    @Test func aPublishedNameLeadsToTheHostOfItsKey() throws {
        let key = try publish("blog")
        try make("Blog")
        // To a path below itself it would lead for good.
        let answer = try laboratory.get("/a/?x=1", host: "blog.\(host)")
        #expect(answer.status == 302)
        #expect(answer["Location"] == "http://\(key).ipns.dweb.example:8080/a/?x=1")
        #expect(try laboratory.get("/", host: "\(key).ipns.dweb.example:8080").status == 200)
        #expect(try laboratory.get("/", host: "\(key).\(host)")["Location"]?.contains("ipns.dweb") == true)
        let namespace = try laboratory.get("/n/Blog/", host: "dweb.example:8080")
        #expect(namespace.status == 200 && namespace.text.contains("in Blog"))
    }

    @Test func aPublishedNameWithCapitalsIsFoundWhereItIsTheOnlyOne() throws {
        let key = try publish("Blog")
        #expect(try laboratory.get("/", host: "blog.\(host)")["Location"]?.contains(key) == true)
        _ = try publish("BLOG")
        let answer = try laboratory.get("/", host: "blog.\(host)")
        #expect(answer.status == 404 && answer.text.contains("/n/BLOG/, /n/Blog/"))
        #expect(try laboratory.get("/n/Blog/x")["Location"] == "/ipns/\(key)/x")
    }
}
