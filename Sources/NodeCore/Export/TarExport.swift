public import IPLD
public import Multiformats
import UnixFS

/// Streams a UnixFS DAG as a tar archive (POSIX.1-2001 pax).
///
/// What a plain header cannot hold goes into a pax record before it: long names and targets, those that are
/// not ASCII, large sizes, parts of seconds. Entries whose names could lead a careless reader out of its
/// target (`..`, a slash, a NUL) end the archive, and so does a tree of more than `maximumEntries`, and a
/// name that is in a directory twice: as a symlink first, it would lead the second anywhere. Memory: one
/// directory page a level, of unsharded directories all names, and 16 MiB of leaves.
public final class TarExport {
    private var walk: ArchiveWalk
    private let cancellation: Cancellation
    /// Headers and padding that are to be given out.
    private var output: [UInt8] = []
    /// The file whose content comes now, and the zeros behind it.
    private var file: (cursor: UnixFSFileCursor, padding: Int)?
    private var isAtEnd = false

    /// - Parameters:
    ///   - root: what is packed: a file, symlink or directory.
    ///   - name: what the root is called in the archive.
    /// - Throws: what concerns the root itself; everything else comes while it is read.
    public init(
        source: any BlockSource, root: CID, name: [UInt8],
        maximumEntries: Int = ExportOptions.defaultMaximumEntries, names rule: ArchiveNameRule = .plain,
        cancellation: Cancellation = Cancellation()
    ) throws {
        walk = try ArchiveWalk(
            source: source, root: root, name: name, maximumEntries: maximumEntries, names: rule)
        self.cancellation = cancellation
    }

    /// The next bytes of the archive, at most a block with its headers; `nil` at the end.
    public func next() throws -> ArraySlice<UInt8>? {
        while true {
            try cancellation.check()
            if !output.isEmpty {
                defer { output.removeAll(keepingCapacity: true) }
                return output[...]
            }
            if let piece = try nextOfFile() { return piece }
            if !output.isEmpty { continue }
            if let entry = try walk.next() {
                try begin(entry)
                continue
            }
            guard !isAtEnd else { return nil }
            isAtEnd = true
            // Two blocks of zeros end an archive.
            output += [UInt8](repeating: 0, count: 1024)
        }
    }

    /// Gives the whole archive to a sink.
    public func run(sink: (UnsafeRawBufferPointer) throws -> Void) throws {
        while let piece = try next() { try piece.withUnsafeBytes(sink) }
    }

    private func nextOfFile() throws -> ArraySlice<UInt8>? {
        guard var current = file else { return nil }
        file = nil
        let piece = try current.cursor.next()
        if piece != nil {
            file = current
        } else {
            output += [UInt8](repeating: 0, count: current.padding)
        }
        return piece
    }

    /// Puts the header of an entry out.
    private func begin(_ entry: ArchiveWalk.Entry) throws {
        switch entry.kind {
        case .directory: header(entry, entry.path + [PathText.slash], type: "5", size: 0, target: [])
        case .symlink(let target): header(entry, entry.path, type: "2", size: 0, target: target)
        case .file(let reader):
            header(entry, entry.path, type: "0", size: reader.size, target: [])
            file = (try reader.cursor(), (512 - Int(reader.size % 512)) % 512)
        }
    }

    private func header(
        _ entry: ArchiveWalk.Entry, _ path: [UInt8], type: Unicode.Scalar, size: UInt64, target: [UInt8]
    ) {
        var records: [UInt8] = []
        if path.count > 100 || path.contains(where: { $0 >= 0x80 }) {
            Self.append("path", path, to: &records)
        }
        if target.count > 100 || target.contains(where: { $0 >= 0x80 }) {
            Self.append("linkpath", target, to: &records)
        }
        if let time = entry.metadata.mtime,
            time.nanoseconds > 0 || !(0...Self.largestPlainTime).contains(time.seconds)
        {
            Self.append("mtime", Array(Self.text(of: time).utf8), to: &records)
        }
        if size >= 1 << 33 { Self.append("size", Array(String(size).utf8), to: &records) }
        if !records.isEmpty {
            block(
                name: Array("pax".utf8), mode: 0o644, size: UInt64(records.count), time: 0, type: "x",
                target: [])
            output += records + [UInt8](repeating: 0, count: (512 - records.count % 512) % 512)
        }
        let time = min(max(0, entry.metadata.mtime?.seconds ?? 0), Self.largestPlainTime)
        block(name: path, mode: entry.mode, size: size, time: UInt64(time), type: type, target: target)
    }

    /// Eleven octal digits; times before 1970 and parts of seconds do not fit at all.
    private static let largestPlainTime: Int64 = (1 << 33) - 1

    /// Decimal seconds, as pax has them. Nanoseconds always lead forward in time, before 1970 as well.
    private static func text(of time: UnixFSTime) -> String {
        let nanoseconds = min(time.nanoseconds, 999_999_999)
        guard nanoseconds > 0 else { return String(time.seconds) }
        let isBefore = time.seconds < 0
        let digits = String(isBefore ? 1_000_000_000 - nanoseconds : nanoseconds)
        let fraction = String(repeating: "0", count: 9 - digits.count) + digits
        return isBefore ? "-\(-(time.seconds + 1)).\(fraction)" : "\(time.seconds).\(fraction)"
    }

    /// One header block. Spec: POSIX.1-2001, pax, "ustar Interchange Format".
    private func block(
        name: [UInt8], mode: UInt32, size: UInt64, time: UInt64, type: Unicode.Scalar, target: [UInt8]
    ) {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ bytes: some Sequence<UInt8>, at offset: Int, limit: Int) {
            for (index, byte) in bytes.prefix(limit).enumerated() { block[offset + index] = byte }
        }
        func putOctal(_ value: UInt64, at offset: Int, digits: Int) {
            let text = String(value & ((1 << UInt64(digits * 3)) - 1), radix: 8)
            put(
                Array(String(repeating: "0", count: digits - text.count).utf8) + Array(text.utf8), at: offset,
                limit: digits)
        }
        put(name, at: 0, limit: 100)
        putOctal(UInt64(mode), at: 100, digits: 7)
        putOctal(0, at: 108, digits: 7)
        putOctal(0, at: 116, digits: 7)
        putOctal(size, at: 124, digits: 11)
        putOctal(time, at: 136, digits: 11)
        block[156] = UInt8(truncatingIfNeeded: type.value)
        put(target, at: 157, limit: 100)
        put(Array("ustar".utf8), at: 257, limit: 5)
        put(Array("00".utf8), at: 263, limit: 2)
        for index in 148..<156 { block[index] = UInt8(ascii: " ") }
        let sum = block.reduce(UInt64(0)) { $0 + UInt64($1) }
        putOctal(sum, at: 148, digits: 6)
        block[154] = 0
        output += block
    }

    /// `LENGTH KEY=VALUE\n`, where LENGTH counts itself.
    private static func append(_ key: String, _ value: [UInt8], to records: inout [UInt8]) {
        let rest = key.utf8.count + value.count + 3
        var length = rest + String(rest).utf8.count
        if String(length).utf8.count > String(rest).utf8.count { length = rest + String(length).utf8.count }
        records += Array("\(length) \(key)=".utf8) + value + [UInt8(ascii: "\n")]
    }
}
