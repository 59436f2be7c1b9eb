/// The body of a request as a door reads it: piece by piece, on a thread that may wait.
public protocol RequestBytes: AnyObject, Sendable {
    /// The next piece, not empty; `nil` at the end.
    ///
    /// - Throws: when the client is gone before the end, or stopped sending.
    func next() throws -> ArraySlice<UInt8>?
}

/// A body that is there as a whole.
public final class WholeRequestBody: RequestBytes, @unchecked Sendable {
    // Proof of Sendable: `rest` is touched by `next` alone, which one thread calls, as the protocol is
    // used.
    private var rest: ArraySlice<UInt8>?

    public init(_ bytes: [UInt8]) { rest = bytes.isEmpty ? nil : bytes[...] }

    public func next() -> ArraySlice<UInt8>? {
        defer { rest = nil }
        return rest
    }
}

/// Reads a body in pieces of any length.
public struct RequestBodyReader {
    private let source: any RequestBytes
    private let limit: Int64
    private var rest: ArraySlice<UInt8> = []
    /// Bytes that came so far.
    public private(set) var received: Int64 = 0

    /// - Parameter limit: the most bytes that may come.
    public init(_ source: any RequestBytes, limit: Int64 = .max) {
        self.source = source
        self.limit = limit
    }

    /// Fills a part of the buffer, at least one byte unless it is empty.
    ///
    /// - Returns: 0 at the end only.
    /// - Throws: `RequestBodyError.tooLarge`, and what the source throws.
    public mutating func read(into target: UnsafeMutableRawBufferPointer) throws -> Int {
        if rest.isEmpty { rest = try nextPiece() ?? [] }
        let count = min(rest.count, target.count)
        rest.prefix(count).withUnsafeBytes { target.copyMemory(from: $0) }
        rest = rest.dropFirst(count)
        return count
    }

    /// Everything that is left.
    public mutating func readAll() throws -> [UInt8] {
        var bytes = Array(rest)
        rest = []
        while let piece = try nextPiece() { bytes.append(contentsOf: piece) }
        return bytes
    }

    /// The next piece as it came; `nil` at the end.
    public mutating func nextPiece() throws -> ArraySlice<UInt8>? {
        if !rest.isEmpty {
            defer { rest = [] }
            return rest
        }
        guard let piece = try source.next() else { return nil }
        received += Int64(piece.count)
        guard received <= limit else { throw RequestBodyError.tooLarge(limit: limit) }
        return piece
    }
}

/// What is wrong with the body of a request.
public enum RequestBodyError: Error, Equatable, Sendable, CustomStringConvertible {
    case tooLarge(limit: Int64)
    /// The client went away, or stopped sending.
    case brokenOff

    public var description: String {
        switch self {
        case .tooLarge(let limit): "the body is larger than \(limit) bytes"
        case .brokenOff: "the body ended before its end"
        }
    }
}
