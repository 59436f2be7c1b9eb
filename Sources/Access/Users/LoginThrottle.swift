import Synchronization

/// Slows down whoever guesses passwords: a growing delay for each account and for each address.
///
/// Every attempt counts as failed until it has succeeded, so that many at once are no way around it. An
/// account is what was typed, whether such a user is there or not. A delay is refused at once and holds no
/// thread. Memory: at most `capacity` accounts, addresses and targets each; the quietest go first.
final class LoginThrottle: Sendable {
    /// How much is free, and how the delay grows.
    struct Options: Sendable {
        /// Failures of an account before it is slowed down.
        var freeForAccount = 5
        /// Failures of an address before it is: several people may be behind it.
        var freeForAddress = 20
        /// The longest delay of an account, in milliseconds: a stranger can keep its owner away so long.
        var longestForAccount: Int64 = 5 * 60 * 1000
        var longestForAddress: Int64 = 15 * 60 * 1000
        /// Failures at one thing from everywhere before all who try it are slowed down: more than one person
        /// mistypes, fewer than it takes to guess.
        var freeForTarget = 100
        var longestForTarget: Int64 = 60 * 1000
        /// Milliseconds without an attempt after which failures are forgotten; more than the longest
        /// delays.
        var memory: Int64 = 3600 * 1000
        var capacity = 10_000
    }

    private struct Entry {
        var failures = 0
        /// Unix milliseconds before which nobody is listened to.
        var until: Int64 = 0
        var last: Int64 = 0
    }

    private struct State {
        var accounts: [String: Entry] = [:]
        var addresses: [IPAddress: Entry] = [:]
        var targets: [String: Entry] = [:]
    }

    private let options: Options
    private let state = Mutex(State())

    init(_ options: Options = Options()) { self.options = options }

    /// Lets an attempt begin, and counts it as failed until ``forgive(_:from:target:)``.
    ///
    /// - Parameters:
    ///   - account: what was typed.
    ///   - address: what one customer has; `nil` if it is not known or stands for many.
    ///   - target: what several accounts lead to: one that is guessed at from everywhere is slowed down for
    ///     all.
    ///   - time: Unix milliseconds.
    /// - Throws: `loginThrottled`.
    func begin(
        _ account: String, from address: IPAddress?, target: String? = nil, at time: Int64
    ) throws(AccessError) {
        let wait = state.withLock { state -> Int64 in
            Self.trim(&state.accounts, options, time)
            Self.trim(&state.addresses, options, time)
            Self.trim(&state.targets, options, time)
            let accountEntry = Self.current(state.accounts[account], options, time)
            let addressEntry = Self.current(address.flatMap { state.addresses[$0] }, options, time)
            let targetEntry = Self.current(target.flatMap { state.targets[$0] }, options, time)
            let wait = max(accountEntry.until, addressEntry.until, targetEntry.until) - time
            guard wait <= 0 else { return wait }
            state.accounts[account] = Self.failed(
                accountEntry, options.freeForAccount, options.longestForAccount, time)
            if let address {
                state.addresses[address] = Self.failed(
                    addressEntry, options.freeForAddress, options.longestForAddress, time)
            }
            if let target {
                state.targets[target] = Self.failed(
                    targetEntry, options.freeForTarget, options.longestForTarget, time)
            }
            return 0
        }
        if wait > 0 { throw .loginThrottled(seconds: Int((wait + 999) / 1000)) }
    }

    /// An attempt succeeded, or was no guess: the account is free again. Of the address and of the target only
    /// this attempt is taken back, or an own account would pay for guesses at others, and one who knows the
    /// password for those of others.
    func forgive(_ account: String, from address: IPAddress?, target: String? = nil) {
        state.withLock { state in
            state.accounts[account] = nil
            if let address { state.addresses[address] = Self.takenBack(state.addresses[address]) }
            if let target { state.targets[target] = Self.takenBack(state.targets[target]) }
        }
    }

    private static func takenBack(_ entry: Entry?) -> Entry? {
        guard var entry else { return nil }
        entry.failures -= 1
        // Beyond what is free one attempt is under way at a time: the delay is this one's.
        entry.until = 0
        return entry.failures > 0 ? entry : nil
    }

    private static func current(_ entry: Entry?, _ options: Options, _ time: Int64) -> Entry {
        guard let entry, time - entry.last < options.memory else { return Entry() }
        return entry
    }

    /// One second after the first failure that is not free, then twice as long each time.
    private static func failed(_ entry: Entry, _ free: Int, _ longest: Int64, _ time: Int64) -> Entry {
        var entry = entry
        entry.failures = min(entry.failures + 1, 1000)
        entry.last = time
        if entry.failures > free {
            entry.until = time + min(longest, 1000 << Int64(min(entry.failures - free - 1, 30)))
        }
        return entry
    }

    /// Makes room: first what is forgotten, then those with the fewest failures.
    private static func trim<Key>(_ entries: inout [Key: Entry], _ options: Options, _ time: Int64) {
        guard entries.count >= options.capacity else { return }
        entries = entries.filter { time - $0.value.last < options.memory }
        guard entries.count >= options.capacity else { return }
        let kept = entries.sorted { ($0.value.failures, $0.value.last) > ($1.value.failures, $1.value.last) }
        entries = Dictionary(kept.prefix(options.capacity * 3 / 4).map { ($0.key, $0.value) }) { first, _ in
            first
        }
    }
}
