import Access
import Catalog
import Multiformats
import Namespaces
import NodeCore
public import NodeMessages
import TreeValues

/// Which versions of namespaces are kept, and what is in their trash.
extension LocalNode {
    // MARK: Versions

    public func forEachNamespaceVersion(
        _ text: String, _ body: (NamespaceVersionMessage) throws -> Void
    ) throws {
        var before: Int64?
        repeat {
            let page = try namespaceVersions(text, before: before, limit: 1000)
            for version in page.items { try body(version) }
            before = page.next.flatMap { Int64($0) }
        } while before != nil
    }

    /// A page of versions that are kept, newest first.
    public func namespaceVersions(
        _ text: String, before: Int64?, limit: Int
    ) throws -> PageMessage<NamespaceVersionMessage> {
        let page = try trees.keptVersions(
            of: try requireNamespace(text), before: before ?? .max, limit: limit)
        return PageMessage(
            items: page.map { NamespaceVersionMessage($0) },
            next: page.count < limit ? nil : page.last.map { String($0.jid) })
    }

    func versionMessage(_ jid: JID, of namespace: Namespace) throws -> NamespaceVersionMessage {
        NamespaceVersionMessage(try trees.keptVersion(jid, of: namespace))
    }

    public func holdNamespaceVersion(
        _ text: String, _ version: String, _ request: VersionHoldMessage
    ) throws -> NamespaceVersionMessage {
        let found = try requireNamespace(text, for: .write)
        let jid = try trees.pastJID(of: version, in: found)
        try trees.hold(jid, of: found.id, note: request.note ?? "")
        return try versionMessage(jid, of: found)
    }

    public func releaseNamespaceVersion(_ text: String, _ version: String) throws -> Bool {
        let found = try requireNamespace(text, for: .delete)
        return try trees.release(try trees.jid(of: version, in: found), of: found.id)
    }

    // MARK: Trash

    public func forEachTrashItem(
        ofNamespace text: String, _ body: (TrashItemMessage) throws -> Void
    ) throws {
        var before: Int64?
        repeat {
            let page = try trashItems(ofNamespace: text, before: before, limit: 1000)
            for item in page.items { try body(item) }
            before = page.next.flatMap { Int64($0) }
        } while before != nil
    }

    /// A page of what was deleted, newest first.
    public func trashItems(
        ofNamespace text: String, before: Int64?, limit: Int
    ) throws -> PageMessage<TrashItemMessage> {
        let page = try trees.trash(of: try requireNamespace(text), before: before ?? .max, limit: limit)
        return PageMessage(
            items: page.map { TrashItemMessage($0) },
            next: page.count < limit ? nil : page.last.map { String($0.entry.jid) })
    }

    public func restoreFromTrash(
        ofNamespace text: String, _ request: TrashRestoreMessage
    ) throws -> NamespaceRestoredMessage {
        let found = try requireNamespace(text, for: .write)
        let item = try trees.trashItem(request.item, of: found)
        let head = try trees.restoreFromTrash(item, of: found, to: request.to, author: author).head
        return NamespaceRestoredMessage(head: head, changes: 1)
    }

    public func emptyTrash(
        ofNamespace text: String, _ request: TrashEmptyMessage
    ) throws -> TrashEmptiedMessage {
        let found = try requireNamespace(text, for: .delete)
        var done = TrashEmptiedMessage(items: 0, nodes: 0)
        if let item = request.item {
            let item = try trees.trashItem(item, of: found)
            done.nodes = Int64(try trees.empty([item], of: found.id, author: author))
            done.items = 1
            return done
        }
        let latest = trees.currentTime - (request.olderThanSeconds ?? 0).clampedTimes(1000)
        var before = JID.max
        while true {
            let page = try trees.trash(of: found, before: before, limit: 1000)
            let items = page.filter { $0.entry.time <= latest }
            done.nodes += Int64(try trees.empty(items, of: found.id, author: author))
            done.items += Int64(items.count)
            guard page.count == 1000, let last = page.last else { return done }
            before = last.entry.jid
        }
    }

    // MARK: Deleted namespaces

    public func forEachDeletedNamespace(_ body: (NamespaceMessage) throws -> Void) throws {
        for namespace in try deletedNamespaces() { try body(namespace) }
    }

    /// What was deleted and can be had back, at most a thousand.
    public func deletedNamespaces() throws -> [NamespaceMessage] {
        try returnable().filter { principal.mayPerform(.read, on: $0.resource) }
            .map { try message($0) }
    }

    /// Those whose time is over may be on their way out already.
    private func returnable() throws -> [Namespace] {
        let latest = trees.currentTime - Namespace.trashMilliseconds
        return try node.catalog.namespaces.deleted(project: seesAll ? nil : project)
            .filter { $0.deleted.map { $0 > latest } ?? false }
    }

    public func returnNamespace(
        _ text: String, _ request: NamespaceReturnMessage
    ) throws -> NamespaceMessage {
        let found = try returnable().first {
            ($0.name == text || $0.id.text == text.uppercased())
                && principal.mayPerform(.write, on: $0.resource)
        }
        guard let found else {
            throw NamespaceError.unknownDeletedNamespace(String(text.prefix(100)))
        }
        if let name = request.name { try requireNamespaceName(name) }
        let changed = try node.catalog.namespaces.change(found.id) { namespace in
            namespace.deleted = nil
            namespace.name = request.name ?? namespace.name
        }
        guard let changed else { throw NamespaceError.unknownDeletedNamespace(text) }
        return try message(changed)
    }

    func requireNamespaceName(_ name: String) throws {
        guard SyncService.isName(name) else {
            throw NodeFailure(
                .invalid, code: "invalid-name",
                detail:
                    "a namespace is called by letters, digits, `-`, `_` and `.`, up to 63, such as recipes")
        }
    }
}

extension Int64 {
    /// The product, or the largest number there is.
    fileprivate func clampedTimes(_ other: Int64) -> Int64 {
        let (product, isLarge) = multipliedReportingOverflow(by: other)
        return isLarge ? .max : product
    }
}

extension NamespaceVersionMessage {
    init(_ version: NamespaceStore.Version) {
        self.init(
            version: version.jid, root: version.snapshot?.root.description,
            time: TimeText.utc(milliseconds: version.time),
            keptUntil: version.until.map { TimeText.utc(milliseconds: $0) }, held: version.note)
    }
}

extension TrashItemMessage {
    init(_ item: NamespaceStore.TrashItem) {
        let entry = item.entry
        self.init(
            id: entry.node.id.text, version: entry.jid, path: item.path, kind: entry.node.kind.word,
            nodes: item.nodes, bytes: item.bytes, deleted: TimeText.utc(milliseconds: entry.time),
            keptUntil: TimeText.utc(milliseconds: item.until), user: entry.author.user,
            device: entry.author.device.flatMap { $0.isEmpty ? nil : $0 })
    }
}
