import IPLD
import Multiformats

extension FuzzTarget {
    /// One byte of settings; blocks; a path behind the last of them. The path is followed and the DAG walked.
    static let paths = FuzzTarget("paths") { input in
        var input = FuzzInput(input)
        let codecs: [Codec] = [.dagCBOR, .dagJSON, .dagPB, .cbor, .json, .raw]
        let codec = codecs[Int(input.byte()) % codecs.count]
        let source = InputBlocks(input.rest)
        let root = source.root(codec)
        try walk(root, source)
        guard let text = source.blocks.last.flatMap({ String(validating: $0, as: UTF8.self) }) else { return }
        let path = text.split(separator: "/").map(String.init)
        let rooted = RootedBlocks(root: root, source: source)
        let found = try IPLDPath.resolve(path, from: root.cid, in: rooted)
        require(path.count <= IPLDPath.maximumSegments, "a path that is followed is within limits")
        if path.isEmpty { require(found.block == root, "no path leads to the root") }
        require((try? found.block.value()) != nil, "a path ends in a block that can be read")
    }

    private static func walk(_ root: Block, _ source: InputBlocks) throws {
        var budget = DAGWalker.Budget()
        budget.depth = 16
        budget.blocks = 256
        budget.bytes = 64 * 1024
        var seen: Set<CID> = []
        var bytes = 0
        var steps = 0
        var walker = DAGWalker(root: root.cid, budget: budget) { cid in
            seen.insert(cid).inserted ? .enter : .skip
        }
        do {
            let rooted = RootedBlocks(root: root, source: source)
            while let step = try walker.next(load: rooted.block) {
                steps += 1
                if case .block(let block, let depth) = step {
                    bytes += block.bytes.count
                    require(depth <= budget.depth, "a walk goes no deeper than its budget")
                }
            }
        } catch is DAGWalkError {
            // The budget is spent, or a block cannot be read, as it may be.
        } catch is BudgetSpent {
        } catch {
            require(false, "a walk names the block that it cannot go on from")
        }
        require(steps <= budget.blocks && bytes <= Int(budget.bytes), "a walk keeps its budget")
        require(steps <= seen.count, "a walk visits a block once")
    }
}

/// Blocks of an input, and the root under its own CID.
private struct RootedBlocks: BlockSource {
    let root: Block
    let source: InputBlocks

    func block(_ cid: CID) throws -> Block? {
        try cid == root.cid ? root : source.block(cid)
    }
}
