import UnixFS

/// What stands in a ZIP archive around the content of an entry.
///
/// Spec: PKWARE APPNOTE 6.3.10, sections 4.3.7 (local header), 4.3.9 (descriptor), 4.3.12 (central header),
/// 4.3.14 to 4.3.16 (the end), 4.5.3 (ZIP64); Info-ZIP, "extended timestamp".
struct ZipEntry {
    /// With a slash at its end for a directory.
    let path: [UInt8]
    let size: UInt64
    /// Whether the checksum stands behind the content, and not before it.
    let hasDescriptor: Bool
    /// Of what is written without a descriptor.
    let checksum: UInt32
    /// Kind and permission bits, as a Unix has them.
    private let mode: UInt32
    /// Unix seconds; `nil` where none are recorded.
    private let modified: Int64?

    /// What 32 bits hold, but for the value that means that ZIP64 has it.
    private static let largest = UInt64(UInt32.max) - 1

    /// - Throws: `pathTooLong`.
    init(_ entry: ArchiveWalk.Entry) throws(ZipExportError) {
        modified = entry.metadata.mtime?.seconds
        switch entry.kind {
        case .directory:
            (path, size, hasDescriptor, checksum) = (entry.path + [PathText.slash], 0, false, 0)
            mode = 0o040_000 | entry.mode
        case .symlink(let target):
            (path, size, hasDescriptor) = (entry.path, UInt64(target.count), false)
            checksum = ZipExport.checksum(target[...])
            mode = 0o120_000 | entry.mode
        case .file(let reader):
            (path, size, hasDescriptor, checksum) = (entry.path, reader.size, true, 0)
            mode = 0o100_000 | entry.mode
        }
        guard path.count <= Int(UInt16.max) else {
            throw .pathTooLong(bytes: path.count, maximum: Int(UInt16.max))
        }
    }

    private var isLarge: Bool { size > Self.largest }

    /// How much an entry takes up before the next one.
    var localBytes: UInt64 {
        UInt64(localHeader.count) + size + UInt64(hasDescriptor ? descriptor(0).count : 0)
    }

    var localHeader: [UInt8] {
        var extra = LittleEndianBytes()
        // The sizes behind the content have 8 bytes each then.
        if isLarge {
            extra.put16(1, 16)
            extra.put64(0, 0)
        }
        extra.put(timestamp)
        var header = LittleEndianBytes()
        header.put32(0x0403_4B50)
        common(&header, isLarge: isLarge)
        header.put32(checksum)
        let shown = isLarge ? UInt32.max : hasDescriptor ? 0 : UInt32(size)
        header.put32(shown, shown)
        header.put16(UInt16(path.count), UInt16(extra.bytes.count))
        return header.bytes + path + extra.bytes
    }

    func descriptor(_ checksum: UInt32) -> [UInt8] {
        var bytes = LittleEndianBytes()
        bytes.put32(0x0807_4B50, checksum)
        if isLarge {
            bytes.put64(size, size)
        } else {
            bytes.put32(UInt32(size), UInt32(size))
        }
        return bytes.bytes
    }

    /// - Parameter offset: where the local header is.
    func centralHeader(_ checksum: UInt32, offset: UInt64) -> [UInt8] {
        let isFar = offset > Self.largest
        var extra = LittleEndianBytes()
        if isLarge || isFar {
            extra.put16(1, (isLarge ? 16 : 0) + (isFar ? 8 : 0))
            if isLarge { extra.put64(size, size) }
            if isFar { extra.put64(offset) }
        }
        extra.put(timestamp)
        var header = LittleEndianBytes()
        // Made on a Unix, by version 6.3: the upper half of the attributes is a mode.
        header.put32(0x0201_4B50)
        header.put16(3 << 8 | 63)
        common(&header, isLarge: isLarge || isFar)
        let shown = isLarge ? UInt32.max : UInt32(size)
        header.put32(checksum, shown, shown)
        header.put16(UInt16(path.count), UInt16(extra.bytes.count), 0, 0, 0)
        // The lower half is of MS-DOS: whether it is a directory.
        header.put32(mode << 16 | (path.last == PathText.slash ? 0x10 : 0))
        header.put32(isFar ? UInt32.max : UInt32(offset))
        return header.bytes + path + extra.bytes
    }

    /// What comes behind the central headers.
    static func end(entries: UInt64, begin: UInt64, end: UInt64) -> [UInt8] {
        var bytes = LittleEndianBytes()
        let size = end - begin
        if entries >= UInt64(UInt16.max) || begin > largest || size > largest {
            bytes.put32(0x0606_4B50)
            bytes.put64(44)
            bytes.put16(3 << 8 | 63, 45)
            bytes.put32(0, 0)
            bytes.put64(entries, entries, size, begin)
            bytes.put32(0x0706_4B50, 0)
            bytes.put64(end)
            bytes.put32(1)
        }
        let count = UInt16(min(entries, UInt64(UInt16.max)))
        bytes.put32(0x0605_4B50)
        bytes.put16(0, 0, count, count)
        bytes.put32(UInt32(min(size, UInt64(UInt32.max))), UInt32(min(begin, UInt64(UInt32.max))))
        bytes.put16(0)
        return bytes.bytes
    }

    /// Version, flags, method and time.
    private func common(_ header: inout LittleEndianBytes, isLarge: Bool) {
        let isText = String(validating: path, as: UTF8.self) != nil
        header.put16(isLarge ? 45 : 20, (hasDescriptor ? 1 << 3 : 0) | (isText ? 1 << 11 : 0), 0)
        let (time, date) = Self.time(modified)
        header.put16(time, date)
    }

    /// Seconds since 1970, which the fields of MS-DOS do not say exactly.
    private var timestamp: [UInt8] {
        guard let modified, let seconds = Int32(exactly: modified) else { return [] }
        var extra = LittleEndianBytes()
        extra.put16(0x5455, 5)
        extra.put([1])
        extra.put32(UInt32(bitPattern: seconds))
        return extra.bytes
    }

    /// Time and date of MS-DOS, in UTC: years from 1980 to 2107, every other second.
    private static func time(_ modified: Int64?) -> (UInt16, UInt16) {
        let (first, last): (Int64, Int64) = (315_532_800, 4_354_819_198)
        let seconds = min(max(modified ?? first, first), last)
        let (days, rest) = (seconds / 86_400, seconds % 86_400)
        // Days since 0000-03-01, in eras of 400 years: H. Hinnant, "days from civil", backwards.
        let shifted = days + 719_468
        let (era, dayOfEra) = (shifted / 146_097, shifted % 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        // Shifts go before everything else.
        return (
            UInt16((rest / 3600) << 11 | (rest % 3600 / 60) << 5 | rest % 60 / 2),
            UInt16((year - 1980) << 9 | month << 5 | day)
        )
    }
}

/// Bytes in the order of ZIP: the least significant first.
private struct LittleEndianBytes {
    private(set) var bytes: [UInt8] = []

    mutating func put16(_ values: UInt16...) { for value in values { put(value) } }
    mutating func put32(_ values: UInt32...) { for value in values { put(value) } }
    mutating func put64(_ values: UInt64...) { for value in values { put(value) } }
    mutating func put(_ other: [UInt8]) { bytes += other }

    private mutating func put<Number: FixedWidthInteger>(_ value: Number) {
        Swift.withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }
}
