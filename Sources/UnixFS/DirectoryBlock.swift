import Digests
import IPLD
import Multiformats

/// Bytes of directory nodes: what basic directories and shards have in common.
enum DirectoryBlock {
    /// Appends a link with the field key and length in front, as it stands in a node.
    ///
    /// - Parameter appendName: appends exactly `nameBytes` bytes.
    static func appendLink(
        cid: UnsafeRawBufferPointer, nameBytes: Int, dagBytes: UInt64, to bytes: inout [UInt8],
        appendName: (inout [UInt8]) -> Void
    ) {
        bytes.append(2 << 3 | 2)
        UnixFSFileEncoding.appendVarint(
            UInt64(linkSize(cidBytes: cid.count, nameBytes: nameBytes, dagBytes: dagBytes)), to: &bytes)
        bytes.append(1 << 3 | 2)
        UnixFSFileEncoding.appendVarint(UInt64(cid.count), to: &bytes)
        bytes.append(contentsOf: cid)
        bytes.append(2 << 3 | 2)
        UnixFSFileEncoding.appendVarint(UInt64(nameBytes), to: &bytes)
        appendName(&bytes)
        bytes.append(3 << 3)
        UnixFSFileEncoding.appendVarint(dagBytes, to: &bytes)
    }

    /// Bytes of a link in a node, field key and length included.
    static func linkSizeInNode(cidBytes: Int, nameBytes: Int, dagBytes: UInt64) -> Int {
        sizeWithLength(linkSize(cidBytes: cidBytes, nameBytes: nameBytes, dagBytes: dagBytes))
    }

    /// Bytes of the data field of a node.
    static func dataSizeInNode(_ data: [UInt8]) -> Int { sizeWithLength(data.count) }

    /// The block of a node.
    ///
    /// - Throws: `UnixFSDirectoryError.blockTooLarge`; `MultihashError`.
    static func make(links: [UInt8], data: [UInt8], parameters: ImportParameters) throws -> Block {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(links.count + dataSizeInNode(data))
        bytes += links
        bytes.append(1 << 3 | 2)
        UnixFSFileEncoding.appendVarint(UInt64(data.count), to: &bytes)
        bytes += data
        guard bytes.count <= Block.hardMaximumBytes else {
            throw UnixFSDirectoryError.blockTooLarge(bytes: bytes.count, maximum: Block.hardMaximumBytes)
        }
        let multihash = try Multihash(hashing: bytes, with: parameters.hash)
        let cid =
            parameters.nodeCIDVersion == 0
            ? try CID(version0: multihash) : CID(codec: .dagPB, multihash: multihash)
        return Block(cid: cid, bytes: bytes)
    }

    /// Adds sizes that entries claim.
    static func sum(_ a: UInt64, _ b: UInt64) throws(UnixFSDirectoryError) -> UInt64 {
        let (sum, overflow) = a.addingReportingOverflow(b)
        if overflow { throw .sizesOverflow }
        return sum
    }

    private static func linkSize(cidBytes: Int, nameBytes: Int, dagBytes: UInt64) -> Int {
        sizeWithLength(cidBytes) + sizeWithLength(nameBytes) + 1 + UnixFSFileEncoding.varintSize(dagBytes)
    }

    private static func sizeWithLength(_ count: Int) -> Int {
        1 + UnixFSFileEncoding.varintSize(UInt64(count)) + count
    }
}

extension CID {
    /// Gives the binary form to `body`, on the stack.
    func withBinary<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        try withUnsafeTemporaryAllocation(byteCount: CID.maximumBytes, alignment: 8) { buffer in
            let count = write(to: buffer)
            return try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
    }

    /// Writes the binary form to the start of `buffer`.
    ///
    /// - Precondition: the buffer has ``byteCount`` bytes.
    /// - Returns: how many bytes it has.
    func write(to buffer: UnsafeMutableRawBufferPointer) -> Int {
        var offset = 0
        func append(_ value: UInt64) {
            var rest = value
            while rest >= 0x80 {
                buffer[offset] = UInt8(truncatingIfNeeded: rest) | 0x80
                rest >>= 7
                offset += 1
            }
            buffer[offset] = UInt8(truncatingIfNeeded: rest)
            offset += 1
        }
        if version == 1 {
            append(1)
            append(codec.rawValue)
        }
        append(multihash.code.rawValue)
        append(UInt64(multihash.digestByteCount))
        multihash.withDigest { digest in
            UnsafeMutableRawBufferPointer(rebasing: buffer[offset...]).copyMemory(from: digest)
            offset += digest.count
        }
        return offset
    }
}
