import NodeCore
import NodeMessages

/// How users are printed: never with anything of a password.
enum UserOutput {
    static func print(_ user: UserMessage, json: Bool) throws {
        var out = StandardOutput()
        try write(line: user, json: json, to: &out)
        try out.flush()
    }

    static func write(line user: UserMessage, json: Bool, to out: inout StandardOutput) throws {
        if json { return try out.writeJSON(user) }
        let role = user.administrator ? "administrator" : "member"
        try out.write(line: "\(user.id) \(user.status) \(role) \(PathText.printable(user.name.utf8))")
    }

    static func write(_ user: UserMessage, to out: inout StandardOutput) throws {
        var lines = [
            ("id", user.id), ("name", PathText.printable(user.name.utf8)), ("status", user.status),
            ("role", user.administrator ? "administrator of the node" : "member"),
            ("created", user.created),
        ]
        if let disabled = user.disabled { lines.append(("disabled", disabled)) }
        lines += (user.projects ?? []).map { ("project", "\($0.project) \($0.role)") }
        for (label, value) in lines { try out.write(line: Columns.padded(label, 14) + value) }
    }
}
