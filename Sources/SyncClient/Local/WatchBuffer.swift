import Glibc

/// Memory for events of inotify, and how they are read.
final class WatchBuffer: Sendable {
    struct Event {
        let watch: Int32
        let mask: UInt32
        let cookie: UInt32
        /// `nil` for the directory itself, and for a name that is not UTF-8.
        let name: String?

        func has(_ flag: Int32) -> Bool { mask & UInt32(bitPattern: flag) != 0 }
        func has(_ flag: UInt32) -> Bool { mask & flag != 0 }
    }

    private static let bytes = 64 * 1024

    /// The events that are there, as many as fit; none if there are none.
    func read(_ descriptor: Int32) -> [Event] {
        withUnsafeTemporaryAllocation(byteCount: Self.bytes, alignment: 8) { buffer in
            var count = 0
            repeat {
                count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            } while count < 0
                && errno == EINTR
            guard count > 0 else { return [] }
            return Self.parse(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
    }

    /// Each event: watch, mask, cookie and length as 32 bits, then the name with zero bytes behind it.
    static func parse(_ bytes: UnsafeRawBufferPointer) -> [Event] {
        var events: [Event] = []
        var offset = 0
        while offset + 16 <= bytes.count {
            func word(_ index: Int) -> UInt32 {
                bytes.loadUnaligned(fromByteOffset: offset + 4 * index, as: UInt32.self)
            }
            let length = Int(word(3))
            guard length <= bytes.count - offset - 16 else { return events }
            let name = bytes[(offset + 16)..<(offset + 16 + length)].prefix { $0 != 0 }
            events.append(
                Event(
                    watch: Int32(bitPattern: word(0)), mask: word(1), cookie: word(2),
                    name: name.isEmpty ? nil : String(validating: name, as: UTF8.self)))
            offset += 16 + length
        }
        return events
    }
}
