import Multiformats

extension DAGPBNode {
    /// The canonical block: links in their order here, then the data.
    public func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(encodedSize)
        for link in links {
            bytes.append(0x12)
            Self.appendNumber(UInt64(link.encodedSize), to: &bytes)
            link.append(to: &bytes)
        }
        if let data {
            bytes.append(0x0A)
            Self.appendNumber(UInt64(data.count), to: &bytes)
            bytes.append(contentsOf: data)
        }
        return bytes
    }

    /// The size of ``encoded()``, without making it.
    public var encodedSize: Int {
        var size = 0
        for link in links { size += link.encodedSizeInNode }
        if let data { size += 1 + Self.sizeOfNumber(UInt64(data.count)) + data.count }
        return size
    }

    /// Sorts the links by the bytes of their names, those of one name in the order they had.
    public mutating func sortLinks() {
        let order = links.indices.sorted { a, b in
            let left = links[a].name ?? []
            let right = links[b].name ?? []
            if left == right { return a < b }
            return left.lexicographicallyPrecedes(right)
        }
        links = order.map { links[$0] }
    }

    static func appendNumber(_ value: UInt64, to bytes: inout [UInt8]) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    static func sizeOfNumber(_ value: UInt64) -> Int { value == 0 ? 1 : (70 - value.leadingZeroBitCount) / 7 }
}

extension DAGPBLink {
    /// The size of the link with the field key and length in front, as it stands in a node.
    public var encodedSizeInNode: Int {
        let size = encodedSize
        return 1 + DAGPBNode.sizeOfNumber(UInt64(size)) + size
    }

    var encodedSize: Int {
        let count = cid.byteCount
        var size = 1 + DAGPBNode.sizeOfNumber(UInt64(count)) + count
        if let name { size += 1 + DAGPBNode.sizeOfNumber(UInt64(name.count)) + name.count }
        if let tsize { size += 1 + DAGPBNode.sizeOfNumber(tsize) }
        return size
    }

    func append(to bytes: inout [UInt8]) {
        bytes.append(0x0A)
        DAGPBNode.appendNumber(UInt64(cid.byteCount), to: &bytes)
        cid.append(to: &bytes)
        if let name {
            bytes.append(0x12)
            DAGPBNode.appendNumber(UInt64(name.count), to: &bytes)
            bytes.append(contentsOf: name)
        }
        if let tsize {
            bytes.append(0x18)
            DAGPBNode.appendNumber(tsize, to: &bytes)
        }
    }
}
