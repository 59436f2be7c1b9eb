import NodeCore
import NodeMessages

/// How projects are printed.
enum ProjectOutput {
    static func write(line project: ProjectMessage, json: Bool, to out: inout StandardOutput) throws {
        if json { return try out.writeJSON(project) }
        try out.write(line: "\(project.id) \(PathText.printable(project.name.utf8))")
    }

    static func write(_ project: ProjectMessage, to out: inout StandardOutput) throws {
        var lines = [
            ("id", project.id), ("name", PathText.printable(project.name.utf8)),
            ("created", project.created),
        ]
        lines += (project.members ?? []).map { ("member", "\($0.name ?? $0.user) \($0.role)") }
        for (label, value) in lines { try out.write(line: Columns.padded(label, 14) + value) }
    }
}
