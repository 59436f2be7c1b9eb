import Access
import Synchronization

/// How many connections are open at once, in all and for each address.
///
/// Of IPv6 the first 64 bits count as one address: a single customer has all that begin with them.
final class ConnectionCap: Sendable {
    private struct State {
        var total = 0
        var addresses: [IPAddress: Int] = [:]
        var lingering = 0
    }

    private let state = Mutex(State())

    enum Refusal {
        /// The node has no room: 503.
        case overall
        /// This address has too many: 429.
        case address
    }

    /// What is allowed at the moment of a connection.
    struct Limits {
        var overall: Int
        var perAddress: Int
        /// Who stands for many clients: proxies that were named.
        var exempt: TrustedProxies
    }

    /// Counts a connection; every one that was counted must ``leave(_:)``.
    ///
    /// - Returns: why it is not taken, or `nil`.
    func enter(_ address: String, _ limits: Limits) -> Refusal? {
        let counted = Self.counted(address)
        return state.withLock { state in
            guard state.total < limits.overall else { return .overall }
            if let counted, !limits.exempt.contains(address) {
                guard state.addresses[counted, default: 0] < limits.perAddress else { return .address }
            }
            state.total += 1
            if let counted { state.addresses[counted, default: 0] += 1 }
            return nil
        }
    }

    func leave(_ address: String) {
        let counted = Self.counted(address)
        state.withLock { state in
            state.total -= 1
            guard let counted else { return }
            let left = (state.addresses[counted] ?? 1) - 1
            // Addresses that are gone leave nothing behind.
            state.addresses[counted] = left > 0 ? left : nil
        }
    }

    /// Whether one more refused connection may stay for the moment in which it reads why.
    func mayLinger() -> Bool {
        state.withLock { state in
            guard state.lingering < Self.maximumLingering else { return false }
            state.lingering += 1
            return true
        }
    }

    func endLingering() { state.withLock { $0.lingering -= 1 } }

    /// Connections that are open.
    var current: Int { state.withLock { $0.total } }

    private static let maximumLingering = 256

    /// - Returns: `nil` for this machine, where a proxy may stand for many clients.
    private static func counted(_ address: String) -> IPAddress? {
        guard !Loopback.contains(address), let parsed = IPAddress(address) else { return nil }
        return parsed.customer
    }
}

/// This machine.
enum Loopback {
    static func contains(_ address: String) -> Bool {
        address.hasPrefix("127.") || address == "::1" || address.hasPrefix("::ffff:127.")
    }
}
