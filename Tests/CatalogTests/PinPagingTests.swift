import Catalog
import Foundation
import Multiformats
import Synchronization
import TestKit
import Testing

/// A page costs the same wherever it is in the list: read off an index, never sorted.
@Suite struct PinPagingTests {
    private static let filters: [PinFilter] = {
        func filter(_ set: (inout PinFilter) -> Void) -> PinFilter {
            var filter = PinFilter()
            set(&filter)
            return filter
        }
        return [
            filter { _ in }, filter { $0.owner = .default }, filter { $0.name = "a" },
            filter { $0.statuses = [.failed] }, filter { $0.statuses = [.failed, .queued] },
            filter {
                $0.owner = .default
                $0.statuses = [.failed, .pinning]
            },
            filter {
                $0.owner = .default
                $0.statuses = Set(PinStatus.allCases)
            },
            filter {
                $0.owner = .default
                $0.name = "a"
            },
        ]
    }()

    @Test(arguments: Engine.all, filters)
    func aPageIsReadOffAnIndex(engine: Engine, filter: PinFilter) throws {
        let place = try CatalogPlace(engine)
        defer { withExtendedLifetime(place) {} }
        let catalog = try place.open()
        try catalog.pins.add((0..<50).map { PinDraft(root: try cid($0), name: "n\($0)") })
        let id = try #require(try catalog.pins.list().pins.first?.id)
        for order in [PinOrder.newestFirst, .oldestFirst] {
            for after in [nil, id] {
                for statement in PinRepository.statements(filter, after: after, limit: 101, order: order) {
                    let plan = try catalog.database.write { connection in
                        guard connection.dialect == .postgresql else {
                            return try connection.rows(
                                "EXPLAIN QUERY PLAN " + statement.sql, statement.values
                            ).map { try $0.text(3) }
                        }
                        // A handful of rows is quicker sorted; the question is whether it would have to be.
                        try connection.execute("SET LOCAL enable_sort = off")
                        return try connection.rows("EXPLAIN " + statement.sql, statement.values).map {
                            try $0.text(0)
                        }
                    }
                    let text = plan.joined(separator: "\n")
                    #expect(!text.contains("Sort") && !text.contains("TEMP B-TREE"), "\(text)")
                }
            }
        }
    }

    @Test(arguments: Engine.all) func pagesOfSeveralStatusesAreInOneOrder(engine: Engine) throws {
        let pins = try engine.catalog().pins
        let all = try pins.add(
            (0..<40).map { PinDraft(root: try cid(UInt64($0)), status: PinStatus.allCases[$0 % 4]) })
        var filter = PinFilter()
        filter.statuses = [.queued, .failed, .pinned]
        let expected = all.map(\.pin).filter { filter.statuses?.contains($0.status) == true }
        var found: [Pin] = []
        var cursor: PinID?
        repeat {
            let page = try pins.list(filter, after: cursor, limit: 7, order: .oldestFirst)
            found += page.pins
            cursor = page.next
        } while cursor != nil
        #expect(found == expected)
    }

    /// Figures for docs/benchmarks.md: `NACRE_MEASURE=1 swift test --filter PinPagingTests`.
    @Test(
        .enabled(if: ProcessInfo.processInfo.environment["NACRE_MEASURE"] == "1"),
        arguments: Engine.all, [1, WriteQueue.defaultGroup])
    func pinsOfThirtyTwoThreadsASecond(engine: Engine, group: Int) throws {
        let place = try CatalogPlace(engine)
        defer { withExtendedLifetime(place) {} }
        var environment = environment(at: 1_700_000_000_000)
        environment.maximumGroup = group
        var options = PostgreSQLOptions()
        options.maximumGroup = group
        let catalog =
            try place.url.map { try CatalogDatabase(server: $0, options: options, environment: environment) }
            ?? CatalogDatabase(path: place.path, environment: environment)
        let done = DispatchGroup()
        let start = ContinuousClock.now
        for thread in 0..<32 {
            Thread.start(in: done) {
                for number in 0..<50 {
                    if let root = try? cid(UInt64(thread * 1000 + number)) {
                        _ = try? catalog.pins.add(PinDraft(root: root))
                    }
                }
            }
        }
        done.wait()
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        #expect(try catalog.pins.counters().pins == 1600)
        print("FIGURE \(engine) group \(group): \(Int(1600 / seconds)) pins/s")
    }

    /// Figures for docs/benchmarks.md, by `bench/pins.sh`: how long pages of 100 take along a list of a
    /// million pins.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["NACRE_MEASURE"] == "1"), arguments: Engine.all)
    func pagesOfAMillionPins(engine: Engine) throws {
        let place = try CatalogPlace(engine)
        defer { withExtendedLifetime(place) {} }
        let pins = try place.open().pins
        let count = 1_000_000
        let adding = ContinuousClock.now
        for start in stride(from: 0, to: count, by: 10_000) {
            try pins.add(
                (start..<start + 10_000).map { PinDraft(root: try cid(UInt64($0)), name: "pin \($0)") })
        }
        let added = (ContinuousClock.now - adding) / .seconds(1)
        var filter = PinFilter()
        for (kind, owner) in [("all", nil), ("of a project", ProjectID.default)] {
            filter.owner = owner
            var milliseconds: [Double] = []
            var (cursor, seen) = (PinID?.none, 0)
            repeat {
                let start = ContinuousClock.now
                let page = try pins.list(filter, after: cursor, limit: 100)
                milliseconds.append((ContinuousClock.now - start) / .milliseconds(1))
                (cursor, seen) = (page.next, seen + page.pins.count)
            } while cursor != nil
            #expect(seen == count)
            func median(_ part: ArraySlice<Double>) -> String {
                String(format: "%.2f", part.sorted()[part.count / 2])
            }
            let tenth = milliseconds.count / 10
            print(
                "FIGURE \(engine) \(kind): first tenth \(median(milliseconds.prefix(tenth))) ms a page, last "
                    + "\(median(milliseconds.suffix(tenth))) ms, 99 % under "
                    + String(format: "%.2f ms", milliseconds.sorted()[milliseconds.count * 99 / 100])
                    + "; added in \(Int(added)) s")
        }
    }
}
