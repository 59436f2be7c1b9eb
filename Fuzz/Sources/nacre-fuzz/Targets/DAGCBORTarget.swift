import Digests
import IPLD
import Multiformats

extension FuzzTarget {
    /// One byte of settings, then a block, read strictly and as plain CBOR.
    static let dagCBOR = FuzzTarget("dag-cbor") { input in
        var input = FuzzInput(input)
        let limits = limits(input.byte())
        let block = Array(input.rest)
        let plain = Result { () throws(IPLDCodecError) in
            try DAGCBOR.decode(block, dialect: .plainCBOR, limits: limits)
        }
        if case .success(let value) = plain {
            checkDecoded(value, within: limits)
            checkRoundTrip(value)
            checkLinks(of: value, block, .dagCBOR)
        }
        let value = try DAGCBOR.decode(block, limits: limits)
        checkDecoded(value, within: limits)
        require((try? DAGCBOR.encode(value)) == block, "DAG-CBOR has one form for a value")
        let fromPlain = (try? plain.get()).flatMap { try? DAGCBOR.encode($0) }
        require(fromPlain == block, "DAG-CBOR is CBOR")
        checkLinks(of: value, block, .dagCBOR)
        if let json = try? DAGJSON.encode(value) {
            let back = must("what was encoded is read") { try DAGJSON.decode(json) }
            require((try? DAGCBOR.encode(back)) == block, "values go through DAG-JSON and back")
        }
    }

    /// A value that CBOR can carry is the same behind its one form.
    static func checkRoundTrip(_ value: IPLDValue) {
        let bytes = must("what was read can be written") { try DAGCBOR.encode(value) }
        let back = must("what was encoded is read") { try DAGCBOR.decode(bytes) }
        require((try? DAGCBOR.encode(back)) == bytes, "a value goes there and back")
    }

    /// The links of a block are those that the whole value has.
    static func checkLinks(of value: IPLDValue, _ bytes: [UInt8], _ codec: Codec) {
        let links = must("a block that is read has links") {
            try Block(cid: try CID(hashing: bytes, codec: codec), bytes: bytes).links()
        }
        require(links == ValueShape(value).links, "all links are found, in their order")
    }
}
