import Glibc

/// A piece of a body.
public enum BodyPiece: Sendable {
    case bytes(ArraySlice<UInt8>)
    /// Bytes that lie in a file, and can be sent without being read.
    case file(FileSlice)

    public var count: Int {
        switch self {
        case .bytes(let bytes): bytes.count
        case .file(let slice): slice.count
        }
    }
}

/// Bytes in an open file that do not change as long as the slice lives.
public struct FileSlice: Sendable {
    /// Keeps the file open.
    public let owner: any AnyObject & Sendable
    public let descriptor: Int32
    public var offset: Int64
    public var count: Int

    public init(owner: any AnyObject & Sendable, descriptor: Int32, offset: Int64, count: Int) {
        self.owner = owner
        self.descriptor = descriptor
        self.offset = offset
        self.count = count
    }

    /// Takes in what follows immediately in the same file.
    ///
    /// - Returns: `false`, with nothing done, for anything else.
    public mutating func join(_ next: FileSlice) -> Bool {
        guard next.owner === owner, next.offset == offset + Int64(count) else { return false }
        count += next.count
        return true
    }
}

extension FileSlice {
    /// Reads the first bytes of the slice, as many as the buffer takes, and takes them off.
    ///
    /// - Returns: how many.
    /// - Throws: `FileSliceError`, also if the file has become shorter.
    public mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws(FileSliceError) -> Int {
        let wanted = min(count, buffer.count)
        var done = 0
        while done < wanted {
            let read = pread(
                descriptor, buffer.baseAddress.map { $0 + done }, wanted - done, off_t(offset) + off_t(done))
            if read < 0 && errno == EINTR { continue }
            guard read > 0 else {
                throw FileSliceError(offset: offset + Int64(done), code: read < 0 ? errno : 0)
            }
            done += read
        }
        offset += Int64(done)
        count -= done
        return done
    }
}

extension BodyPiece {
    /// The bytes themselves.
    public func bytes() throws(FileSliceError) -> ArraySlice<UInt8> {
        switch self {
        case .bytes(let bytes): return bytes
        case .file(var slice):
            var bytes = [UInt8](repeating: 0, count: slice.count)
            let result = bytes.withUnsafeMutableBytes { buffer in
                Result { () throws(FileSliceError) in try slice.read(into: buffer) }
            }
            _ = try result.get()
            return bytes[...]
        }
    }
}

/// A file that holds content could not be read.
public struct FileSliceError: Error, Equatable, CustomStringConvertible {
    /// Where in the file.
    public let offset: Int64
    /// What the system said; 0 if the file ends there.
    public let code: Int32

    public var description: String {
        code == 0
            ? "a file of content ends at byte \(offset), before its content does; run `nacre verify`"
            : "a file of content cannot be read at byte \(offset): \(String(cString: strerror(code)))"
    }
}
