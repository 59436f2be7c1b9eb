import BlockStorage
import Catalog
public import HTTPSupport
import HTTPTypes
import Multiformats
import Namespaces
public import NodeCore
import TreeValues

/// The answer to `GET /c/TOKEN/…`, after the link was opened: a file, the page or a file of a folder, or
/// the page where files are brought in.
struct LinkAnswer {
    /// That may read what the namespace holds.
    let gateway: Gateway
    let request: DoorRequest
    let place: SharedPlace

    func response() throws -> LinkResponse {
        if request.fields[.serviceWorker] == "script" {
            throw GatewayFailure.badRequest("what is shared is no service worker of this node")
        }
        let shared = try SharedNode(place, in: gateway.node)
        let segments = request.target.encodedSegments
        let rest = segments.dropFirst(2)
        guard !rest.isEmpty else { return LinkResponse(redirect(to: shared)) }
        if place.use == .upload {
            guard rest.allSatisfy(\.isEmpty) else {
                throw GatewayFailure.entryNotFound(root: "the link", missing: "what is asked for")
            }
            return LinkResponse(UploadPage(name: shared.name).response())
        }
        return try shared.isDirectory ? folder(shared, rest) : file(shared, rest)
    }

    /// To the path that ends with the name of a file, or with the slash of a folder.
    private func redirect(to shared: SharedNode) -> DoorResponse {
        let name = shared.isDirectory ? "" : PercentCoding.encode(segment: shared.name.utf8)
        let query = request.target.query.map { "?" + $0 } ?? ""
        return DoorResponse(.found, fields: [.location: "/c/\(place.token)/\(name)\(query)"])
    }

    /// Under whatever name: a link outlives the names of its file. Its type is that of what it is called.
    private func file(_ shared: SharedNode, _ rest: ArraySlice<Substring>) throws -> LinkResponse {
        guard let node = shared.node, let content = node.content else {
            throw GatewayFailure.notAcceptable("what is shared is a symlink, which leads nowhere here")
        }
        if rest.allSatisfy(\.isEmpty) { return LinkResponse(redirect(to: shared)) }
        guard rest.count == 1 else {
            throw GatewayFailure.entryNotFound(root: "a file", missing: "what is asked for")
        }
        let path = try GatewayPath(
            .c, root: Substring(place.token),
            rest: [Substring(PercentCoding.encode(segment: shared.name.utf8))],
            authority: request.authority)
        var shown = ContentPlace(root: content, segments: [], hidden: 0, remainingTTL: .zero)
        shown.modified = try modified(shared.path)
        let answer = try ContentAnswer(gateway, request, path, at: shown)
        return LinkResponse(try answer.response(), isContent: true)
    }

    private func folder(_ shared: SharedNode, _ rest: ArraySlice<Substring>) throws -> LinkResponse {
        var path = try GatewayPath(
            .c, root: Substring(place.token), rest: rest, authority: request.authority)
        path.label = shared.name
        let snapshot = try gateway.node.snapshot(of: place.namespace, for: .reader)
        // Resolved apart: nothing of the way to the folder is a part of what is shared.
        let root: CID
        do {
            root = try PathResolver(source: gateway.source).resolve(
                shared.path.map { Array($0.utf8) }, from: snapshot.root, shown: path.shown
            ).cid
        } catch let failure as GatewayFailure where failure.isMissingEntry {
            throw GatewayFailure.linkEnded("what it led to was just moved or deleted; try again")
        }
        var content = ContentPlace(root: root, segments: path.segments, hidden: 0, remainingTTL: .zero)
        if !path.hasTrailingSlash, !path.segments.isEmpty {
            content.modified = try modified(
                shared.path + path.segments.map { String(decoding: $0, as: UTF8.self) })
        }
        let answer = try ContentAnswer(gateway, request, path, at: content)
        let response = try answer.response()
        // The page of a folder is the way to its content.
        let isPage = response.fields[.contentSecurityPolicy] == PageStyle.contentSecurityPolicy
        return LinkResponse(response, isContent: !isPage)
    }

    /// When the file was last changed, by the clock of this node.
    private func modified(_ names: [String]) throws -> HTTPDate? {
        try gateway.node.namespaces.changed(
            at: names, in: place.namespace, asOf: place.namespace.head
        ).map { HTTPDate(seconds: $0 / 1000) }
    }
}

/// An answer to whoever came by a link, and whether it is a use of it.
public struct LinkResponse: Sendable {
    public var response: DoorResponse
    /// Whether it carries content: a file, a part of one, or a folder as one file.
    public let isUse: Bool

    init(_ response: DoorResponse, isContent: Bool = false) {
        self.response = response
        isUse = isContent && (response.status == .ok || response.status == .partialContent)
    }
}

extension Gateway {
    /// Answers a request to read what a link leads to; errors become answers too.
    ///
    /// - Parameters:
    ///   - audience: the project of the namespace.
    ///   - report: is told of what is not the client's doing, for the log.
    public static func respond(
        to request: DoorRequest, sharing place: SharedPlace, of gateway: Gateway, as audience: BlockAudience,
        report: (any Error) -> Void = { _ in }
    ) -> LinkResponse {
        let reader = Gateway(gateway, for: .project(audience, place.namespace.project))
        var answer: LinkResponse
        do {
            answer = try LinkAnswer(gateway: reader, request: request, place: place).response()
        } catch {
            let failure = Self.failure(error)
            if failure.isOfNode { report(error) }
            answer = LinkResponse(LinkPages.failure(failure, request))
        }
        LinkPages.protect(&answer.response)
        if request.method == .head { answer.response.body = answer.response.body.withoutContent }
        return answer
    }
}
