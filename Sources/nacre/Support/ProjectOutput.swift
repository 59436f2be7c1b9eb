import Access
import Catalog
import NodeCore
import NodeMessages

/// How projects are printed.
enum ProjectOutput {
    static func write(line project: Project, json: Bool, to out: inout StandardOutput) throws {
        if json { return try out.writeJSON(ProjectJSON(project, nil)) }
        try out.write(line: "\(project.id.rawValue) \(PathText.printable(project.name.utf8))")
    }

    static func write(
        _ project: Project, _ members: [(ProjectMember, String?)], to out: inout StandardOutput
    ) throws {
        var lines = [
            ("id", project.id.rawValue), ("name", PathText.printable(project.name.utf8)),
            ("created", TimeText.utc(milliseconds: project.created)),
        ]
        lines += members.map { ("member", "\($1 ?? $0.user.text) \($0.role.rawValue)") }
        for (label, value) in lines { try out.write(line: Columns.padded(label, 14) + value) }
    }

    static func name(of user: UserID, _ authority: Authority) throws -> String? {
        do {
            return try authority.accounts.user(matching: user.text, by: .localAdministrator).name
        } catch AccessError.userAbsent {
            return nil
        }
    }
}

/// A project in JSON; the members are there where one project is shown.
struct ProjectJSON: Encodable {
    let id: String
    let name: String
    let created: String
    let members: [MemberJSON]?

    init(_ project: Project, _ members: [MemberJSON]?) {
        id = project.id.rawValue
        name = project.name
        created = TimeText.utc(milliseconds: project.created)
        self.members = members
    }
}
