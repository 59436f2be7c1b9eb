import Glibc

/// Time as the index counts it. Only ages are compared with it; no order depends on it.
public enum StoreClock {
    /// Seconds from 1970 to 2020.
    private static let epoch: Int = 1_577_836_800

    /// A moment of this clock as milliseconds since 1970.
    public static func unixMilliseconds(_ time: UInt64) -> Int64 {
        Int64(clamping: time).addingReportingOverflow(Int64(epoch) * 1000).partialValue
    }

    /// Milliseconds since 2020-01-01T00:00:00Z; 0 before.
    @Sendable public static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        guard time.tv_sec >= epoch else { return 0 }
        return UInt64(time.tv_sec - epoch) * 1000 + UInt64(time.tv_nsec / 1_000_000)
    }
}
