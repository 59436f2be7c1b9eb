import Catalog
import TestKit
import Testing
import TreeValues

@testable import Namespaces

/// A device that is about to remove a large part of a namespace is held back.
@Suite struct MassDeleteTests {
    private func filled(_ count: UInt64, _ clock: ManualClock) throws -> (Folder, [TreeNode]) {
        let folder = try Folder(clock: clock)
        let puts = try (1...count).map { number in
            try TreeOperation(.put(.init(file(number), place: folder.place("f\(number)"))))
        }
        let result = try folder.store.commit(puts, to: folder.id, author: folder.author)
        let nodes = result.outcomes.compactMap { outcome in
            if case .done(let node, _) = outcome { node } else { nil }
        }
        return (folder, nodes)
    }

    private func delete(_ nodes: some Sequence<TreeNode>, _ token: String? = nil) -> [TreeOperation] {
        nodes.map { TreeOperation(.delete($0.id, base: $0.revision, newestBelow: 0), confirmation: token) }
    }

    @Test func theLimitIsAQuarterOfLargeAndHalfOfSmallNamespaces() {
        #expect(MassDeleteGuard.limit(of: 10) == 100)
        #expect(MassDeleteGuard.limit(of: 399) == 199)
        #expect(MassDeleteGuard.limit(of: 400) == 100)
        #expect(MassDeleteGuard.limit(of: 10_000) == 2500)
    }

    /// Clients invent what they call themselves.
    @Test func whatIsRememberedOfDevicesIsBounded() throws {
        let deletes = MassDeleteGuard()
        let folder = try Folder(clock: ManualClock())
        deletes.note(90, by: "honest", from: folder.id, at: 1)
        for number in 0..<5000 { deletes.note(1, by: "d\(number)", from: folder.id, at: 2) }
        #expect(deletes.removed(by: "honest", from: folder.id, at: 3) == 90)
        let later = 3 + MassDeleteGuard.windowMilliseconds
        for number in 0..<5000 { deletes.note(1, by: "e\(number)", from: folder.id, at: later) }
        #expect(deletes.count <= 5100, "what is over is forgotten")
        for number in 0..<30_000 { deletes.note(1, by: "f\(number)", from: folder.id, at: later) }
        #expect(deletes.count <= MassDeleteGuard.maximumSources)
    }

    @Test func beyondItAPersonHasToAgree() throws {
        let clock = ManualClock()
        let (folder, nodes) = try filled(300, clock)
        let first = try folder.store.commit(delete(nodes[..<149]), to: folder.id, author: folder.author)
        #expect(first.outcomes.filter(\.isDone).count == first.outcomes.count)
        // Half of 151 that are left, but no less than 100, minus the 149 of a moment ago.
        let second = try folder.store.commit(delete(nodes[149..<151]), to: folder.id, author: folder.author)
        guard case .refused(.massDelete(_, let token)) = second.outcomes[0] else {
            Issue.record("\(second.outcomes)")
            return
        }
        #expect(try folder.namespace.nodes == 151)
        // Another device does not get through with this token, and has a limit of its own.
        var other = folder.author
        other.device = "desktop"
        let foreign = try folder.store.commit(delete(nodes[151..<300], token), to: folder.id, author: other)
        #expect(foreign.outcomes.filter(\.isDone).count == 0, "all of it, or none")
        let few = try folder.store.commit(delete(nodes[200..<300]), to: folder.id, author: other)
        #expect(few.outcomes.filter(\.isDone).count == 100)
        let agreed = try folder.store.commit(
            delete(nodes[149..<151], token), to: folder.id, author: folder.author)
        #expect(agreed.outcomes.filter(\.isDone).count == agreed.outcomes.count)
    }

    @Test func afterTenMinutesItBeginsAgainAndATokenIsGoodForAnHour() throws {
        let clock = ManualClock()
        let (folder, nodes) = try filled(300, clock)
        _ = try folder.store.commit(delete(nodes[..<150]), to: folder.id, author: folder.author)
        let refused = try folder.store.commit(delete([nodes[150]]), to: folder.id, author: folder.author)
        guard case .refused(.massDelete(_, let token)) = refused.outcomes[0] else {
            Issue.record("\(refused.outcomes)")
            return
        }
        clock.advance(milliseconds: 10 * 60 * 1000 + 1)
        let later = try folder.store.commit(delete([nodes[150]]), to: folder.id, author: folder.author)
        #expect(later.outcomes.filter(\.isDone).count == later.outcomes.count)
        clock.advance(milliseconds: 55 * 60 * 1000)
        let late = try folder.store.commit(
            delete(nodes[151...], token), to: folder.id, author: folder.author)
        #expect(late.outcomes.filter(\.isDone).count == 0)
    }

    @Test func aDirectoryCountsWithWhatIsBelow() throws {
        let folder = try Folder()
        let directory = try folder.directory("d")
        let puts = try (1...200).map { number in
            try TreeOperation(.put(.init(file(number), place: folder.place("f\(number)", in: directory))))
        }
        let head = try folder.store.commit(puts, to: folder.id, author: folder.author).head
        let outcome = try folder.commit(.delete(directory.id, base: 1, newestBelow: head))[0]
        guard case .refused(.massDelete(201, _)) = outcome else {
            Issue.record("\(outcome)")
            return
        }
    }

    /// Two halves are a whole: the first one is not removed while a person is asked about the second.
    @Test func nothingOfACommitGoesBeforeAllOfItWasAgreedTo() throws {
        let folder = try Folder()
        let directories = try ["soups", "cakes"].map { try folder.directory($0) }
        for directory in directories {
            let puts = try (1...150).map { number in
                try TreeOperation(
                    .put(.init(file(number), place: folder.place("f\(number)", in: directory))))
            }
            _ = try folder.store.commit(puts, to: folder.id, author: folder.author)
        }
        let head = try folder.namespace.head
        func removals(_ token: String?) -> [TreeOperation] {
            directories.map {
                TreeOperation(
                    .delete($0.id, base: $0.revision, newestBelow: head), confirmation: token)
            }
        }
        let refused = try folder.store.commit(removals(nil), to: folder.id, author: folder.author)
        guard case .refused(.massDelete(302, let token)) = refused.outcomes[0],
            case .refused(.massDelete(302, _)) = refused.outcomes[1]
        else {
            Issue.record("\(refused.outcomes)")
            return
        }
        #expect(try folder.namespace.head == head)
        let agreed = try folder.store.commit(removals(token), to: folder.id, author: folder.author)
        #expect(agreed.outcomes.filter(\.isDone).count == 2)
        #expect(try folder.namespace.nodes == 0)
    }

    /// A person who agreed to one removal was not asked about another.
    @Test func aTokenIsGoodForWhatItWasShownWithAlone() throws {
        var folder = try Folder()
        let directories = try ["soups", "cakes"].map { try folder.directory($0) }
        func fill(_ directory: TreeNode, _ numbers: ClosedRange<UInt64>) throws {
            let puts = try numbers.map { number in
                try TreeOperation(
                    .put(.init(file(number), place: folder.place("f\(number)", in: directory))))
            }
            _ = try folder.store.commit(puts, to: folder.id, author: folder.author)
        }
        for directory in directories { try fill(directory, 1...250) }
        func remove(_ directory: TreeNode, _ token: String?) throws -> ChangeOutcome {
            let operation = TreeOperation(
                .delete(directory.id, base: directory.revision, newestBelow: .max), confirmation: token)
            return try folder.store.commit([operation], to: folder.id, author: folder.author).outcomes[0]
        }
        func ask() throws -> String {
            guard case .refused(.massDelete(_, let token)) = try remove(directories[0], nil) else {
                throw NamespaceError.unknownNamespace("it is removed")
            }
            return token
        }
        var token = try ask()
        #expect(try !remove(directories[1], token).isDone, "it was shown for the other one")
        try fill(directories[0], 251...251)
        #expect(try !remove(directories[0], token).isDone, "there is more in it than was shown")
        token = try ask()
        folder.author.user = "somebody else"
        #expect(try !remove(directories[0], token).isDone)
        folder.author.user = "somebody"
        _ = try folder.store.renewEpoch(of: folder.id)
        #expect(try !remove(directories[0], token).isDone, "the journal is another one")
        token = try ask()
        #expect(try remove(directories[0], token).isDone)
        #expect(try !remove(directories[1], token).isDone)
    }

    @Test func allRemovalsOfACommitAreShownWithOneToken() throws {
        let (folder, nodes) = try filled(300, ManualClock())
        let refused = try folder.store.commit(delete(nodes), to: folder.id, author: folder.author)
        let tokens = Set(
            refused.outcomes.compactMap { outcome in
                if case .refused(.massDelete(300, let token)) = outcome { token } else { nil }
            })
        #expect(tokens.count == 1 && refused.outcomes.filter(\.isDone).count == 0)
        let agreed = try folder.store.commit(
            delete(nodes.dropLast(), tokens.first), to: folder.id, author: folder.author)
        #expect(agreed.outcomes.filter(\.isDone).count == 299, "fewer than were shown")
    }

    /// What goes with its directory is not counted again.
    @Test func aDirectoryAndWhatIsInItCountOnce() throws {
        let folder = try Folder()
        let directory = try folder.directory("d")
        let puts = try (1...80).map { number in
            try TreeOperation(.put(.init(file(number), place: folder.place("f\(number)", in: directory))))
        }
        let result = try folder.store.commit(puts, to: folder.id, author: folder.author)
        let files = result.outcomes.compactMap { outcome in
            if case .done(let node, _) = outcome { node } else { nil }
        }
        let all =
            delete(files) + [
                TreeOperation(.delete(directory.id, base: 1, newestBelow: .max))
            ]
        let done = try folder.store.commit(all, to: folder.id, author: folder.author)
        #expect(done.outcomes.filter(\.isDone).count == 81)
    }

    @Test func theOwnDirectoryOfFoldersIsNoNameInTheRoot() throws {
        let folder = try Folder()
        let outcome = try folder.store.commit(
            [TreeOperation(.put(.init(file(1), place: folder.place(".Nacre"))))], to: folder.id,
            author: folder.author
        ).outcomes[0]
        #expect(outcome == .refused(.badName(.isKeptByFolders)))
        let directory = try folder.directory("d")
        let below = try folder.store.commit(
            [TreeOperation(.put(.init(file(1), place: folder.place(".nacre", in: directory))))],
            to: folder.id, author: folder.author
        ).outcomes[0]
        #expect(below.isDone)
    }
}
