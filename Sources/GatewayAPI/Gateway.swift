import BlockStorage
public import Catalog
public import HTTPSupport
import HTTPTypes
import IPLD
import IPNS
import Multiformats
import Namespaces
public import NodeCore
import UnixFS

/// The IPFS gateway: content by path, as files and pages, or trustless as blocks and CARs.
///
/// Synchronous and thread-safe: the server calls it from its thread pool, and pulls bodies from there. The
/// gateway answers only with what the node holds, and only with what is marked for everybody, or for the
/// ``Reader`` who asks.
///
/// Spec: specs.ipfs.tech, path gateway and trustless gateway.
public final class Gateway: Sendable {
    let node: StorageNode
    let options: GatewayOptions
    let source: ScopedBlockSource
    /// Whether the answers are for one reader, and no cache may give them to others.
    private let isPersonal: Bool
    /// Whose namespaces may be read besides public ones; `nil` for nobody's.
    let reader: Reader?

    public init(node: StorageNode, options: GatewayOptions = GatewayOptions()) {
        self.node = node
        self.options = options
        source = ScopedBlockSource(node.store, scope: options.serve == .all ? nil : .public)
        isPersonal = false
        reader = nil
    }

    /// Who has shown that more may be read than what is public.
    public enum Reader: Sendable {
        /// Of a project: what it brought in.
        case project(BlockAudience, ProjectID)
        /// Of one namespace: what is below its path, and nothing by its CID.
        case namespace(BlockAudience, NamespaceID)
        /// Everything that the node holds.
        case administrator
    }

    /// The same gateway for somebody who may read more. Its answers are for nobody else: they may not be
    /// kept by shared caches, and are checked again before a browser shows them a second time.
    public convenience init(_ gateway: Gateway, for reader: Reader) {
        let store = gateway.node.store
        let source: ScopedBlockSource =
            switch reader {
            case .administrator: ScopedBlockSource(store, scope: nil)
            case .project(let audience, _): audience.source(in: store)
            // To be asked about the path of that namespace alone: see ``namespace(of:where:)``.
            case .namespace(let audience, _): audience.source(in: store)
            }
        self.init(
            gateway.node, gateway.options, gateway.options.serve == .all ? gateway.source : source,
            reader)
    }

    private init(
        _ node: StorageNode, _ options: GatewayOptions, _ source: ScopedBlockSource, _ reader: Reader
    ) {
        self.reader = reader
        self.node = node
        self.options = options
        self.source = source
        isPersonal = true
    }

    /// Answers `/ipfs/…`; errors become answers too.
    ///
    /// - Parameter report: is told of what is not the client's doing, for the log.
    public func respond(to request: DoorRequest, report: (any Error) -> Void = { _ in }) -> DoorResponse {
        var response: DoorResponse
        do {
            response = try answer(request)
        } catch {
            let failure = Self.failure(error)
            if failure.isOfNode { report(error) }
            response = ErrorPage.response(to: request, failure)
        }
        CrossOrigin.allow(&response.fields)
        if isPersonal {
            response.fields[.cacheControl] = "private, no-cache"
            response.fields[.vary] = "Authorization"
        } else if response.status == .notFound || response.status == .preconditionFailed {
            // To somebody else it may be there.
            response.fields[.vary] = "Authorization"
        }
        if request.method == .head { response.body = response.body.withoutContent }
        return response
    }

    private func answer(_ request: DoorRequest) throws -> DoorResponse {
        switch request.method {
        case .get, .head: break
        case .options: return DoorResponse(.noContent)
        default: throw GatewayFailure.methodNotAllowed
        }
        if let redirect = try Self.redirectOfURI(request) { return redirect }
        switch try router.decide(request) {
        case .redirect(let status, let location): return DoorResponse(status, fields: [.location: location])
        case .content(let path): return try answer(request, path)
        }
    }

    private func answer(_ request: DoorRequest, _ path: GatewayPath) throws -> DoorResponse {
        if request.fields[.serviceWorker] == "script", path.origin.isShared, path.segments.isEmpty,
            !path.hasTrailingSlash
        {
            throw GatewayFailure.badRequest("a service worker may not have a whole root as its scope")
        }
        switch path.namespace {
        case .ipfs:
            return try ContentAnswer(self, request, path, at: ContentPlace(root: try path.rootCID(), path))
                .response()
        case .ipns: return try NameAnswer(self, request, path).response()
        case .n: return try NamespaceAnswer(self, request, path).response()
        // Whoever opens links comes by a way of its own.
        case .c: throw GatewayFailure.badRequest("links are not answered here")
        }
    }

    /// Counts what takes content away: as long as it stays, answers that call themselves immutable are
    /// right.
    public var withdrawals: UInt64 { source.withdrawals }

    /// Whether the node holds a block that everybody may read.
    func holds(_ cid: CID) throws -> Bool { try source.size(of: cid) != nil }

    /// Whether a host is that of one root, so that every path on it is content.
    public func isOwnOrigin(_ request: DoorRequest) -> Bool {
        router.isOwnOrigin(request)
    }

    /// The namespace that a request is about, of those that may be read; `nil` for one about anything else.
    public func namespace(of request: DoorRequest, where mayRead: (Namespace) -> Bool) -> Namespace? {
        guard let decision = try? router.decide(request) else { return nil }
        let name: String
        switch decision {
        case .content(let path):
            guard path.namespace == .n else { return nil }
            if !path.origin.isShared {
                let site = try? NamespaceSite(label: path.rootText, node, where: mayRead)
                if case .namespace(let found)? = site { return found }
                return nil
            }
            name = NamespaceAnswer.parts(of: path.rootText).name
        case .redirect:
            let segments = request.target.encodedSegments.prefix(2).map(String.init)
            guard segments.count == 2, segments[0] == "n" else { return nil }
            name = NamespaceAnswer.parts(of: segments[1]).name
        }
        guard let found = try? node.namespace(matching: name), mayRead(found) else { return nil }
        return found
    }

    private var router: HostRouter {
        HostRouter(
            redirectingHosts: options.subdomainHosts, isSite: { [self] in isSite($0) },
            hasHost: { [self] name in
                let site = try? NamespaceSite(label: name.lowercased(), node, where: mayRead)
                guard case .namespace(let found)? = site else { return false }
                return found.name == name
            })
    }

    /// Whether a namespace may be read by whoever this gateway is for.
    func mayRead(_ namespace: Namespace) -> Bool {
        if namespace.visibility == .public || options.serve == .all { return true }
        switch reader {
        case nil: return false
        case .administrator: return true
        case .project(_, let project): return project == namespace.project
        case .namespace(_, let id): return id == namespace.id
        }
    }

    private func isSite(_ domain: DomainName) -> Bool {
        guard options.servesSites else { return false }
        // Whatever goes wrong with the look-up, the host is no site that is known.
        return (try? node.dnsLinks.link(of: domain)) != nil
    }

    /// `/ipfs/?uri=ipfs://…`, which browsers call for registered protocol handlers.
    private static func redirectOfURI(_ request: DoorRequest) throws(GatewayFailure) -> DoorResponse? {
        guard ["/ipfs/", "/ipns/", "/ipfs", "/ipns"].contains(request.target.path),
            let uri = request.target.value(of: "uri")
        else { return nil }
        for namespace in ["ipfs", "ipns"] where uri.hasPrefix(namespace + "://") {
            let rest = uri.dropFirst(namespace.count + 3)
            return DoorResponse(
                .movedPermanently,
                fields: [.location: "/\(namespace)/" + PercentCoding.encode(path: rest.utf8)])
        }
        throw .badRequest("uri= must be ipfs://… or ipns://…")
    }

    /// What an error of the layers below means here.
    static func failure(_ error: any Error) -> GatewayFailure {
        switch error {
        case let failure as GatewayFailure: failure
        case NamespaceError.snapshotBusy(let seconds): .busy(seconds: seconds)
        case let error as NodeError:
            switch error {
            case .blockNotFound(let cid): .blockNotFound(cid)
            default: .failed(error.description)
            }
        case let error as BlockStoreError:
            // Where it lies is for the log.
            error.isDamage
                ? .damaged("a block of this content is damaged on this node's disk")
                : .failed(error.description)
        case UnixFSFileError.missingBlock(let cid, _), UnixFSDirectoryError.missingBlock(let cid):
            .blockNotFound(cid)
        default: .failed(String(describing: error))
        }
    }
}

/// What every web page may know of an answer.
enum CrossOrigin {
    static func allow(_ fields: inout HTTPFields) {
        fields[.accessControlAllowOrigin] = "*"
        fields[.accessControlAllowMethods] = "GET, HEAD, OPTIONS"
        fields[.accessControlAllowHeaders] = "Content-Type, Range, User-Agent, X-Requested-With"
        fields[.accessControlExposeHeaders] =
            "Content-Length, Content-Range, X-Chunked-Output, X-Ipfs-Path, X-Ipfs-Roots, X-Stream-Output"
    }
}
