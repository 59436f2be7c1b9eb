import Multiformats

extension FuzzTarget {
    /// Binary CIDs one after the other; the input as the text of a CID; the input as the name of a peer.
    static let cid = FuzzTarget("cid") { input in
        if let text = String(validating: input, as: UTF8.self) { checkText(text) }
        let bytes = input.span.bytes
        var offset = 0
        while offset < input.count {
            let start = offset
            let cid: CID
            do {
                cid = try CID.decode(bytes, at: &offset)
            } catch {
                require(offset == start, "a refused CID moves nothing")
                throw error
            }
            require(cid.bytes[...] == input[start..<offset], "a CID has one binary form")
            require(cid.byteCount == offset - start, "the size is known beforehand")
            require(cid.byteCount <= CID.maximumBytes, "a CID is within limits")
            let cut = try? CID(bytes: Array(input[start..<(offset - 1)]))
            require(cut == nil, "a CID that is cut off is refused")
            // Two dozen bases: once an input is enough.
            if start == 0 { checkTexts(of: cid) }
        }
    }

    private static func checkTexts(of cid: CID) {
        require((try? CID(text: cid.description)) == cid, "the text of a CID is read back")
        for base in MultibaseEncoding.all where cid.version == 1 {
            let back = must("a CID of version 1 has a text in every base") {
                try CID(text: try cid.text(in: base))
            }
            require(back == cid, "the text of a CID in any base is read back")
        }
        if let peer = try? PeerID(multihash: cid.multihash) { check(peer) }
    }

    private static func checkText(_ text: String) {
        if let cid = try? CID(text: text) {
            require(text.utf8.count <= CID.maximumTextCharacters, "a text that is read is within limits")
            require((try? CID(bytes: cid.bytes)) == cid, "a CID from a text has a binary form")
            checkTexts(of: cid)
        }
        if let peer = try? PeerID(text: text) { check(peer) }
    }

    private static func check(_ peer: PeerID) {
        require((try? PeerID(text: peer.description)) == peer, "the name of a peer is read back")
        require((try? PeerID(text: peer.ipnsName)) == peer, "the IPNS name of a peer is read back")
    }
}
