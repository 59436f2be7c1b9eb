import Access
import Catalog
import Foundation
import NodeCore

/// How keys are printed.
enum KeyOutput {
    static func write(line report: GrantReport, json: Bool, to out: inout StandardOutput) throws {
        if json {
            try out.write(bytes: JSONLine.encode(KeyJSON(report, token: nil)))
            try out.write("\n")
            return
        }
        let grant = report.grant
        let operations = grant.operations.operations.map(\.rawValue).joined(separator: ",")
        let expires = grant.limits.expires.map { TimeText.utc(milliseconds: $0) } ?? "never"
        try out.write(
            line: "\(grant.id) \(report.status.rawValue) \(operations) \(grant.scope) \(expires) "
                + PathText.printable(grant.name.utf8))
    }

    static func write(_ report: GrantReport, to out: inout StandardOutput) throws {
        for (label, value) in lines(report) { try out.write(line: Columns.padded(label, 14) + value) }
    }

    private static func lines(_ report: GrantReport) -> [(String, String)] {
        let (grant, limits) = (report.grant, report.grant.limits)
        func time(_ milliseconds: Int64) -> String { TimeText.utc(milliseconds: milliseconds) }
        var lines = [
            ("id", grant.id.text), ("name", PathText.printable(grant.name.utf8)),
            ("status", report.status.rawValue),
            ("allows", grant.operations.operations.map(\.rawValue).joined(separator: ",")),
            ("scope", grant.scope.description), ("project", grant.project.rawValue),
        ]
        if let parent = grant.parent { lines.append(("parent", parent.text)) }
        if let maximum = limits.maximumUses { lines.append(("uses", "\(report.usage.uses) of \(maximum)")) }
        if let maximum = limits.maximumBytes {
            lines.append(("bytes", "\(ByteCount.text(report.usage.bytes)) of \(ByteCount.text(maximum))"))
        }
        if let maximum = limits.maximumFileBytes { lines.append(("file bytes", ByteCount.text(maximum))) }
        for type in limits.contentTypes { lines.append(("content type", type.description)) }
        for range in limits.sources { lines.append(("from", range.description)) }
        for page in limits.referrers { lines.append(("referrer", page.description)) }
        if let notBefore = limits.notBefore { lines.append(("not before", time(notBefore))) }
        lines.append(("expires", limits.expires.map(time) ?? "never"))
        lines.append(("created", time(grant.created)))
        if let activity = report.activity { lines.append(("last used", time(activity.lastUsed))) }
        if let revoked = grant.revoked { lines.append(("revoked", time(revoked))) }
        return lines
    }
}

/// A key in JSON. The token is there only when the key was just made.
struct KeyJSON: Encodable {
    let id: String
    let token: String?
    let name: String
    let status: String
    let operations: [String]
    let scope: String
    let project: String
    let parent: String?
    let maxUses: Int64?
    let maxFileBytes: Int64?
    let maxBytes: Int64?
    let contentTypes: [String]
    let from: [String]
    let referrers: [String]
    let notBefore: String?
    let expires: String?
    let created: String
    let revoked: String?
    let lastUsed: String?
    let uses: Int64
    let bytes: Int64

    init(_ report: GrantReport, token: String?) {
        let (grant, limits) = (report.grant, report.grant.limits)
        func time(_ milliseconds: Int64?) -> String? { milliseconds.map { TimeText.utc(milliseconds: $0) } }
        id = grant.id.text
        self.token = token
        name = grant.name
        status = report.status.rawValue
        operations = grant.operations.operations.map(\.rawValue)
        scope = grant.scope.description
        project = grant.project.rawValue
        parent = grant.parent?.text
        maxUses = limits.maximumUses
        maxFileBytes = limits.maximumFileBytes
        maxBytes = limits.maximumBytes
        contentTypes = limits.contentTypes.map(\.description)
        from = limits.sources.map(\.description)
        referrers = limits.referrers.map(\.description)
        notBefore = time(limits.notBefore)
        expires = time(limits.expires)
        created = TimeText.utc(milliseconds: grant.created)
        revoked = time(grant.revoked)
        lastUsed = time(report.activity?.lastUsed)
        uses = report.usage.uses
        bytes = report.usage.bytes
    }
}

extension GlobalOptions {
    /// Opens the data directory with its authority, runs `body`, and closes both whatever happens.
    func withAuthority<R>(
        lostMasterKey: Authority.LostMasterKey = .refuse, _ body: (Authority) throws -> R
    ) throws -> R {
        try withNode { node in
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
}

extension TimeText {
    /// Unix milliseconds.
    static func now() -> Int64 { Int64(Date().timeIntervalSince1970 * 1000) }

    /// Reads RFC 3339 with a zone.
    static func milliseconds(utc text: String) -> Int64? {
        guard let date = try? Date(text, strategy: .iso8601) else { return nil }
        return Int64(exactly: (date.timeIntervalSince1970 * 1000).rounded())
    }
}
