import Glibc

/// An error of a disk that tests made up.
public struct DiskFault: Error, Equatable, Sendable {
    public let path: String
    public let errno: Int32

    public init(_ path: String, _ errno: Int32) {
        self.path = path
        self.errno = errno
    }
}

extension DiskFault: CustomStringConvertible {
    public var description: String { "\(path): \(String(cString: strerror(errno)))" }
}
