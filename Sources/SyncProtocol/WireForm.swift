public import IPLD
import Multiformats
import TreeValues

/// How messages are written: CBOR, or JSON for people and for programs without CBOR. Both are read.
///
/// In CBOR ids are 16 bytes, CIDs their binary form and content bytes; in JSON ids and CIDs are their text,
/// content is base64 and JIDs are decimal text, since numbers in JSON end at 2^53 for many.
public enum WireForm: String, CaseIterable, Hashable, Sendable {
    case cbor = "application/cbor"
    case json = "application/json"

    /// The form of a media type; `nil` if it is neither.
    public init?(mediaType: String) {
        switch mediaType.prefix(while: { $0 != ";" }).lowercased().filter({ $0 != " " }) {
        case "application/cbor": self = .cbor
        case "application/json": self = .json
        default: return nil
        }
    }

    /// Writes a message.
    ///
    /// - Throws: `IPLDCodecError` only for what no message holds.
    public func encode(_ value: IPLDValue) throws(IPLDCodecError) -> [UInt8] {
        switch self {
        case .cbor: try DAGCBOR.encode(value)
        case .json: try DAGJSON.encode(value)
        }
    }

    /// Reads a message of at most so many bytes.
    ///
    /// - Throws: `IPLDCodecError` with where it is not what it should be.
    public func decode(_ bytes: [UInt8], maximumBytes: Int) throws(IPLDCodecError) -> IPLDValue {
        var limits = IPLDLimits()
        limits.blockBytes = maximumBytes
        limits.depth = 16
        switch self {
        case .cbor: return try DAGCBOR.decode(bytes, dialect: .plainCBOR, limits: limits)
        case .json: return try DAGJSON.decode(bytes, dialect: .plainJSON, limits: limits)
        }
    }

    // MARK: Values of this form

    func id(_ id: NodeID) -> IPLDValue { self == .cbor ? .bytes(id.bytes) : .string(id.text) }
    func cid(_ cid: CID) -> IPLDValue { self == .cbor ? .bytes(cid.bytes) : .string(cid.description) }
    func bytes(_ bytes: [UInt8]) -> IPLDValue {
        self == .cbor ? .bytes(bytes) : .string(String(Multibase.encode(bytes, .base64Pad).dropFirst()))
    }
    func number(_ number: Int64) -> IPLDValue {
        self == .cbor ? .integer(Int128(number)) : .string(String(number))
    }
}

/// The entries of a message that is being written. What is `nil` is left out.
struct WireWriter {
    let form: WireForm
    private(set) var entries: [IPLDEntry] = []

    init(_ form: WireForm) { self.form = form }

    var value: IPLDValue { .map(entries) }

    mutating func put(_ key: String, _ value: IPLDValue) { entries.append(IPLDEntry(key: key, value: value)) }
    mutating func put(_ key: String, _ text: String?) { if let text { put(key, IPLDValue.string(text)) } }
    mutating func put(_ key: String, _ id: NodeID?) { if let id { put(key, form.id(id)) } }
    mutating func put(_ key: String, _ cid: CID?) { if let cid { put(key, form.cid(cid)) } }
    mutating func put(_ key: String, bytes: [UInt8]?) { if let bytes { put(key, form.bytes(bytes)) } }
    /// A number that may be beyond 2^53.
    mutating func put(_ key: String, _ number: Int64?) { if let number { put(key, form.number(number)) } }
    /// A number that is small.
    mutating func put(_ key: String, small number: Int?) {
        if let number { put(key, IPLDValue.integer(Int128(number))) }
    }
    /// A map that is kept as its JSON, as a map; a text that is none stays one.
    mutating func put(_ key: String, json text: String) {
        let bytes = Array(text.utf8)
        let value = try? WireForm.json.decode(bytes, maximumBytes: bytes.count)
        if case .map? = value, let value { put(key, value) } else { put(key, text) }
    }
    /// `true`; left out for `false`.
    mutating func put(_ key: String, if flag: Bool) { if flag { put(key, IPLDValue.bool(true)) } }
}

/// Reads the entries of a message, in either form.
struct WireReader {
    private let entries: [IPLDEntry]
    private let what: String

    /// - Parameter what: for errors, such as `operation`.
    init(_ value: IPLDValue, _ what: String) throws(SyncMessageError) {
        guard case .map(let entries) = value else { throw .notAMap(what) }
        self.entries = entries
        self.what = what
    }

    func value(_ key: String) -> IPLDValue? {
        // Nearly all other keys are of another length, which is seen at once.
        let count = key.utf8.count
        for index in entries.indices
        where entries[index].key.utf8.count == count && entries[index].key == key {
            if case .null = entries[index].value { return nil }
            return entries[index].value
        }
        return nil
    }

    private func bad(_ key: String, _ expected: String) -> SyncMessageError {
        .badMember("\(what).\(key)", expected: expected)
    }

    func require<T>(_ key: String, _ value: T?) throws(SyncMessageError) -> T {
        guard let value else { throw .missingMember("\(what).\(key)") }
        return value
    }

    func text(_ key: String) throws(SyncMessageError) -> String? {
        switch value(key) {
        case nil: return nil
        case .string(let text)?: return text
        default: throw bad(key, "a text")
        }
    }

    /// A map as JSON, sent as it is or as its text.
    func json(_ key: String) throws(SyncMessageError) -> String? {
        switch value(key) {
        case nil: return nil
        case .string(let text)?: return text
        case .map(let entries)?:
            if let bytes = try? WireForm.json.encode(.map(entries)) {
                return String(decoding: bytes, as: UTF8.self)
            }
        default: break
        }
        throw bad(key, "a map, or its JSON as a text")
    }

    func id(_ key: String) throws(SyncMessageError) -> NodeID? {
        switch value(key) {
        case nil: return nil
        case .string(let text)?:
            if let id = try? NodeID(text: text) { return id }
        case .bytes(let bytes)?:
            if let id = NodeID(bytes: bytes) { return id }
        default: break
        }
        throw bad(key, "an id of 128 bits")
    }

    func cid(_ key: String) throws(SyncMessageError) -> CID? {
        guard let value = value(key) else { return nil }
        guard let cid = Self.cid(value) else { throw bad(key, "a CID") }
        return cid
    }

    static func cid(_ value: IPLDValue) -> CID? {
        switch value {
        case .string(let text): try? CID(text: text)
        case .bytes(let bytes): try? CID(bytes: bytes)
        case .link(let cid): cid
        default: nil
        }
    }

    func bytes(_ key: String) throws(SyncMessageError) -> [UInt8]? {
        guard let value = value(key) else { return nil }
        guard let bytes = Self.bytes(value) else {
            throw bad(key, "bytes, in base64 with padding where it is JSON")
        }
        return bytes
    }

    /// Bytes in either form; `nil` if it is neither.
    static func bytes(_ value: IPLDValue) -> [UInt8]? {
        switch value {
        case .bytes(let bytes): bytes
        case .string(let text): try? Multibase.decode("M" + text).bytes
        default: nil
        }
    }

    func number(_ key: String, in range: ClosedRange<Int64> = .min ... .max) throws(SyncMessageError)
        -> Int64?
    {
        var number: Int64?
        switch value(key) {
        case nil: return nil
        case .integer(let integer)?: number = Int64(exactly: integer)
        case .string(let text)?: number = Int64(text)
        default: break
        }
        guard let number, range.contains(number) else {
            throw bad(key, "a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    func flag(_ key: String) throws(SyncMessageError) -> Bool {
        switch value(key) {
        case nil: return false
        case .bool(let flag)?: return flag
        default: throw bad(key, "true or false")
        }
    }

    func list(_ key: String, maximum: Int) throws(SyncMessageError) -> [IPLDValue]? {
        switch value(key) {
        case nil: return nil
        case .list(let values)?:
            guard values.count <= maximum else {
                throw .tooMany("\(what).\(key)", count: values.count, maximum: maximum)
            }
            return values
        default: throw bad(key, "a list")
        }
    }
}

/// Why a message cannot be understood. Members are named by their place, such as `operation.nid`.
public enum SyncMessageError: Error, Equatable, Sendable {
    case notAMap(String)
    case missingMember(String)
    case badMember(String, expected: String)
    case tooMany(String, count: Int, maximum: Int)
    case unknownWord(String, given: String)
}

extension SyncMessageError {
    /// The same of a part of a message, such as `ops[2]`.
    func `in`(_ place: String) -> Self {
        func within(_ name: String) -> String { place + " " + name }
        return switch self {
        case .notAMap(let name): .notAMap(within(name))
        case .missingMember(let name): .missingMember(within(name))
        case .badMember(let name, let expected): .badMember(within(name), expected: expected)
        case .tooMany(let name, let count, let maximum):
            .tooMany(within(name), count: count, maximum: maximum)
        case .unknownWord(let name, let given): .unknownWord(within(name), given: given)
        }
    }
}

extension SyncMessageError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .notAMap(let what): "\(what) is to be a map"
        case .missingMember(let name): "\(name) is missing"
        case .badMember(let name, let expected): "\(name) is to be \(expected)"
        case .tooMany(let name, let count, let maximum):
            "\(name) has \(count) entries, \(maximum) are allowed: send them in parts"
        case .unknownWord(let name, let given): "\(name) cannot be “\(given.prefix(40))”"
        }
    }
}
