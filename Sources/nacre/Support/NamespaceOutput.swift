import NodeCore
import NodeMessages

/// How namespaces are printed.
enum NamespaceOutput {
    /// Does something that has a namespace as its result, and prints that.
    static func run(
        _ global: GlobalOptions, _ output: OutputOptions,
        _ body: (any NodeOperations) throws -> NamespaceMessage
    ) throws {
        try global.withNode(.existing) { node in
            let namespace = try body(node)
            var out = StandardOutput()
            try write(line: namespace, json: output.json, to: &out)
            try out.flush()
        }
    }

    static func write(line namespace: NamespaceMessage, json: Bool, to out: inout StandardOutput) throws {
        if json { return try out.writeJSON(namespace) }
        try out.write(line: "\(namespace.id) \(namespace.name) \(namespace.visibility)")
    }

    static func write(row namespace: NamespaceMessage, json: Bool, to out: inout StandardOutput) throws {
        if json { return try out.writeJSON(namespace) }
        try out.write(
            line: "\(namespace.id) \(namespace.name) \(namespace.visibility) \(namespace.head) "
                + "\(namespace.nodes) \(namespace.bytes)"
                + (namespace.keptUntil.map { " until \($0)" } ?? ""))
    }

    static func write(_ version: NamespaceVersionMessage, json: Bool, to out: inout StandardOutput) throws {
        if json { return try out.writeJSON(version) }
        try out.write(line: "\(version.version) \(version.time) \(version.root ?? "-")")
    }

    static func write(kept version: NamespaceVersionMessage, json: Bool, to out: inout StandardOutput) throws
    {
        if json { return try out.writeJSON(version) }
        var kept = version.keptUntil.map { "until " + $0 } ?? "newest"
        if let note = version.held {
            kept = "held" + (note.isEmpty ? "" : " " + PathText.printable(note.utf8))
        }
        try out.write(line: "\(version.version) \(version.time) \(version.root ?? "-") \(kept)")
    }

    static func write(_ item: TrashItemMessage, json: Bool, to out: inout StandardOutput) throws {
        if json { return try out.writeJSON(item) }
        let slash = item.kind == "dir" ? "/" : ""
        let who = item.device ?? item.user ?? "-"
        try out.write(
            line: "\(item.id) \(item.deleted) \(item.keptUntil) \(item.nodes) \(item.bytes) "
                + PathText.printable(who.utf8) + " " + PathText.printable(item.path.utf8) + slash)
    }

    static func write(_ namespace: NamespaceMessage, to out: inout StandardOutput) throws {
        let lines = [
            ("id", namespace.id), ("name", namespace.name), ("project", namespace.project),
            ("visibility", namespace.visibility), ("version", "\(namespace.head)"),
            ("nodes", "\(namespace.nodes)"), ("bytes", "\(namespace.bytes)"),
            ("created", namespace.created), ("updated", namespace.updated),
        ]
        for (label, value) in lines { try out.write(line: Columns.padded(label, 14) + value) }
        try write(namespace.policy, to: &out)
    }

    static func write(_ policy: NamespacePolicyMessage, to out: inout StandardOutput) throws {
        func days(_ seconds: Int64?) -> String {
            let seconds = seconds ?? 0
            return seconds % 86_400 == 0
                ? "\(seconds / 86_400) days" : DurationText.short(seconds: Double(seconds))
        }
        let limit = policy.maximumBytes ?? 0
        let lines = [
            ("names", policy.names ?? ""), ("case", policy.case ?? ""),
            ("merge", policy.merge ?? ""),
            ("keep all", days(policy.keepAllSeconds)), ("keep daily", days(policy.keepDailySeconds)),
            ("quota", limit == 0 ? "none" : "\(limit) bytes"),
            ("most nodes", "\(policy.maximumNodes ?? 0)"),
        ]
        for (label, value) in lines { try out.write(line: Columns.padded(label, 14) + value) }
    }
}
