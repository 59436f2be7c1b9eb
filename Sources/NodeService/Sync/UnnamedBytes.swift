import Catalog

/// How much came to each namespace with a quota that no file names yet.
///
/// The quota is of files, and is asked when they are committed. What is sent before that is held to it here:
/// at most what the namespace may hold, and a little more, may come without a commit. It is forgotten with
/// time, since an upload that was given up never ends: the collector takes what it brought.
struct UnnamedBytes {
    /// How long what came is counted: milliseconds.
    static let period: Int64 = 24 * 3600 * 1000
    /// What came within one of these is forgotten together: milliseconds.
    private static let step: Int64 = 3600 * 1000

    private struct Piece {
        let time: Int64
        var bytes: Int64
    }

    /// The oldest first.
    private var pieces: [NamespaceID: [Piece]] = [:]

    /// Counts bytes that come, if there may be so many.
    ///
    /// - Parameters:
    ///   - limit: of all that is not named.
    ///   - time: milliseconds of a clock that never goes back.
    /// - Returns: whether they may come.
    mutating func add(_ bytes: Int64, to namespace: NamespaceID, limit: Int64, at time: Int64) -> Bool {
        var held = (pieces[namespace] ?? []).filter { $0.time > time - Self.period }
        let sum = held.reduce(0) { $0 + $1.bytes }
        guard bytes <= limit - sum else {
            pieces[namespace] = held.isEmpty ? nil : held
            return false
        }
        if let last = held.last, last.time > time - Self.step {
            held[held.count - 1].bytes += bytes
        } else {
            held.append(Piece(time: time, bytes: bytes))
        }
        pieces[namespace] = held
        return true
    }

    /// Files were committed that name so many bytes.
    mutating func name(_ bytes: Int64, in namespace: NamespaceID) {
        guard var held = pieces[namespace] else { return }
        var rest = bytes
        while rest > 0, let first = held.first {
            if first.bytes > rest {
                held[0].bytes -= rest
                rest = 0
            } else {
                rest -= first.bytes
                held.removeFirst()
            }
        }
        pieces[namespace] = held.isEmpty ? nil : held
    }
}
