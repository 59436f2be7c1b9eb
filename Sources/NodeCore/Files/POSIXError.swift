import Glibc

/// A system call that failed: which, on what, and why.
public struct POSIXError: Error, Equatable, Sendable {
    /// What was tried, as a verb: "open", "read".
    public let operation: String
    /// The path it was tried on, in bytes as the file system has them.
    public let path: [UInt8]
    /// The `errno` of the failure.
    public let code: Int32

    public init(_ operation: String, path: [UInt8], code: Int32) {
        self.operation = operation
        self.path = path
        self.code = code
    }

    /// The failure that `errno` tells of right now.
    static func last(_ operation: String, _ path: [UInt8]) -> POSIXError {
        POSIXError(operation, path: path, code: errno)
    }
}

extension POSIXError: CustomStringConvertible {
    public var description: String {
        let reason = String(cString: strerror(code))
        let hint =
            switch code {
            case EACCES, EPERM: "; check the permissions, or run as the owner"
            case ENOSPC, EDQUOT: "; free some space and repeat the command"
            case EMFILE, ENFILE: "; raise the limit of open files (ulimit -n)"
            default: ""
            }
        return "cannot \(operation) \(PathText.printable(path)): \(reason)\(hint)"
    }
}
