import CZlib
import CZstd

/// Unpacks a body as it comes: bytes in by ``feed(_:)``, pieces out by ``next()``, and ``finish()`` when no
/// more come. For one thread.
///
/// A piece has 64 KiB at most, so that memory is bounded however much comes of a few bytes; who uses it
/// counts what it takes. One frame is one body: what follows behind its end is an error.
public final class Decompressor {
    /// The most bytes of a piece.
    public static let pieceBytes = 64 * 1024
    /// A frame that wants more memory is refused: 8 MiB.
    private static let windowLog: Int32 = 23

    private enum Engine {
        // Of fixed address: zlib keeps a pointer back to it.
        case gzip(UnsafeMutablePointer<z_stream>)
        case zstd(OpaquePointer)
    }

    private let coding: ContentCoding
    private let engine: Engine
    private var input: ArraySlice<UInt8> = []
    private var isAtEnd = false
    /// Whether anything came at all.
    private var hasBegun = false
    /// Whether the library may hold more than it has given, though all of the input was taken.
    private var mayHoldMore = false

    /// - Throws: `outOfMemory`.
    public init(_ coding: ContentCoding) throws(ContentCodingError) {
        self.coding = coding
        switch coding {
        case .gzip:
            let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
            stream.initialize(to: z_stream())
            guard
                inflateInit2_(stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
            else {
                stream.deallocate()
                throw .outOfMemory
            }
            engine = .gzip(stream)
        case .zstd:
            guard let context = ZSTD_createDCtx() else { throw .outOfMemory }
            ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, Self.windowLog)
            engine = .zstd(context)
        }
    }

    deinit {
        switch engine {
        case .gzip(let stream):
            inflateEnd(stream)
            stream.deallocate()
        case .zstd(let context): ZSTD_freeDCtx(context)
        }
    }

    /// Gives it packed bytes. Take what ``next()`` makes of them before giving more.
    public func feed(_ bytes: ArraySlice<UInt8>) {
        input = input.isEmpty ? bytes : input + bytes
    }

    /// The next piece, not empty; `nil` if more packed bytes are needed, or none follow.
    ///
    /// - Throws: `damaged`, `trailing`.
    public func next() throws(ContentCodingError) -> [UInt8]? {
        while true {
            if isAtEnd {
                guard input.isEmpty else { throw .trailing(coding) }
                return nil
            }
            guard !input.isEmpty || mayHoldMore else { return nil }
            hasBegun = true
            var piece = [UInt8](repeating: 0, count: Self.pieceBytes)
            let (taken, made) = try step(into: &piece)
            // Nothing in and nothing out: it would be so for ever.
            guard taken + made > 0 || isAtEnd || input.isEmpty else { throw .damaged(coding) }
            input = input.dropFirst(taken)
            mayHoldMore = !isAtEnd && made == Self.pieceBytes
            guard made > 0 else { continue }
            piece.removeLast(piece.count - made)
            return piece
        }
    }

    /// Says that no more packed bytes come.
    ///
    /// - Throws: `truncated`.
    public func finish() throws(ContentCodingError) {
        guard isAtEnd || !hasBegun && input.isEmpty else { throw .truncated(coding) }
    }

    /// - Returns: how many bytes were taken, and how many made.
    private func step(into piece: inout [UInt8]) throws(ContentCodingError) -> (taken: Int, made: Int) {
        switch engine {
        case .gzip(let stream): try inflate(stream, into: &piece)
        case .zstd(let context): try decompress(context, into: &piece)
        }
    }

    private func inflate(
        _ stream: UnsafeMutablePointer<z_stream>, into piece: inout [UInt8]
    ) throws(ContentCodingError) -> (Int, Int) {
        // A part of it is taken at a time where it is larger than zlib can count.
        let offered = min(input.count, 1 << 30)
        let status = input.withUnsafeBytes { source in
            piece.withUnsafeMutableBytes { target in
                stream.pointee.next_in = UnsafeMutablePointer(
                    mutating: source.bindMemory(to: Bytef.self).baseAddress)
                stream.pointee.avail_in = UInt32(offered)
                stream.pointee.next_out = target.bindMemory(to: Bytef.self).baseAddress
                stream.pointee.avail_out = UInt32(target.count)
                return CZlib.inflate(stream, Z_NO_FLUSH)
            }
        }
        switch status {
        case Z_STREAM_END: isAtEnd = true
        case Z_OK, Z_BUF_ERROR: break
        case Z_MEM_ERROR: throw .outOfMemory
        default: throw .damaged(coding)
        }
        return (offered - Int(stream.pointee.avail_in), piece.count - Int(stream.pointee.avail_out))
    }

    private func decompress(
        _ context: OpaquePointer, into piece: inout [UInt8]
    ) throws(ContentCodingError) -> (Int, Int) {
        let (status, taken, made) = input.withUnsafeBytes { source in
            piece.withUnsafeMutableBytes { target -> (Int, Int, Int) in
                var from = ZSTD_inBuffer(src: source.baseAddress, size: source.count, pos: 0)
                var to = ZSTD_outBuffer(dst: target.baseAddress, size: target.count, pos: 0)
                let status = ZSTD_decompressStream(context, &to, &from)
                return (status, from.pos, to.pos)
            }
        }
        guard ZSTD_isError(status) == 0 else { throw .damaged(coding) }
        if status == 0 { isAtEnd = true }
        return (taken, made)
    }
}
