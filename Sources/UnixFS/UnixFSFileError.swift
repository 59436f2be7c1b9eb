/// Why a file cannot be built or read.
public enum UnixFSFileError: Error, Equatable, Sendable {
    /// Sizes add up to more than 64 bits hold.
    case fileTooLarge
}
