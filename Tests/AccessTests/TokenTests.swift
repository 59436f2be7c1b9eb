@testable import Access
import Catalog
import Foundation
import Synchronization
import TestKit
import Testing

/// Tokens: one spelling, every change noticed, nothing told to who does not know the secret.
@Suite struct TokenTests {
    @Test func knownCRC() {
        #expect(CRC32.of("123456789".utf8) == 0xCBF4_3926)  // the check value of ISO 3309
        #expect(Base32.encode([0xFF, 0x00, 0xAA]) == "ZW0AM")
    }

    @Test(arguments: SeededRandom.seeds(32))
    func base32RoundTripsInOneSpelling(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let bytes = random.bytes(random.number(0...40))
        let text = Base32.encode(bytes)
        #expect(text.utf8.count == Base32.length(ofBytes: bytes.count))
        #expect(Base32.decode(text.utf8, count: bytes.count) == bytes)
        #expect(
            Base32.decode(text.lowercased().utf8, count: bytes.count) == bytes || text != text.lowercased())
        #expect(Base32.decode((text + "0").utf8, count: bytes.count) == nil)
    }

    @Test func everyChangedByteOfATokenIsRefused() throws {
        let fixture = try AccessFixture()
        let text = try fixture.issue().token.text
        #expect(text.utf8.count == GrantToken.textLength)
        _ = try fixture.authorizer.principal(for: .bearer(text))
        let original = Array(text.utf8)
        for index in original.indices {
            for change: UInt8 in [1, 2, 0x20, 0x80] {
                var bytes = original
                bytes[index] ^= change
                let changed = String(decoding: bytes, as: UTF8.self)
                #expect(throws: AccessError.self) { try GrantToken(text: changed) }
                #expect(throws: AccessError.credentialsInvalid) {
                    try fixture.authorizer.principal(for: .bearer(changed))
                }
            }
        }
        for text in ["", "nacre_", String(text.dropLast()), text + "0", " " + text, text.lowercased()] {
            #expect(throws: AccessError.credentialsInvalid) {
                try fixture.authorizer.principal(for: .bearer(text))
            }
        }
    }

    @Test func neighboursThatChangedPlacesAreFound() throws {
        let text = try AccessFixture().issue().token.text
        let original = Array(text.utf8)
        for index in 6..<(original.count - 1) where original[index] != original[index + 1] {
            var bytes = original
            bytes.swapAt(index, index + 1)
            #expect(throws: AccessError.self) { try GrantToken(text: String(decoding: bytes, as: UTF8.self)) }
        }
    }

    /// The same steps are taken and the same error is thrown, whether the id is unknown or the secret wrong.
    @Test func badInput22UnknownIdAndWrongSecretCannotBeToldApart() throws {
        let steps = Mutex<[TokenVerifier.Step]>([])
        let fixture = try AccessFixture { options in
            options.observeVerification = { step in steps.withLock { $0.append(step) } }
        }
        let issued = try fixture.issue()
        func work(_ token: GrantToken) -> (error: AccessError?, steps: [TokenVerifier.Step]) {
            steps.withLock { $0 = [] }
            let error = accessError { _ = try fixture.authorizer.principal(for: .bearer(token.text)) }
            return (error, steps.withLock { $0 })
        }
        let unknown = work(GrantToken(id: fixture.catalog.grants.newID()))
        let wrong = work(GrantToken(id: issued.grant.id))
        #expect(unknown.error == .credentialsInvalid && wrong.error == .credentialsInvalid)
        #expect(unknown.steps == wrong.steps)
        // Nor does it show that the right one was used before, and is remembered.
        #expect(work(issued.token).error == nil)
        #expect(work(GrantToken(id: issued.grant.id)).steps == unknown.steps)
        _ = try fixture.authority.grants.revoke(issued.grant.id, by: .localAdministrator)
        #expect(work(GrantToken(id: issued.grant.id)).error == .credentialsInvalid)
        #expect(work(GrantToken(id: issued.grant.id)).steps == unknown.steps)
    }

    @Test func onlyHashesAreStored() throws {
        let fixture = try AccessFixture()
        let issued = try fixture.issue()
        let record = try #require(try fixture.catalog.grants.grant(issued.grant.id))
        #expect(record.secretHash == issued.token.hash)
        #expect(record.secretHash != issued.token.secret)
    }

    @Test func noDescriptionHoldsASecret() throws {
        let fixture = try AccessFixture()
        let issued = try fixture.issue(OperationSet([.read, .keys]))
        let secret = String(issued.token.text.dropFirst(32).prefix(52))
        let session = SessionSecret()
        let principal = try fixture.principal(issued)
        let record = try #require(try fixture.catalog.grants.grant(issued.grant.id))
        let values: [Any] = [
            issued, issued.token, issued.grant, principal, record, session,
            Credentials.bearer(issued.token.text), Credentials.session(session),
            SignedRequest(method: "GET", path: "/", query: secret), AccessError.credentialsInvalid,
            try fixture.authority.grants.report(issued.grant.id, by: .localAdministrator),
            try fixture.authority.audit.list(),
        ]
        for value in values {
            var dumped = ""
            dump(value, to: &dumped)
            for text in [String(describing: value), String(reflecting: value), dumped] {
                #expect(!text.contains(secret) && !text.contains(session.text), "\(type(of: value))")
                #expect(!text.contains(record.secretHash.description), "\(type(of: value))")
            }
        }
    }
}
