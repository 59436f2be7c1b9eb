import Multiformats

/// Contents of small files that came within entries, until they are written. Bounded by bytes: what does
/// not fit is fetched like any other.
struct InlineCache {
    private var contents: [CID: [UInt8]] = [:]
    private var bytes = 0

    subscript(cid: CID) -> [UInt8]? { contents[cid] }

    mutating func insert(_ content: [UInt8], for cid: CID, limit: Int) {
        guard contents[cid] == nil, content.count <= limit - bytes else { return }
        contents[cid] = content
        bytes += content.count
    }

    mutating func remove(_ cid: CID) {
        if let content = contents.removeValue(forKey: cid) { bytes -= content.count }
    }
}
