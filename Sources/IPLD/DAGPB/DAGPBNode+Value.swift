import Multiformats

extension DAGPBNode {
    /// The node in the data model: a map of `Links` and, where there is one, `Data`.
    ///
    /// - Throws: `cannotEncode` if a link's name is not UTF-8: the data model has no such strings.
    public func value() throws(IPLDCodecError) -> IPLDValue {
        var entries: [IPLDEntry] = []
        if let data { entries.append(IPLDEntry(key: "Data", value: .bytes(data))) }
        var list: [IPLDValue] = []
        for link in links { list.append(try link.value()) }
        entries.append(IPLDEntry(key: "Links", value: .list(list)))
        return .map(entries)
    }

    /// The node of a value of the data model.
    ///
    /// - Throws: `cannotEncode` for anything but exactly the fields that DAG-PB has.
    public init(_ value: IPLDValue) throws(IPLDCodecError) {
        guard case .map(let entries) = value else { throw .cannotEncode("a DAG-PB node that is no map") }
        self.init()
        var hasLinks = false
        for entry in entries {
            switch (entry.key, entry.value) {
            case ("Data", .bytes(let bytes)): data = bytes
            case ("Links", .list(let values)):
                hasLinks = true
                for value in values { links.append(try DAGPBLink(value)) }
            default: throw .cannotEncode("the field \(entry.key) of a DAG-PB node")
            }
        }
        // The data model knows only the canonical order.
        let names = links.map { $0.name ?? [] }
        for (a, b) in zip(names, names.dropFirst()) where b.lexicographicallyPrecedes(a) {
            throw .cannotEncode("a DAG-PB node whose links are not sorted by name")
        }
        guard hasLinks else { throw .cannotEncode("a DAG-PB node without Links") }
    }
}

extension DAGPBLink {
    /// The link in the data model: a map of `Hash` and, where they are there, `Name` and `Tsize`.
    ///
    /// - Throws: `cannotEncode` if the name is not UTF-8.
    func value() throws(IPLDCodecError) -> IPLDValue {
        var fields = [IPLDEntry(key: "Hash", value: .link(cid))]
        if let name {
            guard let text = String(validating: name, as: UTF8.self) else {
                throw .cannotEncode("a link whose name is not UTF-8")
            }
            fields.append(IPLDEntry(key: "Name", value: .string(text)))
        }
        if let tsize { fields.append(IPLDEntry(key: "Tsize", value: .integer(Int128(tsize)))) }
        return .map(fields)
    }

    fileprivate init(_ value: IPLDValue) throws(IPLDCodecError) {
        guard case .map(let entries) = value else { throw .cannotEncode("a DAG-PB link that is no map") }
        var found: CID?
        var name: [UInt8]?
        var tsize: UInt64?
        for entry in entries {
            switch (entry.key, entry.value) {
            case ("Hash", .link(let cid)): found = cid
            case ("Name", .string(let text)): name = Array(text.utf8)
            case ("Tsize", .integer(let size)):
                guard let exact = UInt64(exactly: size) else { throw .cannotEncode("a Tsize of \(size)") }
                tsize = exact
            default: throw .cannotEncode("the field \(entry.key) of a DAG-PB link")
            }
        }
        guard let found else { throw .cannotEncode("a DAG-PB link without Hash") }
        self.init(cid: found, name: name, tsize: tsize)
    }
}
