/// Puts values together as a decoder meets them, without recursion.
struct ValueStack {
    enum Kind {
        case list
        case map
    }

    private struct Frame {
        let kind: Kind
        /// Values still to come (keys not counted); `nil` where an end mark says so.
        var remaining: UInt64?
        var list: [IPLDValue] = []
        var map: [IPLDEntry] = []
        var key: String?
        /// All keys, once one came out of order; by their bytes, since strings can be equal that are
        /// different keys.
        var keys: Set<[UInt8]>?
    }

    private let limits: IPLDLimits
    /// Where keys come in order, the decoder sees a repeated one by itself.
    private let refusesRepeatedKeys: Bool
    private var frames: [Frame] = []
    private var count = 0
    /// The outermost value, once it is whole.
    private(set) var result: IPLDValue?

    init(limits: IPLDLimits, refusesRepeatedKeys: Bool) {
        self.limits = limits
        self.refusesRepeatedKeys = refusesRepeatedKeys
    }

    var isEmpty: Bool { frames.isEmpty }
    var kind: Kind? { frames.last?.kind }
    var isOpenEnded: Bool { frames.last.map { $0.remaining == nil } ?? false }
    /// Whether the next thing must be a key.
    var wantsKey: Bool { frames.last.map { $0.kind == .map && $0.key == nil } ?? false }
    var lastKey: String? { frames.last?.map.last?.key }
    var entries: Int { frames.last.map { $0.list.count + $0.map.count } ?? 0 }

    mutating func open(
        _ kind: Kind, count: UInt64?, transform: (IPLDValue) throws(IPLDCodecError) -> IPLDValue = { $0 }
    )
        throws(IPLDCodecError)
    {
        guard frames.count < limits.depth else { throw .tooDeep(maximum: limits.depth) }
        try charge()
        var frame = Frame(kind: kind, remaining: count)
        // What is announced is believed for as much as does no harm, and grows by itself beyond that.
        if let count, kind == .map { frame.map.reserveCapacity(Int(min(count, 16))) }
        frames.append(frame)
        if count == 0 { try close(transform: transform) }
    }

    mutating func add(key: String, offset: Int) throws(IPLDCodecError) {
        let top = frames.count - 1
        if refusesRepeatedKeys, !isNew(key, in: &frames[top]) { throw .duplicateKey(key, offset: offset) }
        frames[top].key = key
    }

    /// Whether a map does not have a key yet. As long as keys come in order, as in what Nacre writes, the
    /// last one tells, and none is kept.
    private func isNew(_ key: String, in frame: inout Frame) -> Bool {
        if frame.keys == nil {
            guard let last = frame.map.last?.key, !DAGCBOR.isKey(last, before: key) else { return true }
            frame.keys = Set(frame.map.map { Array($0.key.utf8) })
        }
        return frame.keys?.insert(Array(key.utf8)).inserted ?? true
    }

    mutating func add(
        _ value: IPLDValue, transform: (IPLDValue) throws(IPLDCodecError) -> IPLDValue = { $0 }
    ) throws(IPLDCodecError) {
        try charge()
        try place(value, transform: transform)
    }

    /// Ends the innermost list or map; `transform` may make something else of it.
    mutating func close(
        transform: (IPLDValue) throws(IPLDCodecError) -> IPLDValue = { $0 }
    ) throws(IPLDCodecError) {
        let frame = frames.removeLast()
        let value: IPLDValue = frame.kind == .list ? .list(frame.list) : .map(frame.map)
        try place(try transform(value), transform: transform)
    }

    private mutating func place(
        _ value: IPLDValue, transform: (IPLDValue) throws(IPLDCodecError) -> IPLDValue
    ) throws(IPLDCodecError) {
        var value = value
        while true {
            guard !frames.isEmpty else {
                result = value
                return
            }
            let top = frames.count - 1
            if frames[top].kind == .list {
                frames[top].list.append(value)
            } else {
                frames[top].map.append(IPLDEntry(key: frames[top].key ?? "", value: value))
                frames[top].key = nil
            }
            guard let remaining = frames[top].remaining else { return }
            frames[top].remaining = remaining - 1
            guard remaining == 1 else { return }
            let frame = frames.removeLast()
            value = try transform(frame.kind == .list ? .list(frame.list) : .map(frame.map))
        }
    }

    private mutating func charge() throws(IPLDCodecError) {
        count += 1
        guard count <= limits.values else { throw .tooManyValues(maximum: limits.values) }
    }
}
