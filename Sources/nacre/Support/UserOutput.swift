import Catalog
import NodeCore
import NodeMessages

/// How users are printed: never with anything of a password.
enum UserOutput {
    static func print(_ user: User, json: Bool) throws {
        var out = StandardOutput()
        try write(line: user, json: json, to: &out)
        try out.flush()
    }

    static func write(line user: User, json: Bool, to out: inout StandardOutput) throws {
        if json { return try out.writeJSON(UserJSON(user, nil)) }
        let role = user.isAdministrator ? "administrator" : "member"
        try out.write(line: "\(user.id) \(user.statusWord) \(role) \(PathText.printable(user.name.utf8))")
    }

    static func write(_ user: User, _ memberships: [ProjectMember], to out: inout StandardOutput) throws {
        var lines = [
            ("id", user.id.text), ("name", PathText.printable(user.name.utf8)), ("status", user.statusWord),
            ("role", user.isAdministrator ? "administrator of the node" : "member"),
            ("created", TimeText.utc(milliseconds: user.created)),
        ]
        if let disabled = user.disabled { lines.append(("disabled", TimeText.utc(milliseconds: disabled))) }
        lines += memberships.map { ("project", "\($0.project.rawValue) \($0.role.rawValue)") }
        for (label, value) in lines { try out.write(line: Columns.padded(label, 14) + value) }
    }
}

/// A user in JSON; the projects are there where one user is shown.
struct UserJSON: Encodable {
    let id: String
    let name: String
    let status: String
    let administrator: Bool
    let created: String
    let disabled: String?
    let projects: [MemberJSON]?

    init(_ user: User, _ memberships: [ProjectMember]?) {
        id = user.id.text
        name = user.name
        status = user.statusWord
        administrator = user.isAdministrator
        created = TimeText.utc(milliseconds: user.created)
        disabled = user.disabled.map { TimeText.utc(milliseconds: $0) }
        projects = memberships?.map { MemberJSON($0, name: nil) }
    }
}

extension User {
    fileprivate var statusWord: String { disabled == nil ? "active" : "disabled" }
}

/// A membership in JSON.
struct MemberJSON: Encodable {
    let project: String
    let user: String
    let name: String?
    let role: String
    let since: String

    /// - Parameter name: the name of the user, where it is known.
    init(_ member: ProjectMember, name: String?) {
        project = member.project.rawValue
        user = member.user.text
        self.name = name
        role = member.role.rawValue
        since = TimeText.utc(milliseconds: member.since)
    }
}
