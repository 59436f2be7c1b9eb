import Foundation
import TestKit

/// Files whose names are no text.
enum RawFile {
    static func write(_ bytes: [UInt8], folder: String, name: [UInt8]) throws {
        let path = Array(folder.utf8) + [UInt8(ascii: "/")] + name + [0]
        let descriptor = path.withUnsafeBufferPointer { pointer in
            pointer.withMemoryRebound(to: CChar.self) {
                open($0.baseAddress!, O_WRONLY | O_CREAT | O_EXCL, 0o644)
            }
        }
        guard descriptor >= 0 else { throw POSIXFailure(code: errno) }
        defer { close(descriptor) }
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count else {
            throw POSIXFailure(code: errno)
        }
    }

    static func names(in folder: String) throws -> Set<[UInt8]> {
        guard let stream = opendir(folder) else { throw POSIXFailure(code: errno) }
        defer { closedir(stream) }
        var names: Set<[UInt8]> = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            if name != Array(".".utf8) && name != Array("..".utf8) { names.insert(name) }
        }
        return names
    }
}

struct POSIXFailure: Error { let code: Int32 }

enum Folder {
    /// Bytes that the files in a folder take on disk, as `du` counts them.
    static func diskBytes(_ path: String) throws -> Int64 {
        try sum(path) { Int64($0.st_blocks) * 512 }
    }

    /// Lengths of the files in a folder.
    static func bytes(_ path: String) throws -> Int64 {
        try sum(path) { Int64($0.st_size) }
    }

    private static func sum(_ path: String, _ measure: (stat) -> Int64) throws -> Int64 {
        var total: Int64 = 0
        for name in try FileManager.default.subpathsOfDirectory(atPath: path) {
            var status = stat()
            guard lstat(path + "/" + name, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
            total += measure(status)
        }
        return total
    }
}

extension SeededRandom {
    static func bytes(seed: UInt64, count: Int) -> [UInt8] {
        var random = SeededRandom(seed: seed)
        return random.bytes(count)
    }
}
