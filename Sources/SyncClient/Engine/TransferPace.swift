/// How much content is moved in one call: so much that a slow line is heard of every second or two, and a quick
/// one is not held up.
struct TransferPace: Hashable, Sendable {
    /// Bytes of the next call, unless its first leaf alone has more.
    private(set) var bytes: Int
    private let maximum: Int

    static let initialBytes = 512 * 1024
    static let minimumBytes = 256 * 1024
    /// Milliseconds that a call is to take.
    static let quick: Int64 = 1500
    static let slow: Int64 = 2500

    init(maximum: Int) {
        self.maximum = maximum
        bytes = min(Self.initialBytes, maximum)
    }

    /// A call for that many bytes took so many milliseconds.
    mutating func note(milliseconds: Int64) {
        if milliseconds > Self.slow {
            bytes = min(maximum, max(Self.minimumBytes, bytes / 2))
        } else if milliseconds < Self.quick {
            bytes = min(maximum, bytes * 2)
        }
    }
}

/// How far a file is that is being sent or received.
public struct TransferProgress: Hashable, Sendable {
    /// Relative to the folder.
    public var path: String
    public var isUpload: Bool
    public var bytesDone: Int64
    /// Of what is to be moved: what the other side has, or is here already, is not among it.
    public var bytesTotal: Int64

    public init(path: String, isUpload: Bool, bytesDone: Int64, bytesTotal: Int64) {
        self.path = path
        self.isUpload = isUpload
        self.bytesDone = bytesDone
        self.bytesTotal = bytesTotal
    }
}
