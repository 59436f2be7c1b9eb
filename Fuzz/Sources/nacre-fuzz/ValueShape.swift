import IPLD
import Multiformats

/// What a value amounts to, counted without the decoder: how deep it is, how many values, which links.
struct ValueShape {
    /// Lists and maps within one another.
    private(set) var depth = 0
    private(set) var values = 0
    /// In the order of the value.
    private(set) var links: [CID] = []
    /// Keys that are there twice, byte by byte.
    private(set) var hasDuplicateKeys = false

    init(_ value: IPLDValue) {
        var stack = [(value, 0)]
        while let (value, level) = stack.popLast() {
            values += 1
            switch value {
            case .link(let cid): links.append(cid)
            case .list(let inner):
                depth = max(depth, level + 1)
                for value in inner.reversed() { stack.append((value, level + 1)) }
            case .map(let entries):
                depth = max(depth, level + 1)
                if Set(entries.map { Array($0.key.utf8) }).count < entries.count { hasDuplicateKeys = true }
                for entry in entries.reversed() { stack.append((entry.value, level + 1)) }
            default: break
            }
        }
    }
}

/// What holds for every value that a structured codec decoded.
func checkDecoded(_ value: IPLDValue, within limits: IPLDLimits) {
    let shape = ValueShape(value)
    require(shape.depth <= limits.depth, "no value is deeper than the limit")
    require(shape.values <= limits.values, "no block has more values than the limit")
    require(!shape.hasDuplicateKeys, "no key is there twice")
}

/// The limits of an input: the documented ones, or some that a small input can exceed.
func limits(_ choice: UInt8) -> IPLDLimits {
    var limits = IPLDLimits()
    if choice & 1 == 1 {
        limits.depth = 6
        limits.values = 48
    }
    return limits
}
