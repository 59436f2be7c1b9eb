import Synchronization

/// The id of a record: 26 characters of Crockford's base32, ordered by when the record was made (a ULID).
///
/// 48 bits of Unix milliseconds, then 80 random bits, which count upwards within one millisecond.
/// `Kind` keeps the ids of different tables apart.
public struct RecordID<Kind>: Hashable, Sendable {
    /// Upper-case text, as stored and shown.
    public let text: String

    /// Reads an id in either case.
    ///
    /// - Throws: `invalidID`.
    public init(text: String) throws(CatalogError) {
        let upper = text.uppercased()
        // A first digit above 7 would make the time longer than 48 bits.
        guard upper.utf8.count == 26, upper.utf8.allSatisfy(CrockfordBase32.alphabet.contains),
            let first = upper.utf8.first, first <= UInt8(ascii: "7")
        else { throw .invalidID(String(text.prefix(64))) }
        self.text = upper
    }

    /// An id of the 128 bits in `high` and `low`.
    init(high: UInt64, low: UInt64) {
        var characters = [UInt8](repeating: 0, count: 26)
        var (high, low) = (high, low)
        for index in characters.indices.reversed() {
            characters[index] = CrockfordBase32.alphabet[Int(low & 31)]
            low = low >> 5 | high << 59
            high >>= 5
        }
        text = String(decoding: characters, as: UTF8.self)
    }

    /// The 128 bits.
    var bits: (high: UInt64, low: UInt64) {
        var (high, low): (UInt64, UInt64) = (0, 0)
        for character in text.utf8 {
            high = high << 5 | low >> 59
            low = low << 5 | UInt64(CrockfordBase32.alphabet.firstIndex(of: character) ?? 0)
        }
        return (high, low)
    }
}

extension RecordID: Comparable {
    public static func < (a: Self, b: Self) -> Bool { a.text < b.text }
}

extension RecordID: CustomStringConvertible {
    public var description: String { text }
}

/// Makes ids that only grow, even if the clock goes back. Thread-safe.
final class RecordIDGenerator<Kind>: Sendable {
    private struct State {
        var high: UInt64 = 0
        var low: UInt64 = 0
    }
    private let state: Mutex<State>

    /// - Parameter last: an id that all new ones are to be greater than.
    init(after last: RecordID<Kind>?) {
        let bits = last?.bits
        state = Mutex(State(high: bits?.high ?? 0, low: bits?.low ?? 0))
    }

    /// Makes only ids that are greater than `id` from now on.
    func pass(_ id: PinID) {
        let bits = id.bits
        state.withLock { state in
            if (bits.high, bits.low) > (state.high, state.low) {
                (state.high, state.low) = (bits.high, bits.low)
            }
        }
    }

    /// - Parameter now: Unix milliseconds.
    func next(now: Int64) -> RecordID<Kind> {
        let (high, low) = nextBits(now: now)
        return RecordID<Kind>(high: high, low: low)
    }

    /// The 128 bits of a new id.
    ///
    /// - Parameter now: Unix milliseconds.
    func nextBits(now: Int64) -> (high: UInt64, low: UInt64) {
        let milliseconds = UInt64(clamping: now) & 0xFFFF_FFFF_FFFF
        return state.withLock { state in
            if milliseconds > state.high >> 16 {
                state.high = milliseconds << 16 | UInt64.random(in: 0...0xFFFF)
                state.low = UInt64.random(in: 0...UInt64.max)
            } else {
                // Steps of random width keep the ids hard to guess from one another.
                let (low, overflow) = state.low.addingReportingOverflow(UInt64.random(in: 1...0xFFFF_FFFF))
                state.low = low
                if overflow { state.high &+= 1 }
            }
            return (state.high, state.low)
        }
    }
}

/// Digits and capitals without those that are taken for others.
private enum CrockfordBase32 {
    static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)
}
