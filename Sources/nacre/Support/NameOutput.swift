import Catalog
import IPNS
import Multiformats
import NodeCore

/// How names are printed.
enum NameOutput {
    static func write(_ entry: NameEntry, json: Bool, to out: inout StandardOutput) throws {
        if json { return try out.writeJSON(NameJSON(entry)) }
        let published = entry.publication
        try out.write(
            line: [
                entry.id.ipnsName, published.map { String($0.sequence) } ?? "-",
                published.map { TimeText.utc(milliseconds: $0.validUntil) } ?? "-",
                published.map { PathText.printable(Array($0.target.utf8)) } ?? "-",
                PathText.printable(Array(entry.label.utf8)),
            ].joined(separator: " "))
    }

    static func write(_ entry: NameEntry, _ versions: [NameVersion], to out: inout StandardOutput) throws {
        try out.write(line: "label        " + PathText.printable(Array(entry.label.utf8)))
        try out.write(line: "name         /ipns/" + entry.id.ipnsName)
        try out.write(line: "peer id      \(entry.id)")
        try out.write(line: "lifetime     " + DurationText.short(seconds: Double(entry.lifetimeSeconds)))
        try out.write(
            line: "ttl          " + DurationText.short(seconds: Double(entry.ttlNanoseconds) / 1e9))
        if let published = entry.publication {
            try out.write(line: "target       " + PathText.printable(Array(published.target.utf8)))
            try out.write(line: "sequence     \(published.sequence)")
            try out.write(line: "valid until  " + TimeText.utc(milliseconds: published.validUntil))
        }
        for version in versions {
            let time = TimeText.utc(milliseconds: version.published)
            let target = PathText.printable(Array(version.target.utf8))
            try out.write(line: "history      \(version.number) \(time) \(target)")
        }
    }
}

struct NameJSON: Encodable {
    struct Version: Encodable {
        let number: Int64
        let target: String
        let sequence: Int64
        let published: String
    }

    let name: String
    let peerID: String
    let label: String
    let owner: String
    let created: String
    let lifetimeSeconds: Int64
    let ttlNanoseconds: Int64
    let target: String?
    let sequence: Int64?
    let validUntil: String?
    let history: [Version]?

    init(_ entry: NameEntry, _ versions: [NameVersion]? = nil) {
        name = entry.id.ipnsName
        peerID = entry.id.description
        label = entry.label
        owner = entry.owner.rawValue
        created = TimeText.utc(milliseconds: entry.created)
        lifetimeSeconds = entry.lifetimeSeconds
        ttlNanoseconds = entry.ttlNanoseconds
        target = entry.publication?.target
        sequence = entry.publication?.sequence
        validUntil = entry.publication.map { TimeText.utc(milliseconds: $0.validUntil) }
        history = versions?.map {
            Version(
                number: $0.number, target: $0.target, sequence: $0.sequence,
                published: TimeText.utc(milliseconds: $0.published))
        }
    }
}

struct ResolutionJSON: Encodable {
    let cid: String
    let path: String
    let remainingTTLSeconds: Int64?
    let steps: [String]

    init(_ resolution: NameResolution) {
        cid = resolution.root.description
        path = resolution.path.description
        remainingTTLSeconds = resolution.remainingTTL?.components.seconds
        steps = resolution.steps.map(\.description)
    }
}

struct RecordJSON: Encodable {
    let name: String
    let target: String
    let sequence: UInt64
    let validUntil: String

    init(_ name: PeerID, _ record: IPNSRecord) {
        self.name = name.ipnsName
        target = String(decoding: record.value, as: UTF8.self)
        sequence = record.sequence
        validUntil = record.validUntil.description
    }
}

extension StandardOutput {
    /// One object on a line of its own.
    mutating func writeJSON(_ value: some Encodable) throws {
        try write(bytes: JSONLine.encode(value))
        try write("\n")
    }
}
