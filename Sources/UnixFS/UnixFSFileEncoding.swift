import Multiformats

/// The protobuf bytes of UnixFS file nodes within DAG-PB, in the order that decides the CID: of `Data`,
/// Type, Data, filesize, blocksizes, mode, mtime; of the node, links before Data.
///
/// Spec: UnixFS, "Data format"; IPLD, "DAG-PB".
enum UnixFSFileEncoding {
    /// Appends a varint of all 64 bits, which ``Varint`` leaves out and protobuf needs for negative numbers.
    static func appendVarint(_ value: UInt64, to bytes: inout [UInt8]) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    static func varintSize(_ value: UInt64) -> Int {
        value == 0 ? 1 : (70 - value.leadingZeroBitCount) / 7
    }

    /// Appends mode and mtime (fields 7 and 8).
    static func appendMetadata(_ metadata: UnixFSMetadata, to bytes: inout [UInt8]) {
        if let mode = metadata.mode {
            bytes.append(7 << 3)
            appendVarint(UInt64(mode), to: &bytes)
        }
        guard let mtime = metadata.mtime else { return }
        var time: [UInt8] = [1 << 3]
        appendVarint(UInt64(bitPattern: mtime.seconds), to: &time)
        if mtime.nanoseconds != 0 {
            time.append(2 << 3 | 5)
            withUnsafeBytes(of: mtime.nanoseconds.littleEndian) { time.append(contentsOf: $0) }
        }
        bytes.append(8 << 3 | 2)
        appendVarint(UInt64(time.count), to: &bytes)
        bytes += time
    }
}
