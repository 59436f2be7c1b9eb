import Digests
import IPLD
import Multiformats

extension FuzzTarget {
    /// A block.
    static let dagPB = FuzzTarget("dag-pb") { block in
        let fast = Result { () throws(DAGPBError) in try DAGPBNode.links(of: block) }
        checkLimits(block)
        let node = try DAGPBNode(decoding: block)
        require((try? fast.get()) == node.links.map(\.cid), "links are found the fast way as the slow way")
        let bytes = node.encoded()
        require(node.encodedSize == bytes.count, "the size is known beforehand")
        if block.first == 0x12 || node.links.isEmpty {
            require(bytes == block, "a node with its links first has one form")
        } else {
            require(bytes.count == block.count, "only the order of fields may differ")
        }
        require((try? DAGPBNode(decoding: bytes)) == node, "a node goes there and back")
        guard let value = try? node.value() else { return }
        require(ValueShape(value).links == node.links.map(\.cid), "the value has the links of the node")
        var sorted = node
        sorted.sortLinks()
        let fromValue = must("a value of sorted links is a node") { try DAGPBNode(try sorted.value()) }
        require(fromValue == sorted, "a node goes through the data model and back")
        if let cbor = try? DAGCBOR.encode(value) {
            require((try? DAGCBOR.decode(cbor)) != nil, "the value of a node can be carried by DAG-CBOR")
        }
    }

    /// A limit of links that small blocks reach.
    private static func checkLimits(_ block: [UInt8]) {
        var limits = DAGPBLimits()
        limits.links = 3
        limits.blockBytes = 512
        guard let node = try? DAGPBNode(decoding: block, limits: limits) else { return }
        require(node.links.count <= 3 && block.count <= 512, "limits are kept")
    }
}
