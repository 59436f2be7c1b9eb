import Catalog
import Glibc
import Multiformats
import Synchronization
import TestKit
import Testing

/// Connections that break and servers that stop: nothing is half there, and the next call works.
@Suite(.enabled(if: PostgreSQLServer.isAvailable)) struct PostgreSQLFaultTests {
    /// Breaks the connection at one moment: just before a statement goes out, or just before its answer comes.
    private final class Breaker: Sendable {
        private let left: Mutex<Int>
        init(at moment: Int) { left = Mutex(moment) }

        var hasBroken: Bool { left.withLock { $0 < 0 } }

        @Sendable func tap(_ moment: PostgreSQLMoment) {
            let breaks = left.withLock { left in
                left -= 1
                return left == -1
            }
            if breaks { shutdown(moment.socket, Int32(SHUT_RDWR)) }
        }
    }

    private static func isTyped(_ error: any Error) -> Bool {
        switch error as? CatalogError {
        case .connectionLost, .outcomeUnknown, .cannotOpen: true
        default: false
        }
    }

    @Test func aConnectionThatBreaksAtAnyMomentLeavesNothingHalf() throws {
        var moment = 0
        while true {
            let place = try CatalogPlace(.postgresql)
            try place.make(version: Migration.all.count)
            let breaker = Breaker(at: moment)
            var options = CatalogPlace.smallOptions
            options.tap = breaker.tap
            let expected = try Self.workload(try #require(place.url), options)
            let catalog = try place.open()
            let names = Set(try catalog.pins.list().pins.map(\.name))
            #expect(expected.contains(names), "moment \(moment): \(names), expected one of \(expected)")
            #expect(try catalog.problems() == [], "moment \(moment)")
            if !breaker.hasBroken { break }
            moment += 1
            try #require(moment < 500, "the workload never ends")
        }
        #expect(moment > 20)
    }

    /// Adds, renames and removes pins; a call that fails is followed by others.
    ///
    /// - Returns: the sets of names of which one must be there in the end.
    private static func workload(
        _ url: PostgreSQLURL, _ options: PostgreSQLOptions
    ) throws -> Set<Set<String>> {
        var possible: Set<Set<String>> = [[]]
        func attempt(_ change: (inout Set<String>) -> Void, _ call: () throws -> Void) {
            let changed = Set(
                possible.map { names in
                    var names = names
                    change(&names)
                    return names
                })
            do {
                try call()
                possible = changed
            } catch CatalogError.outcomeUnknown {
                possible.formUnion(changed)
            } catch {
                #expect(isTyped(error), "\(error)")
            }
        }
        let catalog: CatalogDatabase
        do { catalog = try CatalogDatabase(server: url, options: options) } catch {
            #expect(isTyped(error), "\(error)")
            return possible
        }
        for name in ["a", "b", "c"] {
            attempt({ $0.insert(name) }) {
                try catalog.pins.add(PinDraft(root: try cid(UInt64(name.utf8.first ?? 0)), name: name))
            }
        }
        var filter = PinFilter()
        filter.name = "a"
        // Reading fails as a whole or gives all of it.
        if let pin = try? catalog.pins.list(filter).pins.first {
            var change = PinChange()
            change.name = "d"
            attempt({ if $0.remove("a") != nil { $0.insert("d") } }) {
                try catalog.pins.update(pin.id, change)
            }
        }
        filter.name = "b"
        attempt({ $0.remove("b") }) { try catalog.pins.removeAll(filter) }
        attempt({ $0.formUnion(["x", "y"]) }) {
            try catalog.pins.add([
                PinDraft(root: try cid(100), name: "x"), PinDraft(root: try cid(101), name: "y"),
            ])
        }
        return possible
    }

    @Test func aServerThatStopsInATransactionKeepsNothingOfItAndServesAgain() throws {
        let server = try PostgreSQLServer()
        let url = try #require(PostgreSQLURL(server.url()))
        let catalog = try CatalogDatabase(server: url, options: CatalogPlace.smallOptions)
        try catalog.pins.add(PinDraft(root: try cid(1), name: "before"))
        _ = try catalog.pins.list()
        let lost = #expect(throws: CatalogError.self) {
            try catalog.database.write { connection in
                try connection.execute("DELETE FROM pins")
                try connection.execute("DELETE FROM pin_counters")
                try server.crash()
                try connection.execute("DELETE FROM settings")
            }
        }
        if case .connectionLost = lost {} else { Issue.record("\(String(describing: lost))") }
        // While it is away, both say what to do.
        for call in [{ _ = try catalog.pins.list() }, { _ = try catalog.settings.set("a", to: "b") }] {
            let away = #expect(throws: CatalogError.self) { try call() }
            if case .cannotOpen = away {} else { Issue.record("\(String(describing: away))") }
        }
        try server.start()
        #expect(try catalog.pins.list().pins.map(\.name) == ["before"])
        try catalog.pins.add(PinDraft(root: try cid(2), name: "after"))
        #expect(try catalog.problems() == [])
        // Connections that died while they were idle are replaced without a word.
        try server.crash()
        try server.start()
        #expect(try catalog.pins.counters().pins == 2)
        try catalog.pins.add(PinDraft(root: try cid(3), name: "again"))
        #expect(try catalog.pins.counters().pins == 3)
        try catalog.close()
    }

    @Test func aConnectionThatTheServerEndsIsReplaced() throws {
        let place = try CatalogPlace(.postgresql)
        let catalog = try place.open()
        try catalog.pins.add(PinDraft(root: try cid(1)))
        let server = try PostgreSQLServer.shared.get()
        #expect(throws: CatalogError.self) {
            try catalog.database.write { connection in
                let own = try #require(try connection.firstRow("SELECT pg_backend_pid()")?.integer(0))
                try server.psql("SELECT pg_terminate_backend(\(own), 10000)")
                try connection.execute("DELETE FROM pins")
            }
        }
        try catalog.pins.add(PinDraft(root: try cid(2)))
        #expect(try catalog.pins.counters().pins == 2)
    }
}
