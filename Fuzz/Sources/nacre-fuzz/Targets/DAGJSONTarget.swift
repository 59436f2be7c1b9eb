import IPLD
import Multiformats

extension FuzzTarget {
    /// One byte of settings, then a block, read strictly and as plain JSON.
    static let dagJSON = FuzzTarget("dag-json") { input in
        var input = FuzzInput(input)
        let limits = limits(input.byte())
        let block = Array(input.rest)
        if let value = try? DAGJSON.decode(block, dialect: .plainJSON, limits: limits) {
            checkDecoded(value, within: limits)
            checkRoundTrip(value)
        }
        let value = try DAGJSON.decode(block, limits: limits)
        checkDecoded(value, within: limits)
        // White space and escapes are read, so that only the second writing is the same as the first.
        let bytes = must("what was read can be written") { try DAGJSON.encode(value) }
        let back = must("what was encoded is read") { try DAGJSON.decode(bytes) }
        require((try? DAGJSON.encode(back)) == bytes, "DAG-JSON has one form for a value")
        require((try? DAGCBOR.encode(back)) == (try? DAGCBOR.encode(value)), "a value goes there and back")
        checkRoundTrip(value)
        checkLinks(of: value, block, .dagJSON)
    }
}
