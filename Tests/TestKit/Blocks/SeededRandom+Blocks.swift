import Digests
public import IPLD
public import Multiformats

extension SeededRandom {
    /// A block of random bytes under its right CID.
    public mutating func block(bytes count: Int, codec: Codec = .raw, with code: MultihashCode = .sha2_256)
        -> Block
    {
        Block(content: bytes(count), codec: codec, with: code)
    }

    /// Blocks of random content, of sizes picked from `sizes`.
    public mutating func blocks(
        count: ClosedRange<Int>, bytes sizes: [Int] = interestingSmallSizes,
        with code: MultihashCode = .sha2_256
    ) -> [Block] {
        (0..<number(count)).map { _ in block(bytes: pick(sizes), with: code) }
    }
}

extension Block {
    /// A block of these bytes under its right CID; `code` must be a function that can be computed.
    public init(content: [UInt8], codec: Codec = .raw, with code: MultihashCode = .sha2_256) {
        do {
            self.init(cid: try CID(hashing: content, codec: codec, with: code), bytes: content)
        } catch {
            preconditionFailure("\(code) cannot be computed: \(error)")
        }
    }
}
