import Synchronization

/// How many requests are worked on at once, in all and for each address.
final class Admission: Sendable {
    private let maximum: Int
    private let maximumPerAddress: Int
    private let state = Mutex<(total: Int, addresses: [String: Int])>((0, [:]))

    /// - Parameter maximumPerAddress: not counted for loopback, where a proxy may stand for many clients.
    init(maximum: Int, maximumPerAddress: Int) {
        self.maximum = maximum
        self.maximumPerAddress = maximumPerAddress
    }

    enum Refusal {
        /// The node has too much to do: 503.
        case overall
        /// This address has too much under way: 429.
        case address
    }

    /// Takes a request in; every one that was taken in must ``leave(_:)``.
    ///
    /// - Returns: why it is not taken in, or `nil`.
    func enter(_ address: String) -> Refusal? {
        state.withLock { state in
            guard state.total < maximum else { return .overall }
            let count = state.addresses[address] ?? 0
            guard count < maximumPerAddress || Self.isLoopback(address) else { return .address }
            state.total += 1
            state.addresses[address] = count + 1
            return nil
        }
    }

    func leave(_ address: String) {
        state.withLock { state in
            state.total -= 1
            let left = (state.addresses[address] ?? 1) - 1
            // Addresses that are gone leave nothing behind.
            state.addresses[address] = left > 0 ? left : nil
        }
    }

    /// Requests that are under way.
    var current: Int { state.withLock { $0.total } }

    private static func isLoopback(_ address: String) -> Bool {
        address.hasPrefix("127.") || address == "::1"
    }
}
