import Catalog
public import HTTPSupport
import HTTPTypes
import IPNS
import Multiformats
public import NodeCore

/// Delegated routing for what this node knows: records of names, and itself as the provider of what it
/// holds for everybody.
///
/// Synchronous, for the thread pool. Spec: ipfs/specs, "Delegated Routing V1 HTTP API".
public struct RoutingDoor: Sendable {
    private let node: StorageNode
    private let gateway: Gateway
    /// Where this node can be reached, as multiaddrs; empty if that is not known.
    private let addresses: [String]

    public init(node: StorageNode, gateway: Gateway, addresses: [String] = []) {
        self.node = node
        self.gateway = gateway
        self.addresses = addresses
    }

    /// The most bytes of a body, which is a record.
    public static let maximumBodyBytes = 10 * 1024

    /// Answers `/routing/v1/…`.
    ///
    /// - Parameters:
    ///   - body: of a PUT, at most ``maximumBodyBytes``.
    ///   - report: is told of what is not the client's doing.
    public func respond(
        to request: DoorRequest, body: [UInt8], report: (any Error) -> Void = { _ in }
    ) -> DoorResponse {
        var response: DoorResponse
        do {
            response = try answer(request, body)
        } catch let error as NameRepositoryError {
            response = .text(.conflict, "\(error)")
        } catch let error as IPNSRecordError {
            response = .text(.badRequest, "\(error)")
        } catch {
            report(error)
            response = .text(
                .internalServerError, "something went wrong; the log has it under the request id")
        }
        response.fields[.vary] = "Accept"
        response.fields[.accessControlAllowOrigin] = "*"
        response.fields[.accessControlAllowMethods] = "GET, OPTIONS"
        if request.method == .head { response.body = response.body.withoutContent }
        return response
    }

    private func answer(_ request: DoorRequest, _ body: [UInt8]) throws -> DoorResponse {
        let segments = request.target.encodedSegments.dropFirst(2).map(String.init)
        if request.method == .options { return DoorResponse(.noContent) }
        if segments.first == "dht" {
            return .text(.notImplemented, "this node is no part of a DHT")
        }
        guard segments.count == 2, !segments[1].isEmpty else {
            return .text(.badRequest, "ask for providers/CID, peers/PEER or ipns/NAME")
        }
        switch (segments[0], request.method) {
        case ("providers", .get), ("providers", .head): return try providers(of: segments[1], request)
        case ("peers", .get), ("peers", .head): return try peer(segments[1], request)
        case ("ipns", .get), ("ipns", .head): return try record(of: segments[1], request)
        case ("ipns", .put): return try put(body, for: segments[1], request)
        case ("providers", _), ("peers", _), ("ipns", _):
            return .text(.notImplemented, "this method is not supported here")
        default: return .text(.badRequest, "there is no \(segments[0]) in delegated routing version 1")
        }
    }

    // MARK: Providers and peers

    private func providers(of text: String, _ request: DoorRequest) throws -> DoorResponse {
        guard let cid = try? CID(text: text) else { return .text(.badRequest, "this is not a CID") }
        let isHeld = try gateway.holds(cid)
        return try list(.providers, isHeld ? [itself()] : [], request)
    }

    private func peer(_ text: String, _ request: DoorRequest) throws -> DoorResponse {
        guard let peer = try? PeerID(text: text) else { return .text(.badRequest, "this is not a peer id") }
        let own = try itself()
        return list(.peers, own.id == peer ? [own] : [], request)
    }

    private func itself() throws -> RoutingPeer {
        RoutingPeer(
            id: try node.secrets.nodeKey().publicKey.peerID, addresses: addresses,
            protocols: ["transport-ipfs-gateway-http"])
    }

    private static var now: String {
        HTTPDate(seconds: IPNSTime.now.unixMilliseconds / 1000).description
    }

    private func list(_ list: RoutingAnswer.List, _ peers: [RoutingPeer], _ request: DoorRequest)
        -> DoorResponse
    {
        let target = request.target
        let filter = RoutingFilter(
            addresses: target.value(of: "filter-addrs"), protocols: target.value(of: "filter-protocols"))
        let accept = AcceptHeader(request.fields[values: .accept].joined(separator: ","))
        // What the filter takes out is not in the answer.
        let peers = peers.compactMap { filter.apply(to: $0) }
        var fields: HTTPFields = [.lastModified: Self.now]
        // Filled answers hold for longer than empty ones: what is not here yet may come.
        let seconds = peers.isEmpty ? 15 : 300
        fields[.cacheControl] =
            "public, max-age=\(seconds), stale-while-revalidate=172800, stale-if-error=172800"
        let wanted = accept.choices.first {
            ["application/x-ndjson", "application/json", "application/*", "*/*"].contains($0.type)
        }
        if wanted?.type == "application/x-ndjson" {
            fields[.contentType] = "application/x-ndjson"
            return DoorResponse(
                .ok, fields: fields, body: .bytes(peers.flatMap { RoutingAnswer.line($0) }))
        }
        fields[.contentType] = "application/json"
        return DoorResponse(
            .ok, fields: fields, body: .bytes(RoutingAnswer.json(list, peers)))
    }

    // MARK: Records

    private static let recordType = "application/vnd.ipfs.ipns-record"

    private func record(of text: String, _ request: DoorRequest) throws -> DoorResponse {
        guard let name = try? PeerID(text: text) else { return .text(.badRequest, "this is not a name") }
        let accept = AcceptHeader(request.fields[values: .accept].joined(separator: ","))
        let isAccepted =
            accept.choices.isEmpty
            || accept.choices.contains { [Self.recordType, "application/*", "*/*"].contains($0.type) }
        guard isAccepted else {
            return .text(.notAcceptable, "a record is sent as \(Self.recordType)")
        }
        let now = IPNSTime.now
        guard let record = try node.validRecord(of: name, at: now) else {
            // IPIP-513: nothing found is an answer, told by its type from a record.
            var response = DoorResponse.text(.ok, "no record of this name is known here")
            response.fields[.cacheControl] = "public, max-age=15"
            return response
        }
        let tag = EntityTag(RecordTag.text(record.bytes))
        let fields: HTTPFields = [
            .contentType: Self.recordType, .eTag: tag.description,
            .lastModified: Self.now,
            .cacheControl: "public, max-age=\(max(0, record.remainingTTL(at: now).components.seconds))",
            .expires: HTTPDate(seconds: record.validUntil.unixMilliseconds / 1000).description,
        ]
        let known = request.fields[values: .ifNoneMatch]
        if !known.isEmpty, tag.isNamed(in: known.joined(separator: ",")) {
            return DoorResponse(.notModified, fields: fields)
        }
        return DoorResponse(.ok, fields: fields, body: .bytes(record.bytes))
    }

    private func put(_ body: [UInt8], for text: String, _ request: DoorRequest) throws -> DoorResponse {
        guard let name = try? PeerID(text: text) else { return .text(.badRequest, "this is not a name") }
        let type = request.fields[.contentType]?.split(separator: ";").first
        guard type?.lowercased() == Self.recordType else {
            return .text(.notAcceptable, "a record is sent as \(Self.recordType)")
        }
        try node.putRecord(body, for: name)
        return DoorResponse(.ok)
    }
}
