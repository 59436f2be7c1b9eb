import Glibc

/// Memory for events of inotify, and how they are read.
final class WatchBuffer: Sendable {
    /// An event, valid as long as the memory that it was read into.
    struct Event {
        let watch: Int32
        let mask: UInt32
        let cookie: UInt32
        fileprivate let nameBytes: UnsafeBufferPointer<UInt8>

        /// `nil` for the directory itself, and for a name that is not UTF-8.
        var name: String? {
            nameBytes.isEmpty ? nil : String(validating: nameBytes, as: UTF8.self)
        }
        var hasName: Bool { !nameBytes.isEmpty }

        func has(_ flag: Int32) -> Bool { mask & UInt32(bitPattern: flag) != 0 }
        func has(_ flag: UInt32) -> Bool { mask & flag != 0 }
    }

    private static let bytes = 64 * 1024

    /// Gives the events that are there, as many as fit, to `body`.
    ///
    /// - Returns: whether there were any.
    func read(_ descriptor: Int32, _ body: (Event) -> Void) -> Bool {
        withUnsafeTemporaryAllocation(byteCount: Self.bytes, alignment: 8) { buffer in
            var count = 0
            repeat {
                count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            } while count < 0
                && errno == EINTR
            guard count > 0 else { return false }
            return Self.parse(UnsafeRawBufferPointer(rebasing: buffer[..<count]), body) > 0
        }
    }

    /// Each event: watch, mask, cookie and length as 32 bits, then the name with zero bytes behind it.
    ///
    /// - Returns: how many there were.
    @discardableResult
    static func parse(_ bytes: UnsafeRawBufferPointer, _ body: (Event) -> Void) -> Int {
        var events = 0
        var offset = 0
        while offset + 16 <= bytes.count {
            func word(_ index: Int) -> UInt32 {
                bytes.loadUnaligned(fromByteOffset: offset + 4 * index, as: UInt32.self)
            }
            let length = Int(word(3))
            guard length <= bytes.count - offset - 16 else { return events }
            let name = bytes[(offset + 16)..<(offset + 16 + length)].prefix { $0 != 0 }
            body(
                Event(
                    watch: Int32(bitPattern: word(0)), mask: word(1), cookie: word(2),
                    nameBytes: UnsafeRawBufferPointer(rebasing: name).bindMemory(to: UInt8.self)))
            events += 1
            offset += 16 + length
        }
        return events
    }
}
