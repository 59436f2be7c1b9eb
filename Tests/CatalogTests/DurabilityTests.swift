import Catalog
import Foundation
import TestKit
import Testing

/// What was acknowledged is there after a crash; what is damaged is named and never served.
@Suite struct DurabilityTests {
    private let disk: CatalogOnDisk

    init() throws { disk = try CatalogOnDisk() }

    @Test func everyCommitIsSynced() throws {
        let database = try SQLiteDatabase(path: disk.path)
        #expect(try database.write { try $0.firstRow("PRAGMA synchronous")?.integer(0) } == 2)
        #expect(try database.write { try $0.firstRow("PRAGMA journal_mode")?.text(0) } == "wal")
    }

    /// By a connection of its own, or by a commit where changes outrun it: the log has an end.
    @Test func theLogIsFoldedAsItGrows() throws {
        var options = SQLiteDatabase.Options()
        options.logBytes = 64 * 1024
        let database = try SQLiteDatabase(path: disk.path, options: options)
        _ = try database.write { try $0.execute("CREATE TABLE some (number BIGINT PRIMARY KEY, bytes BLOB)") }
        let log = CatalogDatabase.fileName + "-wal"
        var longest = 0
        for number in 0..<400 {
            let row: [SQLValue] = [.integer(Int64(number)), .blob([UInt8](repeating: 7, count: 8000))]
            _ = try database.write { try $0.execute("INSERT INTO some VALUES ($1, $2)", row) }
            longest = max(longest, try disk.directory.read(log).count)
        }
        #expect(longest > options.logBytes && longest < 20 * options.logBytes, "\(longest) bytes")
        // All but what the log may hold is in the file, while it is open.
        #expect(try disk.directory.read(CatalogDatabase.fileName).count > 400 * 8000 - 20 * options.logBytes)
        try database.close()
        let again = try SQLiteDatabase(path: disk.path)
        let count = try again.read { try $0.firstRow("SELECT count(*) FROM some")?.integer(0) }
        #expect(count == 400)
        #expect(try again.storageProblems() == [])
    }

    /// Where the file cannot be opened a second time, changes are kept in the log as before, and it is counted.
    @Test func aLogThatCannotBeFoldedIsCounted() throws {
        var options = SQLiteDatabase.Options()
        options.logBytes = 64 * 1024
        let database = try SQLiteDatabase(path: disk.path, options: options)
        _ = try database.write { try $0.execute("CREATE TABLE some (number BIGINT PRIMARY KEY, bytes BLOB)") }
        try FileManager.default.moveItem(atPath: disk.path, toPath: disk.path + ".away")
        try FileManager.default.createDirectory(atPath: disk.path, withIntermediateDirectories: false)
        var number: Int64 = 0
        while database.logFailures == 0, number < 1000 {
            let row: [SQLValue] = [.integer(number), .blob([UInt8](repeating: 7, count: 8000))]
            _ = try database.write { try $0.execute("INSERT INTO some VALUES ($1, $2)", row) }
            number += 1
        }
        #expect(database.logFailures > 0)
        try FileManager.default.removeItem(atPath: disk.path)
        try FileManager.default.moveItem(atPath: disk.path + ".away", toPath: disk.path)
        let count = try database.read { try $0.firstRow("SELECT count(*) FROM some")?.integer(0) }
        #expect(count == number)
        try database.close()
    }

    @Test func closingLeavesOneFileThatHoldsEverything() throws {
        let catalog = try disk.open()
        try catalog.pins.add(PinDraft(root: try cid(1)))
        try catalog.close()
        let copy = try CatalogOnDisk()
        try copy.directory.write(disk.directory.read(CatalogDatabase.fileName), to: CatalogDatabase.fileName)
        #expect(try copy.open().pins.counters().pins == 1)
    }

    /// The directory as a crash leaves it: files copied while the catalog is open, the log cut anywhere.
    @Test(arguments: SeededRandom.seeds(4))
    func aCrashKeepsEveryCommitWhoseLogIsWhole(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let catalog = try disk.open()
        let log = CatalogDatabase.fileName + "-wal"
        var lengths = [try disk.directory.read(log).count]
        for number in 0..<20 {
            try catalog.pins.add(PinDraft(root: try cid(UInt64(number))))
            lengths.append(try disk.directory.read(log).count)
        }
        let file = try disk.directory.read(CatalogDatabase.fileName)
        let bytes = try disk.directory.read(log)
        for _ in 0..<20 {
            let cut = random.number(lengths[0]...bytes.count)
            let image = try CatalogOnDisk()
            try image.directory.write(file, to: CatalogDatabase.fileName)
            try image.directory.write(Array(bytes.prefix(cut)), to: log)
            let reopened = try image.open()
            #expect(try reopened.pins.counters().pins == Int64(lengths.lastIndex { $0 <= cut } ?? 0))
            #expect(try reopened.problems() == [])
            try reopened.close()
        }
    }

    @Test(arguments: SeededRandom.seeds(scaled(60, full: 2000)))
    func bitRotIsNamedAndNeverServed(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let catalog = try disk.open()
        try catalog.pins.add((0..<100).map { PinDraft(root: try cid($0), name: "pin \($0)") })
        try catalog.settings.set("profile", to: "unixfs-v1-2025")
        let expected = try catalog.pins.list(limit: 1000).pins
        try catalog.close()
        var bytes = try disk.directory.read(CatalogDatabase.fileName)
        bytes[random.number(0..<bytes.count)] ^= 1 << UInt8(random.number(0..<8))
        try disk.directory.write(bytes, to: CatalogDatabase.fileName)

        // Either the damage is reported, or it hit bytes that mean nothing.
        let damaged: CatalogDatabase
        do { damaged = try disk.open() } catch is CatalogError { return }
        guard try damaged.problems().isEmpty else { return }
        #expect(try damaged.pins.list(limit: 1000).pins == expected)
        #expect(try damaged.settings.value("profile") == "unixfs-v1-2025")
        #expect(try damaged.pins.counters().pins == 100)
        for pin in expected.prefix(10) { #expect(try damaged.pins.isPinned(pin.root)) }
    }

    /// A bit of the text of the schema, in which SQLite sees nothing wrong.
    @Test func aColumnThatRottedIsDamage() throws {
        try disk.open().close()
        var bytes = try disk.directory.read(CatalogDatabase.fileName)
        let text = Array("password TEXT NOT NULL".utf8)
        let place = try #require(
            bytes.indices.first { bytes[$0] == text[0] && bytes[$0...].starts(with: text) })
        bytes[place] = UInt8(ascii: "q")
        try disk.directory.write(bytes, to: CatalogDatabase.fileName)
        let problems = try disk.open().problems()
        guard case .storage(_, let detail)? = problems.first else {
            Issue.record("\(problems)")
            return
        }
        #expect(problems.count == 1 && detail.contains("no such column"), "\(detail)")
    }

    @Test func aRootThatRottedIsNamedByTheIDOfItsPin() throws {
        let catalog = try disk.open()
        let pin = try catalog.pins.add(PinDraft(root: try cid(1), name: "a")).pin
        try catalog.pins.add(PinDraft(root: try cid(2), name: "b"))
        _ = try catalog.database.write { try $0.execute("UPDATE pins SET name = 'c' WHERE name = 'a'") }
        let error = CatalogError.damagedRow(table: "pins", key: pin.id.text)
        #expect(try catalog.problems() == [.row(error)])
        #expect(throws: error) { try catalog.pins.pin(pin.id) }
        #expect(throws: error) { try catalog.pins.forEachRoot { _ in } }
        #expect(try catalog.pins.removeDamaged(pin.id))
        #expect(try catalog.problems() == [])
        #expect(try catalog.pins.counters().pins == 1)
    }

    @Test func wrongCountersAreFoundAndCountedAnew() throws {
        let catalog = try disk.open()
        try catalog.pins.add(PinDraft(root: try cid(1)))
        _ = try catalog.database.write { try $0.execute("UPDATE pin_counters SET pins = 5") }
        #expect(try catalog.problems() == [.counters])
        try catalog.repairCounters()
        #expect(try catalog.problems() == [])
        #expect(try catalog.pins.counters().pins == 1)
    }

    @Test func aFileThatIsNoDatabaseIsRefusedUntouched() throws {
        let text = Array(repeating: Array("no database at all. ".utf8), count: 100).flatMap { $0 }
        try disk.directory.write(text, to: CatalogDatabase.fileName)
        #expect(throws: CatalogError.self) { try disk.open() }
        #expect(try disk.directory.read(CatalogDatabase.fileName) == text)
    }

    @Test func anotherHolderOfTheFileIsReportedAsBusy() throws {
        try disk.open().close()
        var options = SQLiteDatabase.Options()
        options.busyTimeoutSeconds = 0.01
        let one = try SQLiteDatabase(path: disk.path, options: options)
        let other = try SQLiteDatabase(path: disk.path, options: options)
        _ = try one.write { _ in
            #expect(throws: CatalogError.busy(path: disk.path)) {
                try other.write { _ = try $0.execute("DELETE FROM settings") }
            }
        }
    }
}
