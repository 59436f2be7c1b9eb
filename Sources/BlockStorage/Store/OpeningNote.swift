/// Something that opening a store found and that somebody should know.
public enum OpeningNote: Hashable, Sendable {
    /// The index knows the pack, and it is not there.
    case missingPack(String)
    /// The pack ends before what the index says of it.
    case shortPack(String, bytes: UInt64, expected: UInt64)
    /// Between two sections that are whole lies something that is none.
    case damagedPack(String, offset: UInt64)
    /// A file named as packs are that begins as none does.
    case foreignFile(String)

    /// Whether a scrub finds the same.
    public var isFoundByScrub: Bool {
        switch self {
        case .missingPack, .shortPack, .damagedPack: true
        case .foreignFile: false
        }
    }
}

extension OpeningNote: CustomStringConvertible {
    public var description: String {
        switch self {
        case .missingPack(let pack):
            "pack \(pack) is missing: its blocks cannot be read; put it back, or add what was in it again "
                + "(`nacre verify` names the pins)"
        case .shortPack(let pack, let bytes, let expected):
            "pack \(pack) has \(bytes) bytes and should have \(expected): the blocks behind cannot be read; put the "
                + "whole file back, or add what was in it again (`nacre verify` names the pins)"
        case .damagedPack(let pack, let offset):
            "pack \(pack) is damaged at byte \(offset); what cannot be read stays as it is"
        case .foreignFile(let path):
            "\(path) does not begin as a pack does; it is left alone"
        }
    }
}
