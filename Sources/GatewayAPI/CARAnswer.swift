import BlockStorage
import CAR
import HTTPSupport
import HTTPTypes
import IPLD
import Multiformats
import NodeCore
import UnixFS

/// What of a DAG is wanted as a CAR.
///
/// Spec: trustless gateway, "CAR responses"; IPIP-402, IPIP-412, IPIP-523.
struct CARRequest: Hashable {
    enum Scope: String { case block, entity, all }

    /// Parameters of the media type; `car-NAME` in a query.
    static let negotiable = ["version", "order", "dups"]

    var scope = Scope.all
    var entityBytes: EntityBytes?
    var repeatsBlocks = false

    /// `FROM:TO`, both included, negative from the end, `*` the end.
    struct EntityBytes: Hashable {
        let from: Int64
        let to: Int64?
    }

    /// - Throws: `badRequest` for values that are not specified, `notAcceptable` for a version that is not
    ///   written.
    init(_ request: DoorRequest, accepted: [String: String]) throws(GatewayFailure) {
        let target = request.target
        if let text = target.value(of: "dag-scope") {
            guard let scope = Scope(rawValue: text) else {
                throw .badRequest("dag-scope=\(text) is not known; use block, entity or all")
            }
            self.scope = scope
        }
        if let text = target.value(of: "entity-bytes") {
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 2, let from = Int64(parts[0]),
                let to = parts[1] == "*" ? .some(nil) : Int64(parts[1]).map(Optional.some)
            else { throw .badRequest("entity-bytes=\(text) is not FROM:TO, such as 0:1023 or -1024:*") }
            entityBytes = EntityBytes(from: from, to: to)
            scope = .entity
        }
        let version = target.value(of: "car-version") ?? accepted["version"] ?? "1"
        guard version == "1" else {
            throw .badRequest("CARs of version \(version) are not served; use version 1")
        }
        let order = target.value(of: "car-order") ?? accepted["order"] ?? "unk"
        guard order == "dfs" || order == "unk" else {
            throw .notAcceptable("the order of a CAR is dfs here, not \(order)")
        }
        let repeats = target.value(of: "car-dups") ?? accepted["dups"] ?? "n"
        guard repeats == "y" || repeats == "n" else { throw .badRequest("car-dups is y or n") }
        repeatsBlocks = repeats == "y"
    }

    /// The same for the same bytes.
    func tag(of cid: CID, path: GatewayPath) -> EntityTag {
        var words = [cid.description, "car", scope.rawValue, repeatsBlocks ? "dups" : "once"]
        if let entityBytes { words.append("\(entityBytes.from)-\(entityBytes.to.map(String.init) ?? "end")") }
        if !path.segments.isEmpty { words.append("path\(path.segments.count)-\(path.rootText)") }
        return EntityTag(words.joined(separator: "."), isWeak: true)
    }

    /// The bytes of a file of a size; `nil` if there are none of them.
    func range(in size: UInt64) throws(GatewayFailure) -> Range<UInt64>? {
        guard let entityBytes else { return 0..<size }
        let end = Int64(clamping: size)
        let from =
            entityBytes.from < 0 ? max(0, end &+ max(entityBytes.from, -end)) : min(entityBytes.from, end)
        let last = entityBytes.to.map { $0 < 0 ? end &+ max($0, -end &- 1) : min($0, end - 1) } ?? end - 1
        guard from <= last else {
            if size > 0, let to = entityBytes.to, (entityBytes.from < 0) == (to < 0), to < entityBytes.from {
                throw .badRequest("entity-bytes=\(entityBytes.from):\(to) ends before it begins")
            }
            return nil
        }
        return UInt64(from)..<UInt64(last + 1)
    }
}

/// A DAG, or a part of it, as a CARv1 stream.
struct CARAnswer {
    let answer: ContentAnswer
    let resolved: ResolvedPath

    init(_ answer: ContentAnswer, _ resolved: ResolvedPath) {
        self.answer = answer
        self.resolved = resolved
    }

    func response() throws -> DoorResponse {
        let wanted = try CARRequest(answer.request, accepted: answer.negotiated.parameters)
        let tag = wanted.tag(of: resolved.cid, path: answer.path)
        var fields = answer.cacheFields(tag)
        if answer.isUnchanged(tag) { return answer.notModified(tag) }
        fields[.contentType] =
            "application/vnd.ipld.car; version=1; order=dfs; dups=\(wanted.repeatsBlocks ? "y" : "n")"
        fields[.contentDisposition] = answer.disposition(
            .attachment, default: answer.place.root.description + ".car")
        fields[.acceptRanges] = "none"
        let walk = try CARWalk(
            source: answer.source, resolved: resolved, root: answer.place.root, wanted,
            maximumRepeatedBlocks: answer.gateway.options.maximumRepeatedBlocks)
        let body = CARBody(walk)
        // Most errors come at the beginning, where they can be a status.
        if answer.request.method != .head { try body.look(ahead: 64 * 1024) }
        return DoorResponse(.ok, fields: fields, body: .stream(body, length: nil))
    }
}
