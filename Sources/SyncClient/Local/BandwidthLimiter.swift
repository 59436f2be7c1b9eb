/// Says how long to wait so that no more than so many bytes go through in a second: a bucket that fills
/// with time.
///
/// What is larger than the bucket goes through at once and is waited for afterwards. The clock is the
/// caller's, and may go back: no time passes then.
public struct BandwidthLimiter: Sendable {
    /// Bytes in a second; `nil` for no limit.
    public var bytesPerSecond: Int64? {
        didSet { if let bytesPerSecond, bytesPerSecond < 1 { self.bytesPerSecond = 1 } }
    }
    /// Bytes that may go through at once after a pause.
    private let burstBytes: Int64
    /// Bytes that may go through; negative for what has to be waited for. Counted in billionths of bytes,
    /// so that nothing is lost to rounding.
    private var available: Int128
    private var last: Int64?

    private static let scale: Int128 = 1_000_000_000

    /// - Parameter burstBytes: what may go through at once after a pause.
    public init(bytesPerSecond: Int64?, burstBytes: Int64 = 256 * 1024) {
        self.bytesPerSecond = bytesPerSecond.map { max(1, $0) }
        self.burstBytes = max(1, burstBytes)
        available = Int128(self.burstBytes) * Self.scale
    }

    /// Takes bytes that are about to go through.
    ///
    /// - Parameter now: nanoseconds of any clock.
    /// - Returns: nanoseconds to wait before anything goes through.
    public mutating func take(_ bytes: Int, now: Int64) -> Int64 {
        guard let bytesPerSecond else {
            last = nil
            return 0
        }
        let passed = max(0, Int128(now) - Int128(last ?? now))
        last = max(now, last ?? now)
        let full = Int128(burstBytes) * Self.scale
        available =
            min(full, available + passed * Int128(bytesPerSecond)) - Int128(max(0, bytes)) * Self.scale
        guard available < 0 else { return 0 }
        let wait = (-available + Int128(bytesPerSecond) - 1) / Int128(bytesPerSecond)
        return Int64(clamping: wait)
    }
}
