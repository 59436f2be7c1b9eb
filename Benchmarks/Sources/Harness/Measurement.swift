/// What several runs of the same work gave.
public struct Measurement: Sendable {
    public let seconds: [Double]
    /// The most memory that was resident during the runs.
    public let peakMemoryBytes: Int

    public var medianSeconds: Double { seconds.sorted()[seconds.count / 2] }

    /// Runs `work` once to warm up and then `runs` times.
    ///
    /// - Parameter work: returns whether its result was right.
    /// - Throws: `BenchmarkError.wrongResult`, and what `work` throws.
    public static func of(runs: Int, warmUp: Bool = true, _ work: () throws -> Bool) throws -> Measurement {
        if warmUp, try !work() { throw BenchmarkError.wrongResult }
        ProcessMemory.resetPeak()
        let clock = ContinuousClock()
        var seconds: [Double] = []
        for _ in 0..<max(1, runs) {
            let start = clock.now
            let isRight = try work()
            seconds.append(clock.now - start)
            guard isRight else { throw BenchmarkError.wrongResult }
        }
        return Measurement(seconds: seconds, peakMemoryBytes: ProcessMemory.peakBytes)
    }

    public init(seconds: [Double], peakMemoryBytes: Int) {
        self.seconds = seconds
        self.peakMemoryBytes = peakMemoryBytes
    }
}

extension [Double] {
    mutating func append(_ duration: Duration) { append(duration.inSeconds) }
}

extension Duration {
    public var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}

/// Why a benchmark has no figure.
public enum BenchmarkError: Error {
    case wrongResult
    case unusable(String)
}
