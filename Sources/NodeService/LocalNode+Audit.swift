import Access
import Catalog
public import NodeMessages

extension LocalNode {
    public func forEachAuditEntry(_ query: AuditQuery, _ body: (AuditMessage) throws -> Void) throws {
        var next: String?
        repeat {
            let page = try audit(query, cursor: next, limit: 1000)
            for entry in page.items { try body(entry) }
            next = page.next
        } while next != nil
    }

    /// A page of the audit log, newest first: of the whole node for its administrator, else of one's project.
    public func audit(_ query: AuditQuery, cursor: String?, limit: Int) throws -> PageMessage<AuditMessage> {
        guard let authority else {
            throw NodeFailure(
                .unsupported, code: "no-authority", detail: "the audit log cannot be looked at here")
        }
        var filter = try AuditFilter(query)
        filter.project = visibleOwner
        let entries = try authority.audit.list(
            filter, before: try cursor.map { try AuditID(text: $0) }, limit: limit)
        return PageMessage(
            items: entries.map { AuditMessage($0) },
            next: entries.count < limit ? nil : entries.last?.id.text)
    }
}

extension AuditFilter {
    /// - Throws: `invalid-value` for what nothing could fit.
    fileprivate init(_ query: AuditQuery) throws {
        self.init()
        func invalid(_ detail: String) -> NodeFailure {
            NodeFailure(.invalid, code: "invalid-value", detail: detail)
        }
        func time(_ text: String?, _ name: String) throws -> Int64? {
            try text.map { text in
                guard let time = TimeText.milliseconds(utc: text) else {
                    throw invalid("\(name) is a time such as 2030-01-31T12:00:00Z")
                }
                return time
            }
        }
        since = try time(query.since, "since")
        until = try time(query.until, "until")
        operation = query.operation
        switch query.outcome {
        case nil: break
        case "allowed": isAllowed = true
        case "refused": isAllowed = false
        default: throw invalid("outcome is allowed or refused")
        }
        guard let principal = query.principal else { return }
        if let source = Principal.Source(rawValue: principal) {
            self.source = source.rawValue
        } else if let id = try? GrantID(text: principal) {
            // Ids of users and of grants are alike: entries name one or the other.
            who = id.text
        } else {
            throw invalid(
                "principal is the id of a key or of a user, or "
                    + Principal.Source.allSources.map(\.rawValue).joined(separator: ", "))
        }
    }
}

extension Principal.Source {
    fileprivate static let allSources: [Self] = [
        .anonymous, .localAdministrator, .grant, .signedURL, .session,
    ]
}

extension AuditMessage {
    init(_ entry: AuditEntry) {
        let event = entry.event
        self.init(
            id: entry.id.text, time: TimeText.utc(milliseconds: entry.time), count: entry.count,
            outcome: event.isAllowed ? "allowed" : "refused", operation: event.operation,
            resource: event.resource, source: event.source)
        code = event.code.isEmpty ? nil : event.code
        project = event.project?.rawValue
        user = event.user?.text
        grant = event.grant?.text
        address = event.address.isEmpty ? nil : event.address
    }
}
