@testable import Access
import Catalog
import Foundation
import TestKit
import Testing

/// Secrets on the disk: made once, whole, for the owner only; damage has a remedy.
@Suite struct FirstStartTests {
    let directory: TemporaryDirectory
    let catalog: CatalogDatabase
    private var secrets: String { directory.path("secrets") }

    init() throws {
        directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        catalog = try CatalogDatabase.inMemory()
    }

    @discardableResult
    private func open(_ lost: Authority.LostMasterKey = .refuse) throws -> Authority {
        var options = Authority.Options()
        options.lostMasterKey = lost
        return try Authority.open(catalog: catalog, secrets: secrets, options: options)
    }

    @Test func openingTwiceMakesNothingNew() throws {
        #expect(try open().newAdminTokenPath != nil)
        let files = try directory.allFiles()
        #expect(Set(files.keys) == ["secrets/master-key", "secrets/admin-token"])
        #expect(try open().newAdminTokenPath == nil)
        #expect(try directory.allFiles() == files)
        #expect(try catalog.grants.list().count == 1)
        #expect(try catalog.projects.project(.default)?.name == "default")
        #expect(try catalog.problems().isEmpty)
    }

    /// A crash between the token and the grant: the grant is made of the token that is there.
    @Test func aTokenWithoutItsGrantGetsOne() throws {
        try open()
        let token = try directory.read("secrets/admin-token")
        try catalog.settings.set(FirstStart.adminSetting, to: nil)
        let id = try #require(try catalog.grants.list().first?.id)
        try catalog.grants.remove(id)
        let authority = try open()
        #expect(try directory.read("secrets/admin-token") == token)
        let text = String(decoding: token, as: UTF8.self).trimmingCharacters(in: .newlines)
        #expect(try authority.authorizer.principal(for: .bearer(text)).grant == id)
    }

    @Test func aTokenThatWasTakenAwayStaysAway() throws {
        try open()
        try FileManager.default.removeItem(atPath: secrets + "/admin-token")
        try open()
        #expect(!FileManager.default.fileExists(atPath: secrets + "/admin-token"))
    }

    @Test func damageOfTheMasterKeyIsNamedWithARemedy() throws {
        try open()
        let path = secrets + "/master-key"
        let key = try directory.read("secrets/master-key")
        func replace(_ bytes: [UInt8]?) throws {
            try FileManager.default.removeItem(atPath: path)
            guard let bytes else { return }
            try directory.write(bytes, to: "secrets/master-key")
            chmod(path, 0o600)
        }
        try replace(Array(key.dropLast()))
        #expect(throws: AccessError.secretDamaged(path: path)) { try open() }
        for index in key.indices {
            var changed = key
            changed[index] ^= 1
            try replace(changed)
            #expect(throws: AccessError.secretForeign(path: path)) { try open() }
        }
        try replace(nil)
        #expect(throws: AccessError.secretMissing(path: path)) { try open() }
        for error in [AccessError.secretMissing(path: path), .secretForeign(path: path)] {
            #expect(error.description.contains("backup") && error.description.contains("reset-master"))
        }
        try open(.replace)
        try open()
    }

    @Test func secretsThatOthersCanReadAreRefused() throws {
        try open()
        for (name, mode) in [("/master-key", mode_t(0o604)), ("", 0o750)] {
            chmod(secrets + name, mode)
            #expect(throws: AccessError.secretReadableByOthers(path: secrets + name, mode: UInt32(mode))) {
                try open()
            }
            chmod(secrets + name, name.isEmpty ? 0o700 : 0o600)
        }
        try open()
    }

    @Test func aLinkIsNoSecret() throws {
        try open()
        let path = secrets + "/master-key"
        try FileManager.default.moveItem(atPath: path, toPath: directory.path("elsewhere"))
        try FileManager.default.createSymbolicLink(
            atPath: path, withDestinationPath: directory.path("elsewhere"))
        #expect(throws: AccessError.self) { try open() }
    }

    @Test func keysOfTwoPurposesHaveNothingInCommon() throws {
        let key = try #require(MasterKey(file: Array(0..<32)))
        let (one, other) = (key.key(for: "a"), key.key(for: "b"))
        #expect(one != other)
        #expect(key.fingerprint.utf8.count == 16)
    }

    /// What was counted stays counted when the process ends between reserving and settling.
    @Test func aCrashLeavesWhatWasReservedCounted() throws {
        let path = directory.path(CatalogDatabase.fileName)
        var token = ""
        do {
            let catalog = try CatalogDatabase(path: path)
            let authority = try Authority.open(catalog: catalog, secrets: secrets)
            var draft = GrantDraft(name: "one", operations: OperationSet([.write]))
            draft.limits.maximumUses = 1
            let issued = try authority.grants.create(draft, by: .localAdministrator)
            token = issued.token.text
            let principal = try authority.authorizer.principal(for: .bearer(token))
            _ = try authority.authorizer.authorize(principal, .write, on: defaultProject)
            // Nothing is settled and nothing closed properly.
            try catalog.close()
        }
        let catalog = try CatalogDatabase(path: path)
        let authority = try Authority.open(catalog: catalog, secrets: secrets)
        let principal = try authority.authorizer.principal(for: .bearer(token))
        #expect(throws: AccessError.usesExhausted(limit: 1)) {
            try authority.authorizer.authorize(principal, .write, on: defaultProject)
        }
    }
}
