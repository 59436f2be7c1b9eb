import HTTPSupport

/// A CAR as it is sent: small sections gathered, large ones as places in packs.
final class CARBody: BodyStream, @unchecked Sendable {
    // Proof of Sendable: as for `PulledBody`, one call at a time.
    private let walk: CARWalk
    private var waiting: [BodyPiece] = []
    private var isAtEnd = false

    init(_ walk: CARWalk) { self.walk = walk }

    /// Makes the beginning before anything is sent, so that its errors come as a status.
    func look(ahead bytes: Int) throws {
        var count = waiting.reduce(0) { $0 + $1.count }
        while count < bytes, !isAtEnd {
            guard let pieces = try walk.next() else {
                isAtEnd = true
                return
            }
            waiting += pieces
            count += pieces.reduce(0) { $0 + $1.count }
        }
    }

    var isReady: Bool { !waiting.isEmpty || isAtEnd }

    func next() throws -> BodyPiece? {
        if waiting.isEmpty { try look(ahead: Self.pieceBytes) }
        // Those before the first that lies in a file, as one.
        let count = waiting.firstIndex { if case .file = $0 { true } else { false } } ?? waiting.count
        guard count > 0 else { return waiting.isEmpty ? nil : waiting.removeFirst() }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(waiting[..<count].reduce(0) { $0 + $1.count })
        for case .bytes(let slice) in waiting[..<count] { bytes += slice }
        waiting.removeFirst(count)
        return .bytes(bytes[...])
    }

    /// So much is gathered before it is sent.
    private static let pieceBytes = 64 * 1024
}
