import Foundation
import IPNS
import NodeCore
import TestKit
import Testing

/// The files in `secrets/`: made once, for the owner's eyes only.
@Suite struct NodeSecretsTests {
    private let data: TemporaryDirectory
    private var secrets: NodeSecrets { NodeSecrets(dataDirectory: data.path) }

    init() throws { data = try TemporaryDirectory(in: TemporaryDirectory.fastParent) }

    private func mode(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: data.path(path))[.posixPermissions] as? Int
    }

    @Test func filesAreMadeWhenNeededAndOnlyTheOwnerReadsThem() throws {
        #expect(!FileManager.default.fileExists(atPath: secrets.directory))
        let key = try secrets.derivedKey(for: "a")
        #expect(key.count == 32)
        #expect(try mode("secrets") == 0o700)
        #expect(try mode("secrets/master-key") == 0o600)
        #expect(try data.read("secrets/master-key").count == 32)
        let node = try secrets.nodeKey()
        #expect(try mode("secrets/node-key") == 0o600)
        #expect(try FileManager.default.contentsOfDirectory(atPath: secrets.directory).count == 2)
        #expect(try secrets.derivedKey(for: "a") == key)
        #expect(try secrets.derivedKey(for: "b") != key)
        #expect(try secrets.nodeKey().publicKey == node.publicKey)
    }

    @Test func whoeverComesAtOnceGetsTheSameKey() throws {
        let data = data
        let found = Mailbox<[UInt8]>()
        DispatchQueue.concurrentPerform(iterations: 32) { _ in
            if let key = try? NodeSecrets(dataDirectory: data.path).derivedKey(for: "a") { found.add(key) }
        }
        #expect(found.all.count == 32)
        #expect(Set(found.all).count == 1)
        #expect(try FileManager.default.contentsOfDirectory(atPath: secrets.directory) == ["master-key"])
    }

    @Test(arguments: SeededRandom.seeds(8))
    func whatIsSealedOpensForItsContextOnly(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let secret = random.bytes(random.number(0...100))
        let sealed = try secrets.seal(secret, for: "p", context: [1])
        #expect(try secrets.open(sealed, for: "p", context: [1]) == secret)
        #expect(try secrets.seal(secret, for: "p", context: [1]) != sealed)
        let refused = SecretsError.cannotOpen(purpose: "p")
        #expect(throws: refused) { try secrets.open(sealed, for: "p", context: [2]) }
        #expect(throws: SecretsError.cannotOpen(purpose: "q")) {
            try secrets.open(sealed, for: "q", context: [1])
        }
        for index in sealed.indices {
            var tampered = sealed
            tampered[index] ^= 1
            #expect(throws: refused) { try secrets.open(tampered, for: "p", context: [1]) }
        }
        #expect(throws: refused) { try secrets.open([], for: "p", context: [1]) }
    }

    @Test func whatOthersCanReadIsNoSecret() throws {
        _ = try secrets.derivedKey(for: "a")
        let path = data.path("secrets/master-key")
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
        #expect(throws: SecretsError.readableByOthers(path: path)) { try secrets.derivedKey(for: "a") }
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        try data.write([1, 2, 3], to: "secrets/master-key")
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        #expect(throws: SecretsError.self) { try secrets.derivedKey(for: "a") }
    }
}

/// What several threads found.
/// Sendable: the lock guards everything.
private final class Mailbox<T: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var items: [T] = []
    func add(_ item: T) { lock.withLock { items.append(item) } }
    var all: [T] { lock.withLock { items } }
}
