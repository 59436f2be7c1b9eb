public import IPLD
public import Multiformats

/// Why a file cannot be built or read. Offsets count bytes from the beginning of the file.
public enum UnixFSFileError: Error, Equatable, Sendable {
    /// Sizes add up to more than 64 bits hold.
    case fileTooLarge
    case rangeOutsideFile(Range<UInt64>, size: UInt64)
    case missingBlock(CID, offset: UInt64)
    /// A block that is no node of a file.
    case damagedNode(CID, offset: UInt64, DamagedFileNode)
    /// A block that holds another number of bytes of the file than the node above claims.
    case wrongSize(CID, offset: UInt64, claimed: UInt64, actual: UInt64)
    case tooDeep(CID, offset: UInt64, maximum: Int)
    /// More links on the way from the root to one leaf than fit into memory.
    case tooManyLinks(CID, offset: UInt64, maximum: Int)
}

/// What is wrong with one block of a file.
public enum DamagedFileNode: Error, Equatable, Sendable {
    case wrongCodec(UInt64)
    case dagPB(DAGPBError)
    /// A DAG-PB node without UnixFS in it.
    case noData
    case unixFS(UnixFSDataError)
    /// A node that is no file.
    case wrongKind(UnixFSData.Kind)
    case linksAndSizesDiffer(links: Int, sizes: Int)
    case sizesOverflow
    case wrongSum(claimed: UInt64, sum: UInt64)
}

extension UnixFSFileError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .fileTooLarge:
            "the sizes in the file add up to more than 2^64 bytes; it cannot be real"
        case .rangeOutsideFile(let range, let size):
            "bytes \(range.lowerBound) to \(range.upperBound) were asked for, the file has \(size)"
        case .missingBlock(let cid, let offset):
            "block \(cid) is missing; without it the file ends at byte \(offset)"
        case .damagedNode(let cid, let offset, let reason):
            "block \(cid), at byte \(offset) of the file, is not part of a file: \(reason)"
        case .wrongSize(let cid, let offset, let claimed, let actual):
            "block \(cid), at byte \(offset) of the file, holds \(actual) bytes where \(claimed) are announced; "
                + "the file was made wrong"
        case .tooDeep(let cid, let offset, let maximum):
            "block \(cid), at byte \(offset) of the file, lies more than \(maximum) levels deep"
        case .tooManyLinks(let cid, let offset, let maximum):
            "the way down to block \(cid), at byte \(offset) of the file, has more than \(maximum) links"
        }
    }
}

extension DamagedFileNode: CustomStringConvertible {
    public var description: String {
        switch self {
        case .wrongCodec(let code):
            return "its codec is \(MulticodecTable.name(of: code) ?? "0x" + String(code, radix: 16))"
        case .dagPB(let error): return error.description
        case .noData: return "it carries no UnixFS data"
        case .unixFS(let error): return error.description
        case .wrongKind(let kind): return "it is a UnixFS node of the kind \(kind)"
        case .linksAndSizesDiffer(let links, let sizes):
            return "it has \(links) links and \(sizes) sizes for them"
        case .sizesOverflow: return "its sizes add up to more than 2^64 bytes"
        case .wrongSum(let claimed, let sum):
            return "it claims \(claimed) bytes, its parts add up to \(sum)"
        }
    }
}
