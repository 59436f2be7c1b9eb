public import IPLD
public import Multiformats

/// Why a directory cannot be built, read or changed.
public enum UnixFSDirectoryError: Error, Equatable, Sendable {
    /// A name that no entry can have.
    case badName([UInt8])
    case duplicateName([UInt8])
    /// Two names whose hashes lead to the same slot at every level.
    case hashCollision([UInt8], [UInt8])
    /// More entries than memory can be addressed for.
    case directoryTooLarge
    /// A basic directory whose block nobody would take.
    case blockTooLarge(bytes: Int, maximum: Int)
    /// Sizes that entries claim add up to more than 64 bits hold.
    case sizesOverflow
    case missingBlock(CID)
    /// A block that is no node of a directory.
    case damagedNode(CID, DamagedDirectoryNode)
    case badCursor(String)
}

/// What is wrong with one block of a directory.
public enum DamagedDirectoryNode: Error, Equatable, Sendable {
    case wrongCodec(Codec)
    case dagPB(DAGPBError)
    /// A DAG-PB node without UnixFS in it.
    case noData
    case data(UnixFSDataError)
    case wrongKind(UnixFSData.Kind)
    case badName([UInt8])
    /// Not a power of two from 8 to ``DirectoryParameters/maximumFanout``, or another than the root has.
    case badFanout(UInt64?)
    case unknownHashFunction(UInt64?)
    /// More bytes of bit field than the fanout has slots for.
    case bitFieldTooLong(bytes: Int, slots: Int)
    case linksAndSlotsDiffer(links: Int, slots: Int)
    /// A link whose name does not begin with the digits of its slot.
    case badPrefix(name: [UInt8], slot: Int)
    /// An entry whose name does not hash to where it stands.
    case wrongSlot(name: [UInt8])
    /// Shards below one another with no bits of hash left for them.
    case tooDeep(maximum: Int)
    /// A shard below the root without entries.
    case emptyShard
}

extension UnixFSDirectoryError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .badName(let name):
            "an entry cannot be called \(Self.quote(name)); use 1 to \(DirectoryBuilder.maximumNameBytes) bytes "
                + "without `/` and zero bytes, and neither `.` nor `..`"
        case .duplicateName(let name): "\(Self.quote(name)) is in the directory twice; rename one of them"
        case .hashCollision(let a, let b):
            "\(Self.quote(a)) and \(Self.quote(b)) cannot be in one sharded directory; rename one of them"
        case .directoryTooLarge: "the names in the directory take more than 4 GiB; split it"
        case .blockTooLarge(let bytes, let maximum):
            "the directory takes \(bytes) bytes, a block at most \(maximum); allow sharding"
        case .sizesOverflow: "the sizes in the directory add up to more than 2^64 bytes; they cannot be real"
        case .missingBlock(let cid): "block \(cid) of the directory is missing; fetch it first"
        case .damagedNode(let cid, let reason): "block \(cid) is not part of a directory: \(reason)"
        case .badCursor(let text): "`\(text)` is not a cursor of this directory; begin again without one"
        }
    }

    /// A name as text, with what could disturb a terminal escaped.
    static func quote(_ name: [UInt8]) -> String {
        var text = ""
        for scalar in String(decoding: name.prefix(255), as: UTF8.self).unicodeScalars {
            if scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) {
                text += "\\u{" + String(scalar.value, radix: 16) + "}"
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        return "`" + text + "`"
    }
}

extension DamagedDirectoryNode: CustomStringConvertible {
    public var description: String {
        switch self {
        case .wrongCodec(let codec):
            let name = MulticodecTable.name(of: codec.rawValue) ?? "0x" + String(codec.rawValue, radix: 16)
            return "its codec is \(name)"
        case .dagPB(let error): return error.description
        case .noData: return "it carries no UnixFS data"
        case .data(let error): return error.description
        case .wrongKind(let kind): return "it is a UnixFS \(kind)"
        case .badName(let name): return "an entry is called \(UnixFSDirectoryError.quote(name))"
        case .badFanout(let fanout):
            return
                "its fanout is \(fanout.map(String.init) ?? "missing"); possible are powers of two from 8 to "
                + "\(DirectoryParameters.maximumFanout), the same in all shards"
        case .unknownHashFunction(let code):
            return
                "its hash function is \(code.map { "0x" + String($0, radix: 16) } ?? "missing"), known is 0x22"
        case .bitFieldTooLong(let bytes, let slots): return "\(bytes) bytes of bit field for \(slots) slots"
        case .linksAndSlotsDiffer(let links, let slots): return "\(links) links for \(slots) slots in use"
        case .badPrefix(let name, let slot):
            return "the link \(UnixFSDirectoryError.quote(name)) stands in slot \(slot)"
        case .wrongSlot(let name):
            return "\(UnixFSDirectoryError.quote(name)) does not hash to where it stands"
        case .tooDeep(let maximum): return "more than \(maximum) shards lie below one another"
        case .emptyShard: return "it is a shard without entries"
        }
    }
}
