import Synchronization

/// How many requests are worked on at once, in all and for each address.
final class Admission: Sendable {
    private let state = Mutex<(total: Int, addresses: [String: Int])>((0, [:]))

    enum Refusal {
        /// The node has too much to do: 503.
        case overall
        /// This address has too much under way: 429.
        case address
    }

    /// Takes a request in; every one that was taken in must ``leave(_:)``.
    ///
    /// The limit of an address is not counted for this machine, where a proxy may stand for many clients.
    ///
    /// - Returns: why it is not taken in, or `nil`.
    func enter(_ address: String, _ options: ServerOptions) -> Refusal? {
        state.withLock { state in
            guard state.total < options.maximumRequests else { return .overall }
            let count = state.addresses[address] ?? 0
            guard count < options.maximumRequestsPerAddress || Loopback.contains(address) else {
                return .address
            }
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
}
