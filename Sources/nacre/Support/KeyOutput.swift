import Access
import ArgumentParser
import Catalog
import Foundation
import NodeCore
import NodeMessages

/// How keys are printed.
enum KeyOutput {
    static func write(line grant: GrantMessage, json: Bool, to out: inout StandardOutput) throws {
        if json { return try out.writeJSON(grant) }
        let operations = grant.operations.joined(separator: ",")
        try out.write(
            line: "\(grant.id) \(grant.status) \(operations) \(grant.scope) \(grant.expires ?? "never") "
                + PathText.printable(grant.name.utf8))
    }

    static func write(_ grant: GrantMessage, to out: inout StandardOutput) throws {
        for (label, value) in lines(grant) { try out.write(line: Columns.padded(label, 14) + value) }
    }

    private static func lines(_ grant: GrantMessage) -> [(String, String)] {
        var lines = [
            ("id", grant.id), ("name", PathText.printable(grant.name.utf8)), ("status", grant.status),
            ("allows", grant.operations.joined(separator: ",")), ("scope", grant.scope),
            ("project", grant.project),
        ]
        if let parent = grant.parent { lines.append(("parent", parent)) }
        if let maximum = grant.maxUses { lines.append(("uses", "\(grant.uses) of \(maximum)")) }
        if let maximum = grant.maxBytes {
            lines.append(("bytes", "\(ByteCount.text(grant.bytes)) of \(ByteCount.text(maximum))"))
        }
        if let maximum = grant.maxFileBytes { lines.append(("file bytes", ByteCount.text(maximum))) }
        for type in grant.contentTypes { lines.append(("content type", type)) }
        for range in grant.from { lines.append(("from", range)) }
        for page in grant.referrers { lines.append(("referrer", page)) }
        if let notBefore = grant.notBefore { lines.append(("not before", notBefore)) }
        lines.append(("expires", grant.expires ?? "never"))
        lines.append(("created", grant.created))
        if let lastUsed = grant.lastUsed { lines.append(("last used", lastUsed)) }
        if let revoked = grant.revoked { lines.append(("revoked", revoked)) }
        return lines
    }
}

extension GlobalOptions {
    /// Opens the authority of an open directory.
    func withAuthority<R>(
        _ node: StorageNode, lostMasterKey: Authority.LostMasterKey = .refuse, _ body: (Authority) throws -> R
    ) throws -> R {
        var options = Authority.Options()
        options.lostMasterKey = lostMasterKey
        let authority = try Authority.open(
            catalog: node.catalog, secrets: node.directory + "/" + Authority.directoryName,
            options: options)
        if let path = authority.newAdminTokenPath {
            Terminal.note("the token of the first administrator is in \(path)")
        }
        let result = try body(authority)
        try authority.close()
        return result
    }
}
