import Catalog
import Foundation
import Glibc
import TestKit
import Testing

/// The catalog holds what nobody else may read: hashes of passwords, who did what, what is private.
@Suite struct FileModeTests {
    private func modes(_ path: String) throws -> [String: mode_t] {
        var modes: [String: mode_t] = [:]
        for suffix in ["", "-wal", "-shm"] {
            var status = stat()
            guard stat(path + suffix, &status) == 0 else { continue }
            modes[suffix] = status.st_mode & 0o777
        }
        return modes
    }

    @Test func allFilesOfACatalogAreItsOwnersAlone() throws {
        let place = try CatalogOnDisk()
        let catalog = try place.open()
        try catalog.settings.set("a", to: "b")
        #expect(try modes(place.path) == ["": 0o600, "-wal": 0o600, "-shm": 0o600])
        // Whoever only looks makes no others either.
        _ = try CatalogDatabase.inspect(path: place.path)
        #expect(try modes(place.path).values.allSatisfy { $0 == 0o600 })
        try catalog.close()
        _ = try CatalogDatabase.inspect(path: place.path)
        #expect(try modes(place.path).values.allSatisfy { $0 == 0o600 })
    }

    /// As earlier versions made them, and as they come back from some backups.
    @Test func filesThatOthersCouldReadAreClosedToThem() throws {
        let place = try CatalogOnDisk()
        try place.open().close()
        #expect(chmod(place.path, 0o644) == 0)
        let catalog = try place.open()
        #expect(try modes(place.path).values.allSatisfy { $0 == 0o600 })
        try catalog.settings.set("a", to: "b")
        for suffix in ["-wal", "-shm"] { #expect(chmod(place.path + suffix, 0o664) == 0) }
        let other = try place.open()
        #expect(try modes(place.path) == ["": 0o600, "-wal": 0o600, "-shm": 0o600])
        #expect(try other.settings.value("a") == "b")
        try other.close()
        try catalog.close()
    }
}
