/// Where bytes of a file, a pipe or a socket come from: fills the buffer with what is there, and returns how
/// many bytes it wrote, 0 at the end. May block.
public typealias CARByteSource = (UnsafeMutableRawBufferPointer) throws -> Int

/// Reads a CAR file by pulling its bytes from a source: a ``CARReader`` with a loop around it.
///
/// Throws `CARError` for what is wrong with the file, and whatever the source throws.
public struct CARStream {
    private var reader: CARReader
    private let source: CARByteSource
    private var buffer: [UInt8]

    /// - Parameter pieceBytes: how many bytes the source is asked for at once.
    public init(
        options: CARReadingOptions = CARReadingOptions(), pieceBytes: Int = 256 * 1024,
        source: @escaping CARByteSource
    ) {
        reader = CARReader(options: options)
        self.source = source
        buffer = [UInt8](repeating: 0, count: max(1, pieceBytes))
    }

    /// The header of the container, if it is a CARv2 and has been read.
    public var version2Header: CARv2Header? { reader.version2Header }
    /// Where the payload begins: indexes count from here. 0 in a CARv1.
    public var payloadOffset: UInt64 { reader.payloadOffset }

    /// The header of the payload. Reads no more than needed for it.
    public mutating func header() throws -> CARHeader {
        while true {
            try reader.readHeaders()
            if let header = reader.header { return header }
            try pull()
        }
    }

    /// The next section; `nil` behind the last one.
    ///
    /// - Throws: see ``CARReader/next()``: after an error that concerns one section, call again.
    public mutating func next() throws -> CARSection? {
        while true {
            if let section = try reader.next() { return section }
            if reader.isAtEnd { return nil }
            // A whole batch is collected, so that its blocks can be verified side by side.
            repeat { try pull() } while reader.wantsMore
        }
    }

    private mutating func pull() throws {
        let source = source
        let count = try buffer.withUnsafeMutableBytes { try source($0) }
        guard count > 0 else { return reader.finish() }
        buffer.withUnsafeBytes { reader.feed(UnsafeRawBufferPointer(rebasing: $0.prefix(count))) }
    }
}
