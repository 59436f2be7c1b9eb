import Digests
import IPLD
import Multiformats
import Synchronization

/// Settings at the front of an input, so that mutation reaches them too.
struct FuzzInput {
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    /// The next byte; 0 behind the end.
    mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

    /// A number from the next two bytes.
    mutating func short() -> Int { Int(byte()) | Int(byte()) << 8 }
}

/// Blocks out of one input, with a shell (🐚, four bytes) between them.
///
/// A CID leads to the block that hashes to it. Where none does, the first byte of the digest chooses one, so
/// that a link is found however mutated it is, and DAGs with cycles come about, which no honest source has.
/// Whoever reads must end all the same; the budget only keeps an input from taking long.
final class InputBlocks: BlockSource {
    static let separator = Array("🐚".utf8)
    static let maximumBlocks = 64

    let blocks: [[UInt8]]
    private let places: [Multihash: Int]
    private let budget: Mutex<Int>

    init(_ bytes: ArraySlice<UInt8>, budget: Int = 4096) {
        blocks = Self.split(bytes)
        var places: [Multihash: Int] = [:]
        for (index, block) in blocks.enumerated() {
            if let multihash = try? Multihash(hashing: block, with: .sha2_256) { places[multihash] = index }
        }
        self.places = places
        self.budget = Mutex(budget)
    }

    /// The first block of the input, which DAGs are entered by.
    func root(_ codec: Codec) -> Block {
        let bytes = blocks.first ?? []
        let cid = must("sha2-256 is there") { try CID(hashing: bytes, codec: codec) }
        return Block(cid: cid, bytes: bytes)
    }

    func block(_ cid: CID) throws -> Block? {
        let isLeft = budget.withLock { budget in
            budget -= 1
            return budget >= 0
        }
        guard isLeft else { throw BudgetSpent() }
        if cid.isIdentity { return Block(cid: cid, bytes: cid.multihash.digest) }
        let place = places[cid.multihash] ?? Int(cid.multihash.digest.first ?? 255)
        return blocks.indices.contains(place) ? Block(cid: cid, bytes: blocks[place]) : nil
    }

    private static func split(_ bytes: ArraySlice<UInt8>) -> [[UInt8]] {
        var blocks: [[UInt8]] = []
        var block: [UInt8] = []
        var rest = bytes
        while !rest.isEmpty && blocks.count < maximumBlocks - 1 {
            if rest.starts(with: separator) {
                rest = rest.dropFirst(separator.count)
                blocks.append(block)
                block = []
            } else {
                block.append(rest.removeFirst())
            }
        }
        return blocks + [block + rest]
    }
}

/// A reader asked for more blocks than an input of this size is worth.
struct BudgetSpent: Error {}
