public import Multiformats

/// Why bytes are not a usable CAR file, or a writer cannot go on.
///
/// `at` is the offset, in bytes from the start of the file or stream, of the item at fault.
public enum CARError: Error, Equatable, Sendable {
    /// The bytes end within a part that begins at `at`: it needs `needed` bytes, `available` are there.
    case truncated(CARPart, at: UInt64, needed: UInt64, available: UInt64)
    /// No varint stands where the length of a part should.
    case invalidLength(CARPart, at: UInt64, VarintError)
    case headerTooLarge(at: UInt64, bytes: UInt64, maximum: Int)
    case invalidHeader(at: UInt64, CARHeaderProblem)
    case unknownVersion(UInt64, at: UInt64)
    case sectionTooLarge(at: UInt64, bytes: UInt64, maximum: Int)
    case blockTooLarge(CID, at: UInt64, bytes: UInt64, maximum: Int)
    case zeroLengthSection(at: UInt64)
    /// The section at `at` does not begin with a CID that can be verified.
    case invalidCID(at: UInt64, CIDError)
    /// The block in the section at `at` is not what its CID names.
    case digestMismatch(CID, at: UInt64)
    case invalidVersion2Header(at: UInt64, CARVersion2Problem)
    case invalidIndex(at: UInt64, CARIndexProblem)
    /// A writer was told beforehand how many bytes the payload has, and got others.
    case payloadSizeDiffers(promised: UInt64, actual: UInt64)

    /// Where in the file the fault is; `nil` for a fault of a writer.
    public var offset: UInt64? {
        switch self {
        case .truncated(_, let at, _, _), .invalidLength(_, let at, _), .headerTooLarge(let at, _, _),
            .invalidHeader(let at, _), .unknownVersion(_, let at), .sectionTooLarge(let at, _, _),
            .blockTooLarge(_, let at, _, _), .zeroLengthSection(let at), .invalidCID(let at, _),
            .digestMismatch(_, let at), .invalidVersion2Header(let at, _), .invalidIndex(let at, _):
            at
        case .payloadSizeDiffers:
            nil
        }
    }

    /// Whether the fault is within one section, so that a reader can go on with the next one.
    public var concernsOneSection: Bool {
        switch self {
        case .invalidCID, .digestMismatch, .blockTooLarge: true
        default: false
        }
    }
}

/// A part of a CAR file.
public enum CARPart: String, Hashable, Sendable {
    case header
    case section
    case version2Header = "version 2 header"
    case payload
    case index
}

/// What is wrong with a header.
public enum CARHeaderProblem: Error, Equatable, Sendable {
    case empty
    case notCBOR
    case notAMap
    case unknownKey
    case duplicateKey
    case missingVersion
    case versionIsNoNumber
    case rootsAreNoList
    case rootIsNoLink(index: Int)
    case invalidRoot(index: Int, CIDError)
    case trailingBytes(count: Int)
}

/// What is wrong with the header of a version 2 file.
public enum CARVersion2Problem: Error, Equatable, Sendable {
    /// The first bytes say version 2 and are not the eleven bytes that every such file begins with.
    case notThePragma
    /// The payload would begin within the headers.
    case dataWithinHeader(offset: UInt64)
    /// A payload of no bytes cannot hold a header.
    case noData
    /// Offset and size do not fit into 63 bits, or run past the end of the file.
    case dataOutOfBounds(offset: UInt64, size: UInt64)
    /// The payload within is not of version 1.
    case payloadVersion(UInt64)
}

/// What is wrong with an index.
public enum CARIndexProblem: Error, Equatable, Sendable {
    case unknownFormat(UInt64)
    case notAVarint
    case truncated
    /// Records that hold no digest, or one longer than any.
    case badWidth(UInt32)
    /// A length that is not a multiple of the width of its records.
    case raggedBucket
    /// Records that are not in the order of their digests cannot be searched.
    case notSorted
    case tooManyBuckets(maximum: Int)
    case trailingBytes
}
