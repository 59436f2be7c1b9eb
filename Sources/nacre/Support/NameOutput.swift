import NodeCore
import NodeMessages

/// How names are printed.
enum NameOutput {
    static func write(_ entry: NameMessage, json: Bool, to out: inout StandardOutput) throws {
        if json { return try out.writeJSON(entry) }
        try out.write(
            line: [
                entry.name, entry.sequence.map { String($0) } ?? "-", entry.validUntil ?? "-",
                (entry.follows.map(place) ?? entry.target).map { PathText.printable(Array($0.utf8)) } ?? "-",
                PathText.printable(Array(entry.label.utf8)),
            ].joined(separator: " "))
    }

    /// What a name follows, as a person says it.
    static func place(_ follow: NameMessage.Follow) -> String {
        "/n/\(follow.namespace)" + (follow.path.isEmpty ? "" : "/" + follow.path)
    }

    /// With its history.
    static func write(_ entry: NameMessage, to out: inout StandardOutput) throws {
        try out.write(line: "label        " + PathText.printable(Array(entry.label.utf8)))
        try out.write(line: "name         /ipns/" + entry.name)
        try out.write(line: "peer id      \(entry.peerID)")
        try out.write(line: "lifetime     " + DurationText.short(seconds: Double(entry.lifetimeSeconds)))
        try out.write(
            line: "ttl          " + DurationText.short(seconds: Double(entry.ttlNanoseconds) / 1e9))
        if let target = entry.target, let sequence = entry.sequence, let validUntil = entry.validUntil {
            try out.write(line: "target       " + PathText.printable(Array(target.utf8)))
            try out.write(line: "sequence     \(sequence)")
            try out.write(line: "valid until  " + validUntil)
        }
        if let follow = entry.follows {
            let version = follow.version.map { "version \($0)" } ?? "no version"
            let head = follow.head.map { " of \($0)" } ?? ""
            let reason = follow.failure.map { ": " + PathText.printable(Array($0.utf8)) } ?? ""
            let text = "\(place(follow)) \(follow.state), \(version)\(head)\(reason)"
            try out.write(line: "follows      " + PathText.printable(Array(text.utf8)))
        }
        for version in entry.history ?? [] {
            let target = PathText.printable(Array(version.target.utf8))
            try out.write(line: "history      \(version.number) \(version.published) \(target)")
        }
    }
}

extension StandardOutput {
    /// One object on a line of its own.
    mutating func writeJSON(_ value: some Encodable) throws {
        try write(bytes: JSONLine.encode(value))
        try write("\n")
    }
}
