import HTTPSupport
import Synchronization

/// A body that a closure makes piece by piece. Small pieces are gathered.
final class PulledBody: BodyStream, @unchecked Sendable {
    // Proof of Sendable: `make` and `waiting` are touched by `next` and `look` alone, which the server
    // calls one at a time, as `BodyStream` says; what hands one call to the next thread orders their
    // memory.
    private let make: () throws -> ArraySlice<UInt8>?
    private var waiting: [ArraySlice<UInt8>] = []
    private var isAtEnd = false

    init(_ make: @escaping () throws -> ArraySlice<UInt8>?) { self.make = make }

    /// Makes the beginning before anything is sent, so that its errors come as a status.
    func look(ahead bytes: Int) throws {
        var count = waiting.reduce(0) { $0 + $1.count }
        while count < bytes, !isAtEnd {
            guard let piece = try make() else {
                isAtEnd = true
                return
            }
            waiting.append(piece)
            count += piece.count
        }
    }

    func next() throws -> BodyPiece? {
        if waiting.isEmpty { try look(ahead: Self.pieceBytes) }
        guard !waiting.isEmpty else { return nil }
        if waiting.count == 1 { return .bytes(waiting.removeFirst()) }
        defer { waiting.removeAll(keepingCapacity: true) }
        return .bytes(Array(waiting.joined())[...])
    }

    /// So much is gathered before it is sent.
    private static let pieceBytes = 64 * 1024
}
