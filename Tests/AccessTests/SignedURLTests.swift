import Access
import Catalog
import Foundation
import Multiformats
import Synchronization
import TestKit
import Testing

/// Signed URLs: what was signed is allowed, and nothing else.
@Suite struct SignedURLTests {
    let fixture: AccessFixture
    let issued: IssuedGrant

    init() throws {
        fixture = try AccessFixture()
        issued = try fixture.issue(OperationSet([.read, .write, .keys]))
    }

    private func sign(
        _ method: String = "PUT", _ path: String = "/api/v1/uploads",
        _ change: (inout SignedURLDraft) -> Void = { _ in }
    ) throws -> SignedRequest {
        var draft = SignedURLDraft(method: method, path: path, expires: fixture.now + 60_000)
        change(&draft)
        let url = try fixture.authority.urls.sign(
            draft, on: issued.grant.id, by: try fixture.principal(issued))
        let parts = url.split(separator: "?", maxSplits: 1).map(String.init)
        return SignedRequest(method: method, path: parts[0], query: parts[1])
    }

    private func use(_ request: SignedRequest, _ facts: RequestFacts = RequestFacts()) throws -> Admission {
        let principal = try fixture.authorizer.principal(for: .signedURL(request))
        let operation: Access.Operation = request.method == "PUT" ? .write : .read
        return try fixture.authorizer.authorize(principal, operation, on: defaultProject, facts: facts)
    }

    @Test func anUploadIsGoodOnceAndAReplayIsRefused() throws {
        let request = try sign()
        #expect(SignedURL.isSigned(query: request.query))
        try use(request).settle(bytes: 10)
        #expect(throws: AccessError.usesExhausted(limit: 1)) { try use(request) }
        #expect(try fixture.authority.urls.uses(of: request).used == 1)
        try use(try sign()).giveBack()
    }

    @Test func aHundredAtOnceUploadOnce() throws {
        let request = try sign()
        let allowed = Mutex(0)
        DispatchQueue.concurrentPerform(iterations: 100) { _ in
            if accessError({ _ = try use(request) }) == nil { allowed.withLock { $0 += 1 } }
        }
        #expect(allowed.withLock { $0 } == 1)
    }

    @Test func everyChangedByteIsRefused() throws {
        let request = try sign { draft in
            draft.maximumBytes = 100
            draft.contentType = try? ContentTypePattern(text: "image/*")
            draft.query = "name=a%20b"
        }
        _ = try fixture.authorizer.principal(for: .signedURL(request))
        for part in [\SignedRequest.path, \SignedRequest.query] {
            let original = Array(request[keyPath: part].utf8)
            for index in original.indices {
                for replacement in [
                    UInt8(ascii: "0"), UInt8(ascii: "Z"), UInt8(ascii: "&"), UInt8(ascii: "%"),
                ]
                where original[index] != replacement {
                    var bytes = original
                    bytes[index] = replacement
                    var changed = request
                    changed[keyPath: part] = String(decoding: bytes, as: UTF8.self)
                    #expect(throws: AccessError.credentialsInvalid, "\(changed.path)?\(changed.query)") {
                        try fixture.authorizer.principal(for: .signedURL(changed))
                    }
                }
            }
        }
    }

    @Test(arguments: ["&more=1", "&nacre-uses=9", "&nacre-max-bytes=1000", "&nacre-grant=", "&name=a"])
    func nothingCanBeAdded(addition: String) throws {
        var request = try sign()
        request.query += addition
        #expect(throws: AccessError.credentialsInvalid) {
            try fixture.authorizer.principal(for: .signedURL(request))
        }
    }

    @Test func limitsCannotBeLeftOut() throws {
        let request = try sign { $0.maximumBytes = 100 }
        for parameter in ["nacre-max-bytes=100", "nacre-uses=1"] {
            var shorter = request
            shorter.query = request.query.split(separator: "&").filter { $0 != parameter }
                .joined(separator: "&")
            #expect(shorter != request || parameter == "nacre-uses=1")
            if shorter == request { continue }
            #expect(throws: AccessError.credentialsInvalid) {
                try fixture.authorizer.principal(for: .signedURL(shorter))
            }
        }
    }

    @Test func theOrderOfParametersAndTheirSpellingDoNotMatter() throws {
        var request = try sign("GET", "/n/photos/it's~.jpg") { $0.query = "b=2&a=%7e" }
        request.query = request.query.split(separator: "&").reversed().joined(separator: "&")
        request.path = request.path.replacing("%27", with: "'").replacing("~", with: "%7E")
        _ = try use(request)
        request.method = "HEAD"
        _ = try use(request)
        for method in ["PUT", "POST", "DELETE", "get"] {
            request.method = method
            #expect(throws: AccessError.credentialsInvalid) {
                try fixture.authorizer.principal(for: .signedURL(request))
            }
        }
    }

    @Test(arguments: ["/n/photos%2Fa", "/n/photos//a", "/n/photos/a/", "/n/photos/./a", "/n/x/../photos/a"])
    func anotherPathIsAnotherURL(path: String) throws {
        var request = try sign("GET", "/n/photos/a")
        request.path = path
        #expect(throws: AccessError.credentialsInvalid) {
            try fixture.authorizer.principal(for: .signedURL(request))
        }
    }

    @Test func itEndsWithTimeWithItsGrantAndByItself() throws {
        let (late, alone, cut) = (try sign("GET", "/a"), try sign("GET", "/b"), try sign("GET", "/c"))
        try fixture.authority.urls.revoke(alone)
        #expect(throws: AccessError.revoked) { try use(alone) }
        _ = try use(late)
        fixture.clock.advance(milliseconds: 60_000)
        #expect(throws: AccessError.expired(at: fixture.now)) { try use(late) }
        _ = try fixture.authority.grants.revoke(issued.grant.id, by: .localAdministrator)
        #expect(throws: AccessError.self) { try use(cut) }
    }

    @Test func itAllowsNoMoreThanItSays() throws {
        let root = try CID(text: "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku")
        let request = try sign { draft in
            draft.maximumBytes = 100
            draft.maximumUses = 9
            draft.root = root
            draft.contentType = try? ContentTypePattern(text: "image/*")
        }
        let principal = try fixture.authorizer.principal(for: .signedURL(request))
        #expect(throws: AccessError.operationNotAllowed(.read)) {
            try fixture.authorizer.authorize(principal, .read, on: defaultProject)
        }
        let image = "image/png"
        #expect(throws: AccessError.tooLarge(bytes: 101, limit: 100)) {
            try use(request, RequestFacts(contentType: image, bytes: 101))
        }
        #expect(throws: AccessError.contentTypeNotAllowed("text/html")) {
            try use(request, RequestFacts(contentType: "text/html"))
        }
        let admission = try use(request, RequestFacts(contentType: image))
        #expect(admission.maximumBytes == 100 && admission.requiredRoot == root)
        try admission.check(root: root, bytes: 100)
        #expect(throws: AccessError.tooLarge(bytes: 101, limit: 100)) {
            try admission.check(root: root, bytes: 101)
        }
        let other = try CID(text: "bafkqaaa")
        #expect(throws: AccessError.wrongContent(expected: root, actual: other)) {
            try admission.check(root: other, bytes: 1)
        }
        #expect(throws: AccessError.operationNotAllowed(.keys)) {
            try fixture.authority.grants.create(
                GrantDraft(name: "x", operations: OperationSet([.write])), by: principal)
        }
    }

    @Test func usesOfTheURLCountForItsGrant() throws {
        let limited = try fixture.issue(OperationSet([.write, .keys])) { $0.maximumUses = 2 }
        let principal = try fixture.principal(limited)
        var draft = SignedURLDraft(method: "PUT", path: "/a", expires: fixture.now + 60_000)
        draft.maximumUses = 5
        let url = try fixture.authority.urls.sign(draft, on: limited.grant.id, by: principal)
        let parts = url.split(separator: "?").map(String.init)
        let request = SignedRequest(method: "PUT", path: parts[0], query: parts[1])
        for _ in 0..<2 { _ = try use(request) }
        #expect(throws: AccessError.usesExhausted(limit: 2)) { try use(request) }
    }

    @Test func whoMayNotCannotSign() throws {
        let plain = try fixture.issue(OperationSet([.read]))
        let reader = try fixture.principal(plain)
        let draft = SignedURLDraft(method: "GET", path: "/a", expires: fixture.now + 1000)
        #expect(throws: AccessError.operationNotAllowed(.keys)) {
            try fixture.authority.urls.sign(draft, on: plain.grant.id, by: reader)
        }
        #expect(throws: AccessError.operationNotAllowed(.keys)) {
            try fixture.authority.urls.sign(draft, on: issued.grant.id, by: reader)
        }
        for path in ["a", "/a/../b", "/%zz", "/a\u{0}", "/a b", ""] {
            let draft = SignedURLDraft(method: "GET", path: path, expires: fixture.now + 1000)
            #expect(throws: AccessError.self) {
                try fixture.authority.urls.sign(draft, on: issued.grant.id, by: .localAdministrator)
            }
        }
    }
}
