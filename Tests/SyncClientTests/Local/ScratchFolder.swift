import Foundation
import Glibc
import Synchronization

/// A new directory that is removed with all that is in it.
final class ScratchFolder: Sendable {
    let path: String

    init() throws {
        var template = (NSTemporaryDirectory() + "/nacre-sync-XXXXXX").utf8CString.map { $0 }
        guard mkdtemp(&template) != nil else { throw CocoaError(.fileWriteUnknown) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        // What cannot be removed is the system's to clean up; the test has its result.
        try? FileManager.default.removeItem(atPath: path)
    }

    func path(_ name: String) -> String { path + "/" + name }

    func makeDirectory(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: path(name), withIntermediateDirectories: true)
    }

    func write(_ text: String, _ name: String) throws { try write(Array(text.utf8), name) }

    /// Writes a file in place, with the directories above it.
    func write(_ bytes: [UInt8], _ name: String) throws {
        if let slash = name.lastIndex(of: "/") { try makeDirectory(String(name[..<slash])) }
        let descriptor = open(path(name), O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        guard descriptor >= 0, Glibc.write(descriptor, bytes, bytes.count) == bytes.count,
            close(descriptor) == 0
        else { throw CocoaError(.fileWriteUnknown) }
    }

    func read(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(fileURLWithPath: path(name))))
    }

    func rename(_ name: String, _ other: String) throws {
        guard Glibc.rename(path(name), path(other)) == 0 else { throw CocoaError(.fileWriteUnknown) }
    }

    func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: path(name)) }
}

/// A reproducible source of random values (SplitMix64).
struct LocalRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    mutating func bytes(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        bytes.withUnsafeMutableBytes { buffer in
            for offset in stride(from: 0, to: count, by: 8) {
                withUnsafeBytes(of: next()) { word in
                    UnsafeMutableRawBufferPointer(rebasing: buffer[offset..<min(offset + 8, count)])
                        .copyBytes(from: word.prefix(count - offset))
                }
            }
        }
        return bytes
    }
}

/// A clock that stands still until it is told to go on: nanoseconds since 1970.
final class StillClock: Sendable {
    private let time: Mutex<Int64>

    init(_ time: Int64) { self.time = Mutex(time) }

    /// Stands where the machine's clock is, and so long after it.
    static func afterNow(seconds: Int64) -> StillClock {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return StillClock((Int64(now.tv_sec) + seconds) * 1_000_000_000)
    }

    var now: Int64 { time.withLock { $0 } }
    func advance(seconds: Int64) { time.withLock { $0 += seconds * 1_000_000_000 } }
}
