@testable import Access
import Catalog
import Foundation
import Synchronization
import TestKit

/// An authority on a catalog in memory, with a clock that is moved by hand.
struct AccessFixture {
    let directory: TemporaryDirectory
    let catalog: CatalogDatabase
    let authority: Authority
    let clock: ManualClock

    static let start: UInt64 = 1_700_000_000_000

    init(_ change: (inout Authority.Options) -> Void = { _ in }) throws {
        let clock = ManualClock(milliseconds: Self.start)
        self.clock = clock
        directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        var environment = CatalogDatabase.Environment()
        environment.now = { Int64(clock.milliseconds) }
        catalog = try CatalogDatabase.inMemory(environment: environment)
        var options = Self.options(clock)
        change(&options)
        authority = try Authority.open(
            catalog: catalog, secrets: directory.path("secrets"), options: options)
    }

    /// Cheap passwords, so that tests are about something else.
    static func options(_ clock: ManualClock) -> Authority.Options {
        var options = Authority.Options()
        options.now = { Int64(clock.milliseconds) }
        options.passwords = PasswordHasher.Parameters(logRounds: 4, blockSize: 8, parallelism: 1)
        return options
    }

    var now: Int64 { Int64(clock.milliseconds) }
    var authorizer: Authorizer { authority.authorizer }

    /// A grant made by the local administrator.
    func issue(
        _ operations: OperationSet = OperationSet([.read, .write]), scope: Resource? = nil,
        parent: GrantID? = nil, _ limits: (inout GrantLimits) -> Void = { _ in }
    ) throws -> IssuedGrant {
        var draft = GrantDraft(name: "key", operations: operations, scope: scope)
        draft.parent = parent
        limits(&draft.limits)
        return try authority.grants.create(draft, by: .localAdministrator)
    }

    /// Who shows the token of a grant.
    func principal(_ issued: IssuedGrant) throws -> Principal {
        try authorizer.principal(for: .bearer(issued.token.text))
    }
}

/// The error that `body` throws, if it is one of access.
func accessError(_ body: () throws -> Void) -> AccessError? {
    do {
        try body()
        return nil
    } catch {
        return error as? AccessError
    }
}

let defaultProject = Resource.project(.default)
