/// What is recorded of a file, directory or symlink besides its content: UnixFS 1.5, opt-in, since it
/// changes the CID.
public struct UnixFSMetadata: Hashable, Sendable {
    /// The lower twelve bits of a POSIX mode: set-user-ID, set-group-ID, sticky and permissions.
    public var mode: UInt32?
    /// When the content was modified.
    public var mtime: UnixFSTime?

    public init(mode: UInt32? = nil, mtime: UnixFSTime? = nil) {
        self.mode = mode
        self.mtime = mtime
    }

    /// Whether nothing is recorded.
    public var isEmpty: Bool { mode == nil && mtime == nil }
}

/// A point in time, in seconds since 1970-01-01 00:00:00 UTC and a fraction.
public struct UnixFSTime: Hashable, Sendable {
    public var seconds: Int64
    /// 0 to 999,999,999, always forward in time, before 1970 as well.
    public var nanoseconds: UInt32

    public init(seconds: Int64, nanoseconds: UInt32 = 0) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }
}
