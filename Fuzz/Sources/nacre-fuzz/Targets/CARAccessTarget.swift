import CAR
import Digests
import IPLD
import Multiformats

extension FuzzTarget {
    /// Options; then a CAR file, out of which blocks are asked for by its index and by one that is rebuilt.
    static let carAccess = FuzzTarget("car-access") { input in
        var input = FuzzInput(input)
        let options = readingOptions(input.byte())
        let file = Array(input.rest)
        var unverified = options
        unverified.verification = .none
        let reading = CARReading(of: file, unverified, pieceBytes: max(1, file.count))
        let hinted = try randomAccess(file, options)
        let rebuilt = try randomAccess(file, options, usesIndex: false)
        require(hinted.header == reading.header, "a file has one header")
        let cids = reading.sections.prefix(24).map(\.cid)
        for cid in cids {
            let byHint = Result { try hinted.block(cid) }
            let byScan = Result { try rebuilt.block(cid) }
            for found in [byHint, byScan] {
                guard case .success(let block) = found else { continue }
                guard let block else { continue }
                require(block.cid == cid, "the block that was asked for is given")
                require(
                    block.bytes.count <= options.limits.maximumBlockBytes || cid.isIdentity, "limits are kept"
                )
                if options.verification == .everyBlock {
                    require((try? cid.verify(block.bytes)) != nil, "blocks are what their CIDs name")
                }
            }
            if reading.errors.isEmpty {
                require((try? rebuilt.rebuildIndex()) != nil, "a file that can be read has an index")
                if case .success(let block) = byScan {
                    require(block != nil, "a block that is in the file is found")
                }
            }
            if case .success(let block?) = byScan {
                // An index that lies costs time and nothing else.
                require((try? byHint.get()) != nil, "an index hides no block")
                if options.verification == .everyBlock {
                    require((try? byHint.get()) == block, "by an index comes the same block")
                }
            }
        }
        checkTogether(rebuilt, cids)
    }

    /// Asking for blocks together gives what asking for each gives.
    private static func checkTogether(_ access: CARRandomAccess, _ cids: [CID]) {
        let single = Result { try cids.map { try access.block($0) } }
        let together = Result { try access.blocks(cids) }
        require((try? single.get()) == (try? together.get()), "blocks come together as they come alone")
    }
}
