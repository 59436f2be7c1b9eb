public import Multiformats

/// A name in a directory, and what it leads to.
public struct DirectoryEntry: Hashable, Sendable {
    /// Any bytes but zero and `/`.
    public var name: [UInt8]
    public var cid: CID
    /// What the directory claims of the bytes below (`Tsize`); 0 if it claims nothing. Never trusted for
    /// limits.
    public var dagBytes: UInt64

    public init(name: [UInt8], cid: CID, dagBytes: UInt64) {
        self.name = name
        self.cid = cid
        self.dagBytes = dagBytes
    }
}

/// Some entries of a directory, and where to go on.
public struct DirectoryPage: Hashable, Sendable {
    public var entries: [DirectoryEntry]
    /// `nil` if there are no more entries.
    public var next: DirectoryCursor?

    public init(entries: [DirectoryEntry], next: DirectoryCursor? = nil) {
        self.entries = entries
        self.next = next
    }
}

/// A place between two entries of a directory. It holds as long as the directory has the same CID.
public struct DirectoryCursor: Hashable, Sendable, CustomStringConvertible {
    /// How many entries of a basic directory come before it; the last hash before it in a HAMT.
    let position: UInt64

    init(position: UInt64) { self.position = position }

    /// Reads what ``description`` wrote.
    ///
    /// - Throws: `badCursor`.
    public init(text: String) throws(UnixFSDirectoryError) {
        let digits = text.utf8.dropFirst()
        guard text.hasPrefix("@"), (1...16).contains(digits.count),
            digits.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }),
            let position = UInt64(text.dropFirst(), radix: 16)
        else { throw .badCursor(String(text.prefix(32))) }
        self.position = position
    }

    /// `@` and a number in hexadecimal: the sign tells it from a name.
    public var description: String { "@" + String(position, radix: 16) }
}
