import Catalog
import HTTPSupport
import HTTPTypes
import IPNS
import Multiformats
import Namespaces
import NodeCore
import TreeValues

/// The answer to `/n/NAME/…` and `/n/NAME@VERSION/…`: a namespace as the directory that it is, newest or as
/// of a JID, a time, or the root of a snapshot.
struct NamespaceAnswer {
    let gateway: Gateway
    let request: DoorRequest
    let path: GatewayPath

    init(_ gateway: Gateway, _ request: DoorRequest, _ path: GatewayPath) {
        self.gateway = gateway
        self.request = request
        self.path = path
    }

    func response() throws -> DoorResponse {
        let (name, version) = Self.parts(of: path.rootText)
        let namespaces = gateway.node.namespaces
        // One that may not be read is not there: nobody learns its name.
        guard let namespace = try? namespaces.namespace(name), mayRead(namespace) else {
            if version == nil, let key = try publishedName(name) { return redirect(to: key) }
            throw GatewayFailure.namespaceNotFound(
                name, reason: "there is no namespace of this name to be seen")
        }
        let jid: JID?
        do {
            jid = try version.map { try namespaces.jid(of: $0, in: namespace) }
        } catch let error as NamespaceError {
            throw GatewayFailure.namespaceNotFound(path.rootText, reason: error.description)
        }
        if path.origin.isShared, request.target.isSet("versions") {
            return try ChangesPage(self, namespace, asOf: jid).response()
        }
        let snapshot: TreeSnapshot
        do {
            snapshot = try gateway.node.snapshot(of: namespace, asOf: jid, for: .reader)
        } catch let error as NamespaceError {
            if case .snapshotBusy = error { throw error }
            throw GatewayFailure.namespaceNotFound(path.rootText, reason: error.description)
        }
        var place = ContentPlace(
            root: snapshot.root, segments: path.segments, hidden: 0,
            // A number means the same for good, unless the name comes to mean another namespace.
            remainingTTL: version.flatMap(JID.init) == nil ? .zero : .seconds(3600))
        place.modified = try modified(namespace, jid ?? snapshot.jid)
        let (trees, shown) = (gateway.node.namespaces, jid ?? snapshot.jid)
        place.versions = {
            let others = try trees.keptVersions(of: namespace, limit: NamespaceVersions.limit)
            return NamespaceVersions(
                name: name, head: max(others.first?.jid ?? 0, shown), shown: shown, others: others,
                time: { HTTPDate(seconds: $0 / 1000).description })
        }
        return try ContentAnswer(gateway, request, path, at: place).response()
    }

    /// When the file at the path was last changed, by the clock of this node.
    ///
    /// What a client says of a file's time may go backwards, and a cache would then keep what is old.
    private func modified(_ namespace: Namespace, _ jid: JID) throws -> HTTPDate? {
        var names = path.segments.map { String(decoding: $0, as: UTF8.self) }
        // A list of what is in a directory has no time; the page in its place has.
        if path.hasTrailingSlash || names.isEmpty { names.append("index.html") }
        guard
            let changed = try gateway.node.namespaces.changed(
                at: names, in: namespace, asOf: jid)
        else { return nil }
        return HTTPDate(seconds: changed / 1000)
    }

    /// A name of this node that has a record, by its label, or any by its key: `nacre name` points it to content
    /// or to the head of a namespace.
    private func publishedName(_ text: String) throws -> PeerID? {
        if case .key(let key)? = try? ContentPath.ipnsRoot(text) { return key }
        guard let entry = try? gateway.node.name(text), try gateway.node.validRecord(of: entry.id) != nil
        else {
            return nil
        }
        return entry.id
    }

    /// One address for all caches, which is of another origin where sites have their own.
    private func redirect(to key: PeerID) -> DoorResponse {
        let rest = request.target.encodedSegments.dropFirst(2).map { "/" + $0 }.joined()
        let query = request.target.query.map { "?" + $0 } ?? ""
        return DoorResponse(.found, fields: [.location: "/ipns/\(key.ipnsName)\(rest)\(query)"])
    }

    private func mayRead(_ namespace: Namespace) -> Bool {
        if namespace.visibility == .public || gateway.options.serve == .all { return true }
        switch gateway.reader {
        case nil: return false
        case .administrator: return true
        case .project(_, let project): return project == namespace.project
        case .namespace(_, let id): return id == namespace.id
        }
    }

    /// `recipes@12` is `recipes` and `12`.
    static func parts(of text: String) -> (name: String, version: String?) {
        guard let mark = text.firstIndex(of: "@") else { return (text, nil) }
        return (String(text[..<mark]), String(text[text.index(after: mark)...]))
    }

    /// What a namespace is called as a part of a host: one without version, in small letters.
    static func label(of text: String) -> String? {
        let fits =
            (1...63).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) || $0 == UInt8(ascii: "-")
            }
        return fits && text.first != "-" && text.last != "-" ? text : nil
    }
}
