import Glibc
import HTTPSupport
import Synchronization

/// Names for requests: unique on this node for as long as anybody looks for one in a log.
enum RequestIdentifier {
    private static let counter = Atomic<UInt64>(UInt64.random(in: 0...UInt64.max))

    /// 16 hexadecimal digits.
    static func next() -> String {
        // An odd factor makes neighbours look different, and is a bijection.
        let number = counter.wrappingAdd(1, ordering: .relaxed).newValue &* 0x9E37_79B9_7F4A_7C15
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

extension HTTPDate {
    static var now: HTTPDate {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return HTTPDate(seconds: Int64(time.tv_sec))
    }
}
