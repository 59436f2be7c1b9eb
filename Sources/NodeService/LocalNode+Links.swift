import Access
import Catalog
import Namespaces
import NodeCore
public import NodeMessages
import TreeValues

/// Links: what is in a namespace for who holds a URL.
extension LocalNode {
    private func linkOffice() throws -> LinkOffice {
        guard let authority else {
            throw NodeFailure(.unsupported, code: "no-authority", detail: "links cannot be looked at here")
        }
        return authority.links
    }

    /// Makes a link to a file or directory, or to all of a namespace.
    public func makeLink(_ request: LinkRequest, inNamespace text: String) throws -> LinkMessage {
        let office = try linkOffice()
        let found = try requireNamespace(text)
        guard let role = LinkDraft.Role(rawValue: request.role ?? "viewer") else {
            throw Self.invalid("a link is for viewer or writer_only")
        }
        let node = try linked(request, found)
        if role == .writerOnly, let node, node.kind != .directory {
            throw Self.invalid("files are brought into a directory, and \(node.name) is none")
        }
        if node?.kind == .symlink { throw Self.invalid("a symlink leads nowhere here: share what it names") }
        if let expires = request.expires, expires <= TimeText.now() {
            throw Self.invalid("the expiry \(TimeText.utc(milliseconds: expires)) is in the past")
        }
        var name = "link " + found.name + ":/"
        if let node { name += try node.kind == .directory ? "\(path(node, found))/" : path(node, found) }
        var draft = LinkDraft(
            role, to: node?.id ?? found.root, of: found,
            name: String(decoding: name.utf8.prefix(GrantRecord.maximumNameBytes), as: UTF8.self)
                .filter { $0 != "\u{FFFD}" })
        draft.limits = try limits(request)
        draft.password = request.password
        let issued = try office.create(draft, by: principal)
        var message = try message(try office.link(issued.link.grant.id, by: principal), found)
        let file = node.map { $0.kind == .directory ? "" : Self.encoded($0.name) } ?? ""
        let location = "/c/\(issued.token.text)/\(file)"
        message.location = location
        let announced = self.node.configuration.words(.announce)
        message.url = AnnouncedAddress.firstURL(of: announced).map { $0 + location }
        return message
    }

    /// Gives the links of a namespace to `body`, oldest first.
    public func forEachLink(inNamespace text: String, _ body: (LinkMessage) throws -> Void) throws {
        var next: String?
        repeat {
            let page = try links(inNamespace: text, cursor: next, limit: 1000)
            for link in page.items { try body(link) }
            next = page.next
        } while next != nil
    }

    /// A page of the links of a namespace, oldest first.
    public func links(inNamespace text: String, cursor: String?, limit: Int) throws
        -> PageMessage<LinkMessage>
    {
        let found = try requireNamespace(text)
        let page = try linkOffice().list(
            of: found, after: try cursor.map { try GrantID(text: $0) }, limit: limit, by: principal)
        return PageMessage(items: try page.links.map { try message($0, found) }, next: page.next?.text)
    }

    /// Ends a link.
    ///
    /// - Parameter namespace: whose it must be; `nil` for any.
    public func removeLink(_ id: String, ofNamespace namespace: String? = nil) throws -> LinkMessage {
        let office = try linkOffice()
        guard let id = try? GrantID(text: id) else { throw AccessError.linkAbsent }
        let report = try office.link(id, by: principal)
        guard let found = try node.catalog.namespaces.namespace(report.link.namespace),
            try namespace.map({ try requireNamespace($0).id == found.id }) ?? true
        else { throw AccessError.linkAbsent }
        return try message(try office.revoke(id, by: principal), found)
    }

    public func removeLink(_ id: String) throws -> LinkMessage { try removeLink(id, ofNamespace: nil) }

    /// What a link is to lead to; `nil` for the root.
    private func linked(_ request: LinkRequest, _ namespace: Namespace) throws -> TreeNode? {
        guard let text = request.node else {
            return try node.namespaces.node(at: request.path ?? "", in: namespace)
        }
        guard request.path == nil else { throw Self.invalid("give a path or a node, not both") }
        guard let id = try? NodeID(text: text) else { throw Self.invalid("this is no id of a node") }
        if id == namespace.root { return nil }
        guard let found = try node.namespaces.node(id, in: namespace), !found.isDeleted,
            try node.namespaces.path(of: id, in: namespace) != nil
        else { throw NamespaceError.unknownNode(id) }
        return found
    }

    private func path(_ found: TreeNode, _ namespace: Namespace) throws -> String {
        try node.namespaces.path(of: found.id, in: namespace) ?? found.name
    }

    private func limits(_ request: LinkRequest) throws -> GrantLimits {
        var limits = GrantLimits()
        limits.maximumUses = request.maxUses
        limits.maximumFileBytes = request.maxFileBytes
        limits.maximumBytes = request.maxBytes
        limits.expires = request.expires
        limits.contentTypes = try (request.contentTypes ?? []).map { try ContentTypePattern(text: $0) }
        limits.sources = try (request.from ?? []).map { try AddressRange(text: $0) }
        limits.referrers = try (request.referrers ?? []).map { try ReferrerPattern(text: $0) }
        return limits
    }

    private func message(_ report: LinkReport, _ namespace: Namespace) throws -> LinkMessage {
        let (link, grant) = (report.link, GrantMessage(report.report))
        let path =
            link.node == namespace.root ? "" : try node.namespaces.path(of: link.node, in: namespace)
        let status = path == nil && grant.status == "active" ? "deleted" : grant.status
        var message = LinkMessage(
            id: grant.id, namespace: namespace.name, node: link.node.text, role: link.role.rawValue,
            status: namespace.deleted == nil ? status : "deleted", password: link.asksForPassword,
            contentTypes: grant.contentTypes, from: grant.from, referrers: grant.referrers,
            created: grant.created, requests: report.report.activity?.requests ?? 0, uses: grant.uses,
            bytes: grant.bytes)
        message.path = path
        message.maxUses = grant.maxUses
        message.maxFileBytes = grant.maxFileBytes
        message.maxBytes = grant.maxBytes
        message.expires = grant.expires
        message.lastUsed = grant.lastUsed
        return message
    }

    private static func invalid(_ detail: String) -> NodeFailure {
        NodeFailure(.invalid, code: "invalid-value", detail: detail)
    }

    /// A name as a segment of a path. Spec: RFC 3986 section 2.1.
    private static func encoded(_ name: String) -> String {
        let plain = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~".utf8)
        return name.utf8.map { byte in
            if plain.contains(byte) { return String(UnicodeScalar(byte)) }
            let digits = String(byte, radix: 16, uppercase: true)
            return digits.count == 1 ? "%0" + digits : "%" + digits
        }.joined()
    }
}
