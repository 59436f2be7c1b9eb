import CZlib
import CZstd

extension ContentCoding {
    /// Packs bytes, as fast as the coding can.
    ///
    /// - Throws: `outOfMemory`; `damaged` where the library fails for another reason.
    public func compress(_ bytes: [UInt8]) throws(ContentCodingError) -> [UInt8] {
        switch self {
        case .zstd: try zstd(bytes)
        case .gzip: try gzip(bytes)
        }
    }

    /// Unpacks bytes that are there as a whole.
    ///
    /// - Parameter maximumBytes: the most that may come of them; memory is taken as they come.
    public func decompress(
        _ bytes: [UInt8], maximumBytes: Int
    ) throws(ContentCodingError) -> [UInt8] {
        let decompressor = try Decompressor(self)
        decompressor.feed(bytes[...])
        var result: [UInt8] = []
        while let piece = try decompressor.next() {
            guard result.count + piece.count <= maximumBytes else {
                throw .tooLarge(maximum: maximumBytes)
            }
            result += piece
        }
        try decompressor.finish()
        return result
    }

    private func zstd(_ bytes: [UInt8]) throws(ContentCodingError) -> [UInt8] {
        let bound = ZSTD_compressBound(bytes.count)
        guard ZSTD_isError(bound) == 0 else { throw .outOfMemory }
        var packed = [UInt8](repeating: 0, count: bound)
        let count = bytes.withUnsafeBytes { source in
            packed.withUnsafeMutableBytes { target in
                ZSTD_compress(target.baseAddress, target.count, source.baseAddress, source.count, 1)
            }
        }
        guard ZSTD_isError(count) == 0 else { throw .damaged(self) }
        packed.removeLast(packed.count - count)
        return packed
    }

    private func gzip(_ bytes: [UInt8]) throws(ContentCodingError) -> [UInt8] {
        var stream = z_stream()
        // 15 bits of window, and 16 for the frame of gzip.
        guard
            deflateInit2_(
                &stream, 3, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
                Int32(MemoryLayout<z_stream>.size)) == Z_OK
        else { throw .outOfMemory }
        defer { deflateEnd(&stream) }
        guard let count = UInt32(exactly: bytes.count) else { throw .tooLarge(maximum: Int(UInt32.max)) }
        var packed = [UInt8](repeating: 0, count: Int(deflateBound(&stream, UInt(bytes.count))))
        let (status, left) = bytes.withUnsafeBytes { source in
            packed.withUnsafeMutableBytes { target -> (Int32, UInt32) in
                // zlib does not write through it.
                stream.next_in = UnsafeMutablePointer(
                    mutating: source.bindMemory(to: Bytef.self).baseAddress)
                stream.avail_in = count
                stream.next_out = target.bindMemory(to: Bytef.self).baseAddress
                stream.avail_out = UInt32(clamping: target.count)
                return (deflate(&stream, Z_FINISH), stream.avail_out)
            }
        }
        guard status == Z_STREAM_END else { throw .damaged(self) }
        packed.removeLast(Int(left))
        return packed
    }
}
