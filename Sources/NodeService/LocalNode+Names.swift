import Catalog
import Foundation
import IPNS
import Multiformats
import NodeCore
public import NodeMessages

extension LocalNode {
    public func makeName(_ request: NameRequest) throws -> NameMessage {
        guard let text = request.key else {
            return NameMessage(try node.createName(request.label, owner: project))
        }
        guard let data = Data(base64Encoded: text), data.count <= PrivateKey.maximumBytes else {
            throw NodeFailure(
                .invalid, code: "invalid-value",
                detail:
                    "key is a private key of libp2p in base64, of at most \(PrivateKey.maximumBytes) bytes")
        }
        let key = try PrivateKey(protobuf: Array(data))
        return NameMessage(try node.importName(key, label: request.label, owner: project))
    }

    public func forEachName(_ body: (NameMessage) throws -> Void) throws {
        var last: NameEntry?
        repeat {
            let page = try node.catalog.names.list(owner: project, after: last)
            for message in try messages(page) { try body(message) }
            last = page.last
        } while last != nil
    }

    /// A page of names, by label.
    ///
    /// - Parameter cursor: the key of the last name of the page before.
    public func names(cursor: String?, limit: Int) throws -> PageMessage<NameMessage> {
        let after = try cursor.map { try node.name($0, owner: project) }
        let page = try node.catalog.names.list(owner: project, after: after, limit: limit)
        let isWhole = page.count < min(max(limit, 1), NameRepository.maximumPage)
        return PageMessage(
            items: try messages(page), next: isWhole ? nil : page.last?.id.ipnsName)
    }

    public func name(_ text: String, history: Int) throws -> NameMessage {
        let entry = try node.name(text, owner: project)
        var message = try message(entry)
        if history > 0 {
            message.history = try node.catalog.names.versions(of: entry.id, limit: history).map {
                NameMessage.Version(
                    number: $0.number, target: $0.target, sequence: $0.sequence,
                    published: TimeText.utc(milliseconds: $0.published))
            }
        }
        return message
    }

    public func removeName(_ text: String) throws -> NameMessage {
        let entry = try node.name(text, owner: project)
        let removed = try message(entry)
        try node.removeName(entry)
        return removed
    }

    public func publishName(_ text: String, _ request: PublishRequest) throws -> NameMessage {
        var options = PublishOptions()
        options.lifetime = try Self.duration(request.lifetimeSeconds)
        options.ttl = try Self.duration(request.ttlSeconds)
        options.expectedSequence = request.expectedSequence
        options.fields = request.onlyV2 == true ? .onlyV2 : .bothVersions
        let entry = try node.name(text, owner: project)
        guard let target = try NamespaceTarget(request.target) else {
            let path = try ContentPath(text: request.target)
            return try message(try node.publish(path, as: entry, options: options))
        }
        guard target.version == nil else {
            let root = try namespaceVersion(target.name, target.version).root ?? ""
            let path = try ContentPath(
                root: .ipfs(try CID(text: root)), segments: target.path.map { Array($0.utf8) })
            return try message(try node.publish(path, as: entry, options: options))
        }
        let namespace = try requireNamespace(target.name)
        return try message(
            try node.publish(following: namespace, path: target.path, as: entry, options: options))
    }

    public func unfollowName(_ text: String) throws -> NameMessage {
        let entry = try node.name(text, owner: project)
        try node.endFollowing(entry)
        return try message(entry)
    }

    private func messages(_ entries: [NameEntry]) throws -> [NameMessage] {
        let follows = try node.catalog.nameFollows.follows(of: entries.map(\.id))
        return try entries.map { entry in
            var message = NameMessage(entry)
            message.follows = try follows[entry.id].map { try self.message($0) }
            return message
        }
    }

    private func message(_ entry: NameEntry) throws -> NameMessage {
        var message = NameMessage(entry)
        message.follows = try node.catalog.nameFollows.follow(of: entry.id).map { try self.message($0) }
        return message
    }

    private func message(_ follow: NameFollow) throws -> NameMessage.Follow {
        let namespace = try node.catalog.namespaces.namespace(follow.namespace)
        let state =
            if namespace == nil || namespace?.deleted != nil {
                "stopped"
            } else if namespace?.head == follow.version {
                "current"
            } else {
                follow.failure == nil ? "waiting" : "failed"
            }
        return NameMessage.Follow(
            namespace: namespace?.name ?? follow.namespace.text, id: follow.namespace.text,
            path: follow.path, since: TimeText.utc(milliseconds: follow.since), version: follow.version,
            head: namespace?.head, state: state, failure: state == "failed" ? follow.failure : nil)
    }

    private static func duration(_ seconds: Double?) throws -> Duration? {
        guard let seconds else { return nil }
        guard seconds >= 0, seconds < 1e11 else {
            throw NodeFailure(.invalid, code: "invalid-value", detail: "a time in seconds is 0 to 1e11")
        }
        return .seconds(seconds)
    }

    public func resolveName(_ text: String) throws -> ResolutionMessage {
        let resolution = try node.resolve(try namePath(text))
        return ResolutionMessage(
            cid: resolution.root.description, path: resolution.path.description,
            remainingTTLSeconds: resolution.remainingTTL?.components.seconds,
            steps: resolution.steps.map(\.description))
    }

    /// What a person means by a name to resolve: a label first, then what stands behind `/ipns/`.
    private func namePath(_ text: String) throws -> ContentPath {
        if text.hasPrefix("/") { return try ContentPath(text: text) }
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let root = String(parts.first ?? "")
        let rest = parts.count > 1 ? "/" + parts[1] : ""
        if let entry = try node.catalog.names.name(labelled: root, owner: project) {
            return try ContentPath(text: "/ipns/" + entry.id.ipnsName + rest)
        }
        do {
            return try ContentPath(text: "/ipns/" + text)
        } catch {
            throw NameError.notFound(root)
        }
    }

    public func record(ofName text: String) throws -> [UInt8] {
        let id = try (try? node.name(text, owner: project))?.id ?? PeerID(text: text)
        guard let record = try node.newestRecord(of: id) else { throw NameError.noRecord(id) }
        return record.bytes
    }

    public func putRecord(_ bytes: [UInt8], forName key: String) throws -> RecordMessage {
        let id = try PeerID(text: key)
        let record = try node.putRecord(bytes, for: id)
        return RecordMessage(
            name: id.ipnsName, target: PathText.printable(record.value), sequence: record.sequence,
            validUntil: record.validUntil.description)
    }

    public func exportName(_ text: String) throws -> [UInt8] {
        try node.privateKey(of: node.name(text, owner: project)).protobuf
    }
}

/// A namespace as the target of a name: `/n/NAMESPACE/…` or `/n/NAMESPACE@VERSION/…`.
private struct NamespaceTarget {
    let name: String
    let version: String?
    let path: [String]

    /// - Returns: `nil` for a target of another kind.
    init?(_ text: String) throws {
        guard text == "/n" || text.hasPrefix("/n/") else { return nil }
        let parts = text.dropFirst(3).split(separator: "/").map(String.init)
        let first = parts.first ?? ""
        let name = first.prefix { $0 != "@" }
        guard !name.isEmpty else {
            throw NodeFailure(
                .invalid, code: "invalid-value",
                detail: "/n/ is followed by a namespace, such as /n/recipes or /n/recipes/published")
        }
        self.name = String(name)
        version = first.count > name.count ? String(first.dropFirst(name.count + 1)) : nil
        path = Array(parts.dropFirst())
    }
}

extension NameMessage {
    init(_ entry: NameEntry) {
        self.init(
            name: entry.id.ipnsName, peerID: entry.id.description, label: entry.label,
            owner: entry.owner.rawValue, created: TimeText.utc(milliseconds: entry.created),
            lifetimeSeconds: entry.lifetimeSeconds, ttlNanoseconds: entry.ttlNanoseconds)
        target = entry.publication?.target
        sequence = entry.publication?.sequence
        validUntil = entry.publication.map { TimeText.utc(milliseconds: $0.validUntil) }
    }
}
