/// How a CAR file is read.
public struct CARReadingOptions: Hashable, Sendable {
    /// What is done about the promise of a CID.
    public enum Verification: Hashable, Sendable {
        /// Each block is hashed; one that is not what its CID names is an error.
        case everyBlock
        /// Blocks are given as they stand in the file. For callers who verify themselves.
        case none
    }

    /// What a section of length zero means. The specification gives it no meaning.
    public enum ZeroLengthSection: Hashable, Sendable {
        case isError
        /// Zeros are padding up to the end of the file, as in files of preallocated space.
        case isEnd
    }

    public var limits: CARLimits
    public var verification: Verification
    public var zeroLengthSection: ZeroLengthSection
    /// How many bytes of blocks are verified together: more use more lanes of the processor, and memory.
    public var batchBytes: Int

    public init(
        limits: CARLimits = .standard, verification: Verification = .everyBlock,
        zeroLengthSection: ZeroLengthSection = .isError, batchBytes: Int = 8 * 1024 * 1024
    ) {
        self.limits = limits
        self.verification = verification
        self.zeroLengthSection = zeroLengthSection
        self.batchBytes = max(1, batchBytes)
    }
}
