public import IPLD
public import Multiformats

extension CID {
    /// Whether two contents cannot be made to have it: by md5 and sha1 they can, and what names itself
    /// (`identity`) is one more name for what has one.
    public var mayNameLeaf: Bool {
        switch multihash.code {
        case .sha2_256, .sha2_384, .sha2_512, .sha3_256, .sha3_384, .sha3_512, .keccak_256, .keccak_512,
            .dblSHA2_256, .blake2b_256, .blake2b_512, .blake2s_256:
            multihash.withDigest { $0.count >= 32 }
        default: false
        }
    }
}

extension Leaf {
    /// `[cid, bytes]`.
    func value(_ form: WireForm) -> IPLDValue { .list([form.cid(cid), .integer(Int128(bytes))]) }

    init(_ value: IPLDValue) throws(SyncMessageError) {
        guard case .list(let pair) = value, pair.count == 2, let cid = WireReader.cid(pair[0]),
            case .integer(let bytes) = pair[1], (0...Int128(SyncLimits.maximumLeafBytes)).contains(bytes),
            cid.mayNameLeaf
        else {
            let maximum = SyncLimits.maximumLeafBytes
            throw .badMember("leaf", expected: "[CID by sha2-256 or stronger, bytes of at most \(maximum)]")
        }
        self.init(cid: cid, bytes: Int(bytes))
    }
}

extension LeafEdit {
    /// `{base?, splices: [[start, remove, [leaf…]]…]}`.
    public func value(_ form: WireForm) -> IPLDValue {
        var writer = WireWriter(form)
        writer.put("base", base)
        writer.put(
            "splices",
            .list(
                splices.map { splice in
                    .list([
                        .integer(Int128(splice.start)), .integer(Int128(splice.remove)),
                        .list(splice.insert.map { $0.value(form) }),
                    ])
                }))
        return writer.value
    }

    /// - Throws: also where splices overlap or are out of order.
    public init(_ value: IPLDValue) throws(SyncMessageError) {
        let reader = try WireReader(value, "edit")
        var splices: [Splice] = []
        var end: Int128 = 0
        let list = try reader.require(
            "splices", reader.list("splices", maximum: SyncLimits.maximumSplices))
        for value in list {
            guard case .list(let parts) = value, parts.count == 3, case .integer(let start) = parts[0],
                case .integer(let remove) = parts[1], case .list(let leaves) = parts[2], start >= end,
                remove >= 0, start <= SyncLimits.maximumLeaves, remove <= SyncLimits.maximumLeaves
            else {
                throw .badMember("edit.splices", expected: "[start, remove, leaves], in rising order")
            }
            end = start + remove
            var insert: [Leaf] = []
            insert.reserveCapacity(leaves.count)
            for leaf in leaves { insert.append(try Leaf(leaf)) }
            splices.append(Splice(start: Int(start), remove: Int(remove), insert: insert))
        }
        self.init(base: try reader.cid("base"), splices: splices)
    }

    /// The whole list of leaves.
    ///
    /// - Throws: `badMember` if a splice is beyond the end of the list, or not behind the one before.
    public func apply(to base: [Leaf]) throws(SyncMessageError) -> [Leaf] {
        var leaves: [Leaf] = []
        var position = 0
        for splice in splices {
            // Counted from the end of the list, nothing can overflow.
            guard splice.start >= position, splice.start <= base.count,
                (0...base.count - splice.start).contains(splice.remove)
            else {
                throw .badMember("edit.splices", expected: "within the \(base.count) leaves of the base")
            }
            leaves += base[position..<splice.start]
            leaves += splice.insert
            position = splice.start + splice.remove
        }
        return leaves + base[position...]
    }

    /// What makes `leaves` of `base`: equal leaves at both ends stay, and what is equal between changes in
    /// the middle too, as far as leaves that are there once show it.
    public init(from base: [Leaf], root: CID?, to leaves: [Leaf]) {
        guard let root, !base.isEmpty else {
            self.init(splices: leaves.isEmpty ? [] : [Splice(start: 0, remove: 0, insert: leaves)])
            return
        }
        let places = Dictionary(
            base.enumerated().map { ($0.element, $0.offset) }, uniquingKeysWith: { _, _ in -1 })
        var splices: [Splice] = []
        var (old, new) = (0, 0)
        while old < base.count || new < leaves.count {
            if old < base.count, new < leaves.count, base[old] == leaves[new] {
                (old, new) = (old + 1, new + 1)
                continue
            }
            // Where the lists meet again: at a leaf that the base has once, further on.
            var next = new
            while next < leaves.count {
                if let place = places[leaves[next]], place >= old { break }
                next += 1
            }
            let end = next < leaves.count ? places[leaves[next]] ?? base.count : base.count
            splices.append(Splice(start: old, remove: end - old, insert: Array(leaves[new..<next])))
            (old, new) = (end, next)
        }
        // Two lists that meet again and again: the new one at once is what a message can hold.
        let isTooMuch = splices.count > SyncLimits.maximumSplices
        self.init(
            base: root,
            splices: isTooMuch ? [Splice(start: 0, remove: base.count, insert: leaves)] : splices)
    }
}

extension WireReader {
    /// The member `blocks`: bytes of leaves that come along with an edit.
    func blocks(_ what: String) throws(SyncMessageError) -> [[UInt8]] {
        let maximum = SyncLimits.maximumEditBytes
        var blocks: [[UInt8]] = []
        var total = 0
        for value in try list("blocks", maximum: maximum) ?? [] {
            guard let bytes = Self.bytes(value) else {
                throw .badMember(what, expected: "a list of bytes")
            }
            total += bytes.count
            guard total <= maximum else {
                throw .badMember(what, expected: "\(maximum) bytes in all at most")
            }
            blocks.append(bytes)
        }
        return blocks
    }
}
