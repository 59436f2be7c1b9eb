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
            for entry in page { try body(NameMessage(entry)) }
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
            items: page.map { NameMessage($0) }, next: isWhole ? nil : page.last?.id.ipnsName)
    }

    public func name(_ text: String, history: Int) throws -> NameMessage {
        let entry = try node.name(text, owner: project)
        var message = NameMessage(entry)
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
        try node.removeName(entry)
        return NameMessage(entry)
    }

    public func publishName(_ text: String, _ request: PublishRequest) throws -> NameMessage {
        var options = PublishOptions()
        options.lifetime = try Self.duration(request.lifetimeSeconds)
        options.ttl = try Self.duration(request.ttlSeconds)
        options.expectedSequence = request.expectedSequence
        options.fields = request.onlyV2 == true ? .onlyV2 : .bothVersions
        let path = try ContentPath(text: request.target)
        return NameMessage(
            try node.publish(path, as: try node.name(text, owner: project), options: options))
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
