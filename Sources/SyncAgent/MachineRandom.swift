import Glibc
import Synchronization

/// Random numbers of the system, fetched many at a time: each file has a few, and a call for each is most of what
/// they cost.
enum MachineRandom {
    private struct Reserve {
        var numbers = [UInt64](repeating: 0, count: count)
        var used = count
    }

    /// 256 bytes: as many as the system gives at once.
    private static let count = 32
    private static let reserve = Mutex(Reserve())

    static func next() -> UInt64 {
        reserve.withLock { reserve in
            if reserve.used == count {
                let bytes = count * MemoryLayout<UInt64>.size
                let isFilled = reserve.numbers.withUnsafeMutableBytes {
                    $0.baseAddress.map { getentropy($0, bytes) == 0 } ?? false
                }
                // Where the system gives none by this call, it does by another.
                guard isFilled else { return UInt64.random(in: 0 ... .max) }
                reserve.used = 0
            }
            defer { reserve.used += 1 }
            return reserve.numbers[reserve.used]
        }
    }
}
