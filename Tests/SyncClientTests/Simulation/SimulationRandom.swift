import Synchronization

/// Random numbers that are the same for the same seed. Shared by all parts of a simulation, which runs on
/// one thread.
final class SimulationRandom: RandomNumberGenerator, Sendable {
    private let state: Mutex<UInt64>

    init(seed: UInt64) { state = Mutex(seed) }

    func next() -> UInt64 {
        state.withLock { state in
            state &+= 0x9E37_79B9_7F4A_7C15
            var word = state
            word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
            word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
            return word ^ (word >> 31)
        }
    }

    func number(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(next() % UInt64(range.upperBound - range.lowerBound + 1))
    }

    func oneIn(_ times: Int) -> Bool { next() % UInt64(times) == 0 }
    func pick<Element>(_ choices: [Element]) -> Element { choices[number(0...choices.count - 1)] }
}
