import Glibc
import HTTPSupport
import Synchronization

/// Names for requests: unique on this node for as long as anybody looks for one in a log.
enum RequestIdentifier {
    private static let counter = Atomic<UInt64>(UInt64.random(in: 0...UInt64.max))

    /// Hexadecimal digits of a name.
    static let digits = 16

    static func next() -> String { withNext { String(decoding: $0, as: UTF8.self) } }

    /// Gives the next name to `body`, as text.
    static func withNext<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        // An odd factor makes neighbours look different, and is a bijection.
        var number = counter.wrappingAdd(1, ordering: .relaxed).newValue &* 0x9E37_79B9_7F4A_7C15
        return try withUnsafeTemporaryAllocation(byteCount: digits, alignment: 1) { text in
            for index in 0..<digits {
                let digit = UInt8(number >> 60)
                text[index] = digit < 10 ? digit + UInt8(ascii: "0") : digit - 10 + UInt8(ascii: "a")
                number <<= 4
            }
            return try body(UnsafeRawBufferPointer(text))
        }
    }
}

extension HTTPDate {
    static var now: HTTPDate {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return HTTPDate(seconds: Int64(time.tv_sec))
    }
}
