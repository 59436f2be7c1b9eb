import ArgumentParser
import NodeCore
import NodeMessages

struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Print what was allowed and refused, newest first.",
        discussion: """
            A line `TIME OUTCOME OPERATION RESOURCE WHO ADDRESS` for each entry; what was refused has its \
            code behind the outcome, and what happened several times in a row how often. What changed who \
            may do what has an entry of its own, with whom it was done to: `user-add user:ada`. Through a \
            node it needs a key that allows admin: of the node for everything, of a project for what is \
            about that. Entries are kept for 90 days, at most 100,000 of them.
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var output: OutputOptions
    @Option(
        name: .long,
        help: ArgumentHelp("From then on: a duration ago as 12h, or a time.", valueName: "when"))
    var since: String?
    @Option(
        name: .long, help: ArgumentHelp("Until then: a duration ago, or a time.", valueName: "when"))
    var until: String?
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Only of this: the id or name of a key, the name of a user, or anonymous, local, session.",
            valueName: "who"))
    var principal: String?
    @Option(
        name: .long,
        help: ArgumentHelp("Only this, as write, login, user-add, key-revoke.", valueName: "operation"))
    var operation: String?
    @Option(
        name: .long, help: ArgumentHelp("allowed or refused.", valueName: "outcome"),
        completion: .list(["allowed", "refused"]))
    var outcome: String?
    @Option(name: .long, help: ArgumentHelp("At most so many entries.", valueName: "count"))
    var limit: Int?

    func validate() throws {
        if let outcome, !["allowed", "refused"].contains(outcome) {
            throw ValidationError("--outcome is allowed or refused")
        }
        if let limit, limit < 1 { throw ValidationError("--limit is 1 or more") }
    }

    func run() throws {
        let now = TimeText.now()
        var query = AuditQuery()
        query.since = try since.map { try Self.time($0, now, "--since") }
        query.until = try until.map { try Self.time($0, now, "--until") }
        query.operation = operation
        query.outcome = outcome
        try global.withNode(.existing, grants: true) { node in
            query.principal = try principal.map { try Self.principal($0, node) }
            var out = StandardOutput()
            var left = limit ?? .max
            do {
                try node.forEachAuditEntry(query) { entry in
                    try Interruption.cancellation.check()
                    if output.json {
                        try out.writeJSON(entry)
                    } else {
                        try out.write(line: Self.line(entry))
                    }
                    left -= 1
                    if left == 0 { throw EnoughEntries() }
                }
            } catch is EnoughEntries {}
            try out.flush()
        }
    }

    /// Ends a list that is long enough.
    private struct EnoughEntries: Error {}

    private static func time(_ text: String, _ now: Int64, _ option: String) throws -> String {
        if let duration = DurationText.parse(text) {
            let seconds = min(duration.components.seconds, now / 1000)
            return TimeText.utc(milliseconds: now - seconds * 1000)
        }
        if let time = TimeText.milliseconds(utc: text) { return TimeText.utc(milliseconds: time) }
        throw ValidationError(
            "\(option) is a duration such as 12h or 30d, or a time as 2030-01-31T12:00:00Z")
    }

    /// The id that a name means, or a way to prove oneself.
    private static func principal(_ text: String, _ node: any NodeOperations) throws -> String {
        if ["anonymous", "local", "grant", "signed-url", "session"].contains(text) { return text }
        do {
            return try node.grant(matching: try KeyName.name(text)).id
        } catch  where Failure.status(of: error) == .notFound {
            do {
                return try node.user(matching: text).id
            } catch  where Failure.status(of: error) == .notFound {
                throw CommandError(.notFound, "there is no key and no user \(text.prefix(64))")
            }
        }
    }

    private static func line(_ entry: AuditMessage) -> String {
        var words = [entry.time, entry.outcome]
        if let code = entry.code { words[1] += ":" + code }
        words.append(entry.operation)
        words.append(entry.resource.isEmpty ? "-" : PathText.printable(entry.resource.utf8))
        words.append((entry.grant ?? entry.user).map { "\(entry.source):\($0)" } ?? entry.source)
        words.append(entry.address ?? "-")
        if entry.count > 1 { words.append("x\(entry.count)") }
        return words.joined(separator: " ")
    }
}
