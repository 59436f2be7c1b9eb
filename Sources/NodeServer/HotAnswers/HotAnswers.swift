import Glibc
import HTTPSupport
import NIOCore
import Synchronization

/// Small answers that were given lately, whole and ready for the socket, by the very bytes of the request.
///
/// The same head of a request gives the same answer as long as what it is about stays as it is: answers are
/// kept only if they say of themselves that they are immutable, for a minute at most, and are given only
/// while nothing was withdrawn from the store (`PackBlockStore.withdrawals`) and no other settings are in
/// force since before they were made. So what is unpublished, dropped or found damaged is gone from here at
/// the same moment.
///
/// Bounded in bytes and entries; what was not used for longest goes first. Thread-safe.
final class HotAnswers: Sendable {
    private struct State {
        var answers: [Int: HotAnswer] = [:]
        var lastUses: [Int: UInt64] = [:]
        var bytes = 0
        /// Counts uses, for who goes first.
        var uses: UInt64 = 0
        /// Hashes of requests that were seen once: what is asked for only once takes no room.
        var seen = [Int](repeating: 0, count: 1024)
        var tallies: [HotAnswer.Series: Tally] = [:]
        var date: (second: Int, text: [UInt8]) = (0, [])

        mutating func remove(_ hash: Int) {
            guard let answer = answers.removeValue(forKey: hash) else { return }
            lastUses[hash] = nil
            bytes -= answer.cost
        }
    }

    /// Answers of one kind since the metrics were read last.
    struct Tally {
        var count: UInt64 = 0
        var seconds = 0.0
        var bytes = 0
    }

    private let maximumBytes: Int
    private let maximumAnswers: Int
    private let lifetime: TimeAmount
    private let settings: CurrentSettings
    private let state = Mutex(State())

    init(
        maximumBytes: Int = 16 * 1024 * 1024, maximumAnswers: Int = 4096, lifetime: TimeAmount = .seconds(60),
        settings: CurrentSettings
    ) {
        self.maximumBytes = maximumBytes
        self.maximumAnswers = maximumAnswers
        self.lifetime = lifetime
        self.settings = settings
    }

    /// The answer to a request, with the date for its head; counts it.
    ///
    /// - Parameters:
    ///   - head: of the request, to the end of its empty line.
    ///   - start: when the request came.
    func answer(
        to head: UnsafeRawBufferPointer, from peer: HotAnswer.Peer, since start: NIODeadline
    ) -> (answer: HotAnswer, date: [UInt8])? {
        let hash = Self.hash(head, peer)
        let now = NIODeadline.now()
        let second = time(nil)
        return state.withLock { state -> (answer: HotAnswer, date: [UInt8])? in
            guard let answer = state.answers[hash] else { return nil }
            guard answer.ground.holds(under: settings), now < answer.expiry else {
                state.remove(hash)
                return nil
            }
            guard answer.isAnswer(to: head, from: peer) else { return nil }
            state.uses += 1
            state.lastUses[hash] = state.uses
            state.tallies[answer.series, default: Tally()].add(answer.bodyBytes, now - start)
            if state.date.second != second {
                state.date = (second, Array(HTTPDate(seconds: Int64(second)).description.utf8))
            }
            return (answer, state.date.text)
        }
    }

    /// Whether the request was made lately as well, so that its answer is worth keeping.
    func isRepeated(_ head: UnsafeRawBufferPointer, from peer: HotAnswer.Peer) -> Bool {
        let hash = Self.hash(head, peer)
        return state.withLock { state in
            let slot = hash & (state.seen.count - 1)
            defer { state.seen[slot] = hash }
            return state.seen[slot] == hash
        }
    }

    /// Keeps an answer for requests to come.
    func keep(_ content: HotAnswer.Content, for key: HotAnswer.Key) {
        let answer = HotAnswer(content, key, expiry: .now() + lifetime)
        guard answer.cost <= maximumBytes else { return }
        let hash = key.head.withUnsafeBytes { Self.hash($0, key.peer) }
        state.withLock { state in
            state.remove(hash)
            state.uses += 1
            state.answers[hash] = answer
            state.lastUses[hash] = state.uses
            state.bytes += answer.cost
            while state.bytes > maximumBytes || state.answers.count > maximumAnswers {
                guard let oldest = state.lastUses.min(by: { $0.value < $1.value }) else { return }
                state.remove(oldest.key)
            }
        }
    }

    /// What was answered since the last call.
    func takeTallies() -> [HotAnswer.Series: Tally] {
        state.withLock { state in
            defer { state.tallies = [:] }
            return state.tallies
        }
    }

    private static func hash(_ head: UnsafeRawBufferPointer, _ peer: HotAnswer.Peer) -> Int {
        var hasher = Hasher()
        hasher.combine(peer)
        hasher.combine(bytes: head)
        return hasher.finalize()
    }
}

extension HotAnswers.Tally {
    fileprivate mutating func add(_ bodyBytes: Int, _ duration: TimeAmount) {
        count += 1
        bytes += bodyBytes
        seconds += Double(duration.nanoseconds) / 1e9
    }
}
