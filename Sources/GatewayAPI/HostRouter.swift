import HTTPSupport
import HTTPTypes
import IPNS
import Multiformats

/// From the host and path of a request to the content that is meant.
///
/// Spec: subdomain gateway, "Request types"; DNSLink gateway.
struct HostRouter {
    /// Hosts under which each root has a subdomain, without port, in lower case; they send paths there.
    let redirectingHosts: [String]
    /// Whether a host is a site of its own.
    let isSite: (DomainName) -> Bool
    /// Whether the host of a namespace's name in small letters leads to the namespace of that very name.
    let hasHost: (String) -> Bool

    /// Browsers find every name below `localhost` on this machine, so that subdomains work there unasked.
    private var subdomainHosts: [String] {
        redirectingHosts.contains("localhost") ? redirectingHosts : redirectingHosts + ["localhost"]
    }

    /// What is to be done about a request.
    enum Decision {
        case content(GatewayPath)
        case redirect(HTTPResponse.Status, location: String)
    }

    /// - Throws: `badRequest` for hosts and paths of which no content path can be made.
    func decide(_ request: DoorRequest) throws(GatewayFailure) -> Decision {
        let host = request.host
        guard !Self.isAddress(host) else { return .content(try sharedPath(request)) }
        for gateway in subdomainHosts {
            if host == gateway {
                guard redirectingHosts.contains(host) else { return .content(try sharedPath(request)) }
                return try onGatewayHost(request)
            }
            guard host.hasSuffix("." + gateway) else { continue }
            let labels = host.dropLast(gateway.count + 1)
            for namespace in [GatewayPath.Namespace.ipfs, .ipns, .n]
            where labels.hasSuffix("." + namespace.rawValue) {
                let label = labels.dropLast(namespace.rawValue.utf8.count + 1)
                return try onSubdomain(request, label, namespace, gateway)
            }
            throw .badRequest("the host \(host) names no content: CID.ipfs.\(gateway) is expected")
        }
        if let domain = DomainName(host), isSite(domain) {
            return .content(
                try GatewayPath(
                    .ipns, root: Substring(domain.text), rest: request.target.encodedSegments,
                    origin: .own(gateway: nil), authority: request.authority))
        }
        return .content(try sharedPath(request))
    }

    /// Whether the host is that of one root.
    func isOwnOrigin(_ request: DoorRequest) -> Bool {
        let host = request.host
        if Self.isAddress(host) || subdomainHosts.contains(host) { return false }
        if subdomainHosts.contains(where: { host.hasSuffix("." + $0) }) { return true }
        return DomainName(host).map(isSite) ?? false
    }

    // MARK: The path gateway

    private func sharedPath(_ request: DoorRequest) throws(GatewayFailure) -> GatewayPath {
        let segments = request.target.encodedSegments
        guard let first = segments.first, let namespace = GatewayPath.Namespace(rawValue: String(first))
        else {
            throw .badRequest("content is below /ipfs/, /ipns/ and /n/")
        }
        return try GatewayPath(
            namespace, root: segments.dropFirst().first ?? "", rest: segments.dropFirst(2),
            authority: request.authority)
    }

    /// The bare host of a subdomain gateway sends everybody to the origin of the root.
    private func onGatewayHost(_ request: DoorRequest) throws(GatewayFailure) -> Decision {
        let path = try sharedPath(request)
        let label: String
        switch path.namespace {
        case .ipfs:
            label = try Self.label(of: try path.rootCID(), .ipfs)
        case .ipns:
            switch try path.rootName() {
            case .key(let name): label = try Self.label(of: name.cid, .ipns)
            case .domain(let domain):
                guard let inlined = domain.inlinedLabel else { throw Self.labelTooLong }
                // Certificates for *.ipns.HOST do not reach below one label.
                label = inlined
            case .ipfs: throw .badRequest("a name is expected behind /ipns/")
            }
        case .n:
            // Hosts have no case and no `@`: a name that is not what its host leads to keeps its path.
            guard let host = NamespaceAnswer.label(of: path.rootText) else { return .content(path) }
            if host != path.rootText {
                guard hasHost(path.rootText) else { return .content(path) }
                // For as long as no other is called so but for case.
                return .redirect(.found, location: location(request, host, .n, request.authority))
            }
            label = host
        case .c: return .content(path)
        }
        return .redirect(
            .movedPermanently, location: location(request, label, path.namespace, request.authority))
    }

    private func location(
        _ request: DoorRequest, _ label: String, _ namespace: GatewayPath.Namespace, _ gateway: String
    ) -> String {
        let rest = request.target.encodedSegments.dropFirst(2).joined(separator: "/")
        let query = request.target.query.map { "?" + $0 } ?? ""
        return "\(request.scheme)://\(label).\(namespace.rawValue).\(gateway)/\(rest)\(query)"
    }

    // MARK: Subdomains

    private func onSubdomain(
        _ request: DoorRequest, _ label: Substring, _ namespace: GatewayPath.Namespace, _ gateway: String
    ) throws(GatewayFailure) -> Decision {
        guard label.split(separator: ".").allSatisfy({ $0.utf8.count <= DomainName.maximumLabel }) else {
            throw Self.labelTooLong
        }
        let port = request.authority.dropFirst(request.host.count)
        let gatewayHost = gateway + port
        var root = label
        switch namespace {
        case .ipfs:
            let cid: CID
            do throws(CIDError) {
                cid = try CID(text: String(label))
            } catch {
                throw .malformedCID(String(label), reason: error.description)
            }
            let canonical = try Self.label(of: cid, .ipfs)
            if canonical != label {
                return .redirect(.movedPermanently, location: own(request, canonical, .ipfs, gatewayHost))
            }
        case .ipns:
            if !label.contains("."), let name = try? PeerID(text: String(label)) {
                let canonical = try Self.label(of: name.cid, .ipns)
                if canonical != label {
                    return .redirect(.movedPermanently, location: own(request, canonical, .ipns, gatewayHost))
                }
            } else {
                let domain =
                    label.contains(".") ? DomainName(String(label)) : DomainName(inlinedLabel: String(label))
                guard let domain else {
                    throw .badRequest("\(label) is neither the name of a key nor a domain")
                }
                root = Substring(domain.text)
            }
        case .n, .c: break
        }
        return .content(
            try GatewayPath(
                namespace, root: root, rest: request.target.encodedSegments,
                origin: .own(gateway: gatewayHost), authority: request.authority))
    }

    /// The same path on another label.
    private func own(
        _ request: DoorRequest, _ label: String, _ namespace: GatewayPath.Namespace, _ gateway: String
    ) -> String {
        let query = request.target.query.map { "?" + $0 } ?? ""
        return "\(request.scheme)://\(label).\(namespace.rawValue).\(gateway)\(request.target.path)\(query)"
    }

    /// A CID as a label: base32, of keys base36, which is shorter.
    static func label(
        of cid: CID, _ namespace: GatewayPath.Namespace
    ) throws(GatewayFailure) -> String {
        let version1 = cid.asVersion1
        var label = version1.description
        if namespace == .ipns || label.utf8.count > DomainName.maximumLabel {
            label = Multibase.encode(version1.bytes, .base36)
        }
        guard label.utf8.count <= DomainName.maximumLabel else { throw labelTooLong }
        return label
    }

    private static var labelTooLong: GatewayFailure {
        .badRequest("CID incompatible with DNS label length limit of \(DomainName.maximumLabel)")
    }

    /// An address of IPv4 or IPv6 is always a path gateway.
    private static func isAddress(_ host: String) -> Bool {
        host.hasPrefix("[") || host.utf8.allSatisfy { $0 == UInt8(ascii: ".") || (0x30...0x39).contains($0) }
    }
}
