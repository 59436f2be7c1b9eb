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
        let namespace: Namespace
        switch try path.origin.isShared
            ? NamespaceSite(name: name, gateway.node, where: gateway.mayRead)
            : NamespaceSite(label: name, gateway.node, where: gateway.mayRead)
        {
        case .namespace(let found): namespace = found
        case .name(let key) where version == nil: return try redirect(to: key)
        case .several(let names):
            throw GatewayFailure.namespaceNotFound(
                name,
                reason: "a host has no case, and several are called so but for that: "
                    + names.map { "/n/\($0)/" }.joined(separator: ", "))
        case .name, .none:
            throw GatewayFailure.namespaceNotFound(
                name, reason: "there is no namespace of this name to be seen")
        }
        let namespaces = gateway.node.namespaces
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
        // One row; a list has no other time, since what is below it changes it too.
        place.made = try trees.time(ofFirstAfter: shown - 1, in: namespace).map {
            HTTPDate(seconds: $0 / 1000)
        }
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

    /// One address for all caches, which is of another origin where sites have their own.
    private func redirect(to key: PeerID) throws -> DoorResponse {
        let query = request.target.query.map { "?" + $0 } ?? ""
        // On a host of its own a path is content: what the name has is on the host of its key.
        if case .own(let host?) = path.origin {
            let site = try HostRouter.label(of: key.cid, .ipns) + ".ipns." + host
            return DoorResponse(
                .found, fields: [.location: "\(request.scheme)://\(site)\(request.target.path)\(query)"])
        }
        let rest = request.target.encodedSegments.dropFirst(2).map { "/" + $0 }.joined()
        return DoorResponse(.found, fields: [.location: "/ipns/\(key.ipnsName)\(rest)\(query)"])
    }

    /// `recipes@12` is `recipes` and `12`.
    static func parts(of text: String) -> (name: String, version: String?) {
        guard let mark = text.firstIndex(of: "@") else { return (text, nil) }
        return (String(text[..<mark]), String(text[text.index(after: mark)...]))
    }

    /// What a namespace is called as a part of a host, in small letters; `nil` for what can be none, and for one
    /// with a version.
    static func label(of text: String) -> String? {
        let text = text.lowercased()
        let fits =
            (1...63).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) || $0 == UInt8(ascii: "-")
            }
        return fits && text.first != "-" && text.last != "-" ? text : nil
    }
}
