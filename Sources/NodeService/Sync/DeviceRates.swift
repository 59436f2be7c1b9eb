import SyncProtocol

/// How much each device may ask: so many requests a second, so many at once after a rest, and so many that
/// are worked on at the same time.
///
/// A plain value: time is given to it. Bounded: devices that rest are forgotten, which changes nothing.
public struct DeviceRates: Sendable {
    /// What a device may ask; 0 for any number.
    public struct Limits: Hashable, Sendable {
        public var requestsPerSecond = 100
        /// Requests that may come at once after a rest.
        public var burst = 400
        /// Requests that are worked on at once; those that wait for changes are not counted.
        public var streams = 8
        /// Seconds for which a file that it sends is shown to others after something of it came; 0 for
        /// never.
        public var inflightSeconds = SyncLimits.maximumInflightSeconds

        public init() {}

        /// As many times as much; what is any number stays so.
        func multiplied(by factor: Int) -> Limits {
            func times(_ count: Int) -> Int {
                let (product, overflows) = count.multipliedReportingOverflow(by: factor)
                return overflows ? count : product
            }
            var limits = self
            limits.requestsPerSecond = times(requestsPerSecond)
            limits.burst = times(burst)
            limits.streams = times(streams)
            return limits
        }
    }

    /// Why a request is not taken.
    public enum Refusal: Hashable, Sendable {
        /// Too many in a short time; the next is taken after so many milliseconds.
        case rate(milliseconds: Int64)
        case streams
    }

    private struct Bucket {
        /// Thousandths of requests that may come now.
        var tokens: Int64
        /// Milliseconds.
        var asOf: Int64
        var streams = 0
    }

    private var buckets: [String: Bucket] = [:]
    private let capacity: Int

    /// - Parameter capacity: the most devices that are counted one by one; further ones share.
    public init(capacity: Int = 10_000) { self.capacity = capacity }

    /// How many devices are counted.
    var count: Int { buckets.count }

    /// Takes a request of a device in, or says why not.
    ///
    /// - Parameters:
    ///   - now: milliseconds of a clock that never goes back.
    ///   - holdsStream: whether it is worked on until ``leave(_:)``, which must be called then.
    public mutating func enter(
        _ device: String, at now: Int64, _ limits: Limits, holdsStream: Bool
    ) -> (key: String, refusal: Refusal?) {
        let key = key(for: device, at: now, limits)
        let full = Int64(max(limits.burst, 1)) * 1000
        var bucket = buckets[key] ?? Bucket(tokens: full, asOf: now)
        if limits.requestsPerSecond > 0 {
            // A thousandth of a request a second is one token a millisecond.
            let rested = min(max(0, now - bucket.asOf), full)
            let (gained, overflows) = rested.multipliedReportingOverflow(by: Int64(limits.requestsPerSecond))
            bucket.tokens = overflows ? full : min(full, bucket.tokens + min(gained, full))
            bucket.asOf = max(bucket.asOf, now)
        } else {
            bucket.tokens = full
        }
        defer { buckets[key] = bucket }
        if holdsStream, limits.streams > 0, bucket.streams >= limits.streams { return (key, .streams) }
        if limits.requestsPerSecond > 0, bucket.tokens < 1000 {
            let rate = Int64(limits.requestsPerSecond)
            return (key, .rate(milliseconds: (1000 - bucket.tokens + rate - 1) / rate))
        }
        bucket.tokens -= 1000
        if holdsStream { bucket.streams += 1 }
        return (key, nil)
    }

    /// Ends what was taken in under a key.
    public mutating func leave(_ key: String) {
        guard var bucket = buckets[key] else { return }
        bucket.streams = max(0, bucket.streams - 1)
        buckets[key] = bucket
    }

    /// Where a device is counted.
    private mutating func key(for device: String, at now: Int64, _ limits: Limits) -> String {
        if buckets[device] != nil || buckets.count < capacity { return device }
        // Whoever has rested long enough to ask for everything again is as good as new.
        let rest = Int64(max(limits.burst, 1)) * 1000 / Int64(max(limits.requestsPerSecond, 1))
        buckets = buckets.filter { $0.value.streams > 0 || now - $0.value.asOf < rest }
        return buckets.count < capacity ? device : ""
    }
}
