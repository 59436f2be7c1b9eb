import Access
import Catalog
import Foundation
import Multiformats
import Namespaces
import NodeCore
public import NodeMessages
import TreeValues

extension LocalNode {
    var trees: NamespaceStore { node.namespaces }

    /// The namespace of a name or an id that may be seen.
    ///
    /// - Throws: `namespace-not-found`, also for one of another project; `operation-not-allowed`.
    func requireNamespace(_ text: String, for operation: Access.Operation = .read) throws -> Namespace {
        guard let found = try? trees.namespace(text), principal.mayPerform(.read, on: found.resource)
        else { throw NamespaceError.unknownNamespace(String(text.prefix(100))) }
        guard principal.mayPerform(operation, on: found.resource) else {
            throw AccessError.operationNotAllowed(operation)
        }
        return found
    }

    /// The namespace of a name or an id that the principal knows of: it may read it, or bring files in.
    ///
    /// - Throws: `namespace-not-found`.
    func requireVisibleNamespace(_ text: String) throws -> Namespace {
        guard let found = try? trees.namespace(text),
            principal.mayPerform(.read, on: found.resource)
                || principal.mayPerform(.write, on: found.resource)
        else { throw NamespaceError.unknownNamespace(String(text.prefix(100))) }
        return found
    }

    var author: ChangeAuthor {
        ChangeAuthor(user: principal.user?.text, device: principal.grant.map { "key:" + $0.text })
    }

    public func addNamespace(_ request: NamespaceDraftMessage) throws -> NamespaceMessage {
        try requireNamespaceName(request.name)
        var policy = NamespacePolicy()
        try policy.take(request.policy)
        let visibility = try visibilityOfNamespace(request.visibility ?? "private")
        if visibility == .public, !mayPublish { throw AccessError.operationNotAllowed(.publish) }
        let made = try trees.create(
            request.name, project: project, visibility: visibility, policy: policy)
        return try message(made)
    }

    private func visibilityOfNamespace(_ text: String) throws -> NamespaceVisibility {
        guard let visibility = NamespaceVisibility(rawValue: text) else {
            throw NodeFailure(.invalid, code: "invalid-value", detail: "visibility is public or private")
        }
        return visibility
    }

    public func forEachNamespace(_ body: (NamespaceMessage) throws -> Void) throws {
        var next: String?
        repeat {
            let page = try namespaces(cursor: next, limit: 1000)
            for namespace in page.items { try body(namespace) }
            next = page.next
        } while next != nil
    }

    /// A page of namespaces, oldest first.
    public func namespaces(cursor: String?, limit: Int) throws -> PageMessage<NamespaceMessage> {
        let page = try node.catalog.namespaces.list(
            project: seesAll ? nil : project, shared: Array(principal.shares.keys),
            after: try cursor.map { try NamespaceID(text: $0) },
            limit: limit)
        let seen = page.filter { principal.mayPerform(.read, on: $0.resource) }
        return PageMessage(
            items: try seen.map { try message($0) }, next: page.count < limit ? nil : page.last?.id.text)
    }

    public func namespace(matching text: String) throws -> NamespaceMessage {
        try message(requireNamespace(text))
    }

    public func changeNamespace(_ text: String, _ change: NamespaceChangeMessage) throws -> NamespaceMessage {
        let found = try requireNamespace(text, for: .admin)
        if let name = change.name { try requireNamespaceName(name) }
        return try message(trees.change(found.id, name: change.name) { try $0.take(change.policy) })
    }

    public func setVisibility(
        _ visibility: String, ofNamespace text: String, _ watch: Watch
    ) throws -> NamespaceMessage {
        let found = try requireNamespace(text, for: .publish)
        return try applyVisibility(visibility, ofNamespace: found.id.text, watch)
    }

    /// Does what was allowed when it was asked for.
    func applyVisibility(
        _ visibility: String, ofNamespace id: String, _ watch: Watch
    ) throws -> NamespaceMessage {
        let changed = try node.setVisibility(
            try visibilityOfNamespace(visibility), of: try trees.namespace(id),
            cancellation: watch.cancellation, progress: { watch.advance($0, 0) })
        return try message(changed)
    }

    public func removeNamespace(_ text: String) throws -> NamespaceMessage {
        let found = try requireNamespace(text, for: .delete)
        // Who edits what is in a namespace does not own the whole.
        guard
            principal.mayPerform(.delete, on: .project(found.project))
                || principal.mayPerform(.admin, on: found.resource)
        else { throw AccessError.operationNotAllowed(.admin) }
        let time = node.catalog.namespaces.currentTime
        guard let removed = try node.catalog.namespaces.change(found.id, { $0.deleted = time }) else {
            throw NamespaceError.unknownNamespace(text)
        }
        return try message(removed)
    }

    public func verifyNamespace(_ text: String, _ watch: Watch) throws -> NamespaceVerificationMessage {
        try applyVerification(ofNamespace: try requireNamespace(text, for: .admin).id.text, watch)
    }

    /// Does what was allowed when it was asked for.
    func applyVerification(
        ofNamespace id: String, _ watch: Watch
    ) throws -> NamespaceVerificationMessage {
        let verification = node.verification(of: try trees.namespace(id))
        var (blocks, bytes) = (0, Int64(0))
        while true {
            try watch.cancellation.check()
            let isDone = try verification.advance()
            let report = verification.report
            watch.advance(report.blocks - blocks, Int(report.bytes - bytes))
            (blocks, bytes) = (report.blocks, report.bytes)
            if isDone { return NamespaceVerificationMessage(report) }
        }
    }

    public func rebuildNamespace(_ text: String) throws -> NamespaceMessage {
        try message(try trees.renewEpoch(of: try requireNamespace(text, for: .admin).id))
    }

    public func namespaceVersion(_ text: String, _ version: String?) throws -> NamespaceVersionMessage {
        let found = try requireNamespace(text)
        let jid = try version.map { try trees.jid(of: $0, in: found) }
        let snapshot = try node.snapshot(of: found, asOf: jid)
        return try versionMessage(snapshot.jid, of: found)
    }

    public func forEachNamespaceEntry(
        _ text: String, path: String?, limit: Int, _ body: (NamespaceEntryMessage) throws -> Void
    ) throws {
        var left = limit
        var before: Int64?
        repeat {
            let page = try namespaceEntries(text, path: path, before: before, limit: min(left, 1000))
            for entry in page.items { try body(entry) }
            left -= page.items.count
            before = page.next.flatMap { Int64($0) }
        } while left > 0 && before != nil
    }

    fileprivate func requireNode(_ path: String, _ namespace: Namespace) throws -> NodeID {
        guard let node = try trees.node(at: path, in: namespace) else {
            throw NamespaceError.pathAbsent(path)
        }
        return node.id
    }

    public func forEachNamespaceDifference(
        _ text: String, _ question: NamespaceDifferenceQuestion,
        _ body: (NamespaceDifferenceMessage) throws -> Void
    ) throws {
        let old = try namespaceVersion(text, question.from)
        let new = try namespaceVersion(text, question.to)
        let comparison = try TreeComparison(
            from: try CID(text: old.root ?? ""), to: try CID(text: new.root ?? ""), in: node.store,
            moves: try trees.moves(from: old.version, to: new.version, in: try requireNamespace(text)),
            isRecursive: question.isRecursive)
        try comparison.forEach { try body(NamespaceDifferenceMessage($0)) }
    }

    public func restoreNamespace(
        _ text: String, _ request: NamespaceRestoreMessage
    ) throws -> NamespaceRestoredMessage {
        let found = try requireNamespace(text, for: .write)
        guard principal.mayPerform(.delete, on: found.resource) else {
            throw AccessError.operationNotAllowed(.delete)
        }
        let (path, jid) = (request.path ?? "", try trees.pastJID(of: request.version, in: found))
        if request.mayEmpty != true { try trees.requireContent(of: jid, path: path, in: found) }
        let done = try trees.restore(
            found.id, path: path, asOf: jid, bringingBackRules: request.rules == true, author: author)
        return NamespaceRestoredMessage(
            head: done.head, changes: Int64(done.entries), kept: done.kept.isEmpty ? nil : done.kept)
    }

    func message(_ namespace: Namespace) throws -> NamespaceMessage {
        var message = NamespaceMessage(
            id: namespace.id.text, name: namespace.name, project: namespace.project.rawValue,
            visibility: namespace.visibility.rawValue, head: namespace.head, nodes: namespace.nodes,
            bytes: namespace.bytes, created: TimeText.utc(milliseconds: namespace.created),
            updated: TimeText.utc(milliseconds: namespace.updated),
            policy: NamespacePolicyMessage(try NamespacePolicy(json: namespace.policy)))
        if let deleted = namespace.deleted {
            message.deleted = TimeText.utc(milliseconds: deleted)
            message.keptUntil = TimeText.utc(milliseconds: deleted + Namespace.trashMilliseconds)
        }
        return message
    }
}

extension NamespaceVerificationMessage {
    init(_ report: NamespaceVerificationReport) {
        self.init(
            nodes: report.nodes, changes: report.changes, snapshots: report.snapshots,
            contents: report.contents, blocks: report.blocks, bytes: report.bytes,
            missing: report.missing, damaged: report.damaged,
            findings: report.findings.map { Finding($0) },
            moreFindings: report.findingCount - report.findings.count)
    }
}

extension NamespaceVerificationMessage.Finding {
    init(_ finding: NamespaceVerificationReport.Finding) {
        self.init(
            kind: finding.kind.rawValue, detail: finding.description, block: finding.block?.description,
            path: finding.path, version: finding.version)
    }
}

extension NamespacePolicyMessage {
    init(_ policy: NamespacePolicy) {
        self.init()
        names = policy.names.rawValue
        `case` = policy.letterCase.rawValue
        merge = policy.merge.rawValue
        keepAllSeconds = policy.history.all
        keepDailySeconds = policy.history.daily
        maximumBytes = policy.maximumBytes ?? 0
        maximumNodes = policy.maximumNodes
    }
}

extension NamespacePolicy {
    /// Takes over what is said.
    ///
    /// - Throws: `policyInvalid`.
    mutating func take(_ message: NamespacePolicyMessage?) throws {
        guard let message else { return }
        if let text = message.names {
            guard let style = NameStyle(rawValue: text) else {
                throw NamespaceError.policyInvalid("names are files or objects")
            }
            names = style
        }
        if let text = message.case {
            guard let letterCase = LetterCase(rawValue: text) else {
                throw NamespaceError.policyInvalid("case is sensitive or insensitive")
            }
            self.letterCase = letterCase
        }
        if let text = message.merge {
            guard let merge = MergeStyle(rawValue: text) else {
                throw NamespaceError.policyInvalid("merge is none or lines")
            }
            self.merge = merge
        }
        history.all = message.keepAllSeconds ?? history.all
        history.daily = message.keepDailySeconds ?? history.daily
        if let bytes = message.maximumBytes { maximumBytes = bytes == 0 ? nil : bytes }
        maximumNodes = message.maximumNodes ?? maximumNodes
        // Read again: what does not hold together is refused.
        self = try NamespacePolicy(json: json)
    }
}

extension NamespaceEntryMessage {
    init(_ entry: JournalEntry, path: String?, deviceName: String?) {
        let operation =
            switch entry.operation {
            case .create: "create"
            case .content: "content"
            case .move: "move"
            case .delete: "delete"
            case .restore: "restore"
            case .metadata: "metadata"
            }
        self.init(
            version: entry.jid, operation: operation, node: entry.node.id.text,
            kind: entry.node.kind.word, name: entry.node.name, path: path, size: entry.node.size,
            content: entry.node.content?.description, below: entry.below,
            device: entry.author.device.flatMap { $0.isEmpty ? nil : $0 },
            deviceName: deviceName, user: entry.author.user,
            time: TimeText.utc(milliseconds: entry.time))
    }
}

// MARK: Pages, for the API

extension LocalNode {
    /// A page of changes, newest first.
    public func namespaceEntries(
        _ text: String, path: String?, before: Int64?, limit: Int
    ) throws -> PageMessage<NamespaceEntryMessage> {
        let found = try requireNamespace(text)
        let before = before ?? JID.max
        let page =
            try path.map {
                try trees.versions(of: try requireNode($0, found), in: found, before: before, limit: limit)
            } ?? trees.journal(of: found, before: before, limit: limit)
        let names = try deviceNames(of: page, in: found)
        return PageMessage(
            items: try page.map {
                NamespaceEntryMessage(
                    $0, path: try trees.path(of: $0.node.id, in: found),
                    deviceName: $0.author.device.flatMap { names[$0] })
            }, next: page.count < limit ? nil : page.last.map { String($0.jid) })
    }

    /// What the machines that made changes are called.
    private func deviceNames(of entries: [JournalEntry], in namespace: Namespace) throws -> [String: String] {
        var names: [String: String] = [:]
        for id in Set(entries.compactMap(\.author.device)) where !id.isEmpty {
            names[id] = try node.catalog.devices.device(id, in: namespace.project)?.name
        }
        return names
    }

    /// A page of differences, by path.
    public func namespaceDifferences(
        _ text: String, _ question: NamespaceDifferenceQuestion, skipping: Int, limit: Int
    ) throws -> PageMessage<NamespaceDifferenceMessage> {
        struct Enough: Error {}
        var (seen, items) = (0, [NamespaceDifferenceMessage]())
        do {
            try forEachNamespaceDifference(text, question) { difference in
                seen += 1
                guard seen > skipping else { return }
                guard items.count < limit else { throw Enough() }
                items.append(difference)
            }
        } catch is Enough {
            return PageMessage(items: items, next: String(skipping + limit))
        }
        return PageMessage(items: items, next: nil)
    }
}

extension NamespaceDifferenceMessage {
    fileprivate init(_ difference: TreeDifference) {
        self.init(
            path: difference.path, change: difference.kind.rawValue, kind: difference.entry.rawValue,
            from: difference.origin, old: difference.old?.description, new: difference.new?.description,
            below: difference.below.map(Int64.init))
    }
}
