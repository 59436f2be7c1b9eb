public import IPLD
import Multiformats

/// What a CAR file may claim before it is refused.
///
/// Every size in a file is a claim. It is compared with these limits before anything else happens, and
/// even a claim within them never makes memory grow: only bytes that came do.
public struct CARLimits: Hashable, Sendable {
    /// The most bytes of a header, so also a bound for its roots.
    public let maximumHeaderBytes: Int
    /// The most bytes of a block, without its CID.
    public let maximumBlockBytes: Int

    /// Limits for files from anywhere: a header of 1 MiB, blocks of 2 MiB.
    public static let standard = CARLimits()

    /// The widest limits that exist here: blocks of 8 MiB.
    public static let widest = CARLimits(maximumBlockBytes: Block.hardMaximumBytes)

    /// - Parameter maximumBlockBytes: more than `Block.hardMaximumBytes` is taken as that.
    public init(
        maximumHeaderBytes: Int = 1024 * 1024, maximumBlockBytes: Int = Block.defaultMaximumBytes
    ) {
        self.maximumHeaderBytes = max(0, min(maximumHeaderBytes, 32 * 1024 * 1024))
        self.maximumBlockBytes = max(0, min(maximumBlockBytes, Block.hardMaximumBytes))
    }

    /// The most bytes of a section behind its length: CID and block.
    public var maximumSectionBytes: Int { maximumBlockBytes + CID.maximumBytes }
}
