import Catalog
import Foundation
import Multiformats
import TestKit
import Testing

/// The real program, killed while it brings an old catalog up to date: each step is there as a whole or not at
/// all, and the next start goes on.
@Suite(.serialized) struct MigrationKillTests {
    enum Engine: String, CaseIterable {
        case sqlite, postgresql

        static let all: [Engine] = PostgreSQLServer.isAvailable ? allCases : [.sqlite]
    }

    @Test(arguments: Engine.all) func aKillInAMigrationLosesNothing(engine: Engine) throws {
        var random = SeededRandom(seed: 1)
        let old = try OldCatalog(engine)
        let start = ContinuousClock.now
        #expect(try old.nacre.run("key", "ls").status == 0)
        try old.check()
        let life = Int((ContinuousClock.now - start) / Duration.microseconds(1))
        try old.reset()

        var (kills, version) = (0, 2)
        var reached: Set<Int> = []
        for _ in 0..<10 * scaled(4, full: 100) where kills < scaled(4, full: 100) {
            let process = old.nacre.process(["key", "ls"])
            (process.standardOutput, process.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
            try process.run()
            old.waitForFirstWrite(process)
            usleep(UInt32(random.number(0...max(life / old.sharesOfLife, 20_000))))
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            if process.terminationReason == .uncaughtSignal { kills += 1 }
            let found = try old.version()
            #expect(found >= version, "a step that was done is undone")
            reached.insert(found)
            version = found
            guard version == Migration.all.count else { continue }
            try old.check()
            try old.reset()
            version = 2
        }
        #expect(kills >= 3, "\(kills) kills, schemas \(reached.sorted())")
        // A few kills may all have come before the first step, or after the last.
        if isFullTest { #expect(reached.count > 2) }
        #expect(try old.nacre.run("key", "ls").status == 0)
        try old.check()
    }
}

/// A catalog of the second schema with some thousand pins, in the data directory or in a server.
private final class OldCatalog {
    static let pins = 800

    let directory: TemporaryDirectory
    private(set) var nacre: NacreProcess
    private let engine: MigrationKillTests.Engine
    private let rows: [[SQLValue]]

    init(_ engine: MigrationKillTests.Engine) throws {
        self.engine = engine
        directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        nacre = NacreProcess(data: directory.path("data"))
        let full = try CatalogDatabase.inMemory()
        var random = SeededRandom(seed: 2)
        let drafts = try (0..<Self.pins).map { number in
            let digest = random.bytes(32)
            let multihash = try Multihash(code: .sha2_256, digest: digest.span.bytes)
            return PinDraft(root: CID(codec: .raw, multihash: multihash), name: "pin \(number)")
        }
        for start in stride(from: 0, to: drafts.count, by: 500) {
            try full.pins.add(Array(drafts[start..<min(start + 500, drafts.count)]))
        }
        rows = try full.database.read { try $0.rows("SELECT * FROM pins").map(\.values) }
        try reset()
    }

    /// What a kill comes within: a part of a run where it begins with the first write.
    var sharesOfLife: Int { engine == .sqlite ? 4 : 1 }

    /// Returns when the program writes to the catalog; at once where that cannot be seen from outside.
    func waitForFirstWrite(_ process: Process) {
        guard engine == .sqlite else { return }
        let log = nacre.data + "/catalog.sqlite-wal"
        while process.isRunning {
            let size = try? FileManager.default.attributesOfItem(atPath: log)[.size] as? Int
            if let size, size > 0 { return }
            usleep(200)
        }
    }

    /// Begins anew with the old schema.
    func reset() throws {
        try? FileManager.default.removeItem(atPath: nacre.data)
        switch engine {
        case .sqlite:
            #expect(try nacre.run("key", "ls").status == 0)
            let path = nacre.data + "/catalog.sqlite"
            for name in ["/catalog.sqlite", "/secrets"] {
                try FileManager.default.removeItem(atPath: nacre.data + name)
            }
            try fill(try SQLiteDatabase(path: path), path)
        case .postgresql:
            let text = try PostgreSQLServer.shared.get().urlOfNewSchema()
            nacre.environment["NACRE_CATALOG_URL"] = text
            let url = try #require(PostgreSQLURL(text))
            try fill(try PostgreSQLDatabase(url), url.description)
        }
    }

    private func fill(_ database: some SQLDatabase, _ path: String) throws {
        try Migrator(path: path).migrate(database, now: 0, upTo: 2)
        let placeholders = (1...14).map { "$\($0)" }.joined(separator: ", ")
        try database.write { connection -> Void in
            for row in rows {
                try connection.execute("INSERT INTO pins VALUES (\(placeholders))", row)
            }
        }
        try database.close()
    }

    /// The newest step that is there; fails if one before it is missing.
    func version() throws -> Int {
        if let text = nacre.environment["NACRE_CATALOG_URL"], let url = PostgreSQLURL(text) {
            return try CatalogDatabase.inspect(server: url).schema
        }
        return try #require(try CatalogDatabase.inspect(path: nacre.data + "/catalog.sqlite")).schema
    }

    /// Everything is there and right.
    func check() throws {
        let catalog: CatalogDatabase
        if let text = nacre.environment["NACRE_CATALOG_URL"], let url = PostgreSQLURL(text) {
            catalog = try CatalogDatabase(server: url)
        } else {
            catalog = try CatalogDatabase(path: nacre.data + "/catalog.sqlite")
        }
        #expect(try catalog.problems() == [])
        #expect(try catalog.pins.counters().pins == Int64(Self.pins))
        try catalog.close()
    }
}
