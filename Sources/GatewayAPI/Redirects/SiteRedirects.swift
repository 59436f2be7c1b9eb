import HTTPSupport
import HTTPTypes
import IPLD
import Multiformats
import NodeCore
import UnixFS

/// What a site's `_redirects` file says of a path that does not exist in it.
///
/// Only on hosts that are one root's: on the path gateway all roots share one origin, and a rule of one
/// could stand for another.
///
/// Spec: ipfs/specs, "Web _redirects File".
struct SiteRedirects {
    let answer: ContentAnswer
    let resolver: PathResolver

    init(_ answer: ContentAnswer) {
        self.answer = answer
        resolver = PathResolver(source: answer.source)
    }

    /// - Returns: `nil` if there is no such file, or no rule for the path.
    /// - Throws: `failed` for a file that cannot be used.
    func response() throws -> DoorResponse? {
        guard let rules = try rules() else { return nil }
        let path = answer.path.segments.map { String(decoding: $0, as: UTF8.self) }
        guard let match = rules.match(path, query: answer.request.target.query) else { return nil }
        let status = HTTPResponse.Status(code: match.status)
        guard !match.isRedirect else { return DoorResponse(status, fields: [.location: match.target]) }
        return try page(match.target, status)
    }

    private func rules() throws -> RedirectRules? {
        let file: ResolvedPath
        do {
            file = try resolver.resolve(
                siteRoot + [Array("_redirects".utf8)], from: answer.place.root, shown: answer.path.shown)
        } catch GatewayFailure.entryNotFound {
            return nil
        }
        guard let stat = try UnixFSStat.ifUnixFS(file.block), !stat.kind.isDirectory else { return nil }
        let reader = try UnixFSFileReader(source: answer.source, root: file.block)
        guard reader.size <= UInt64(RedirectRules.maximumBytes) else {
            throw GatewayFailure.failed(
                RedirectError.tooLarge(maximum: RedirectRules.maximumBytes).description)
        }
        var bytes: [UInt8] = []
        try reader.read { bytes += $0 }
        do throws(RedirectError) {
            return try RedirectRules(bytes)
        } catch {
            throw GatewayFailure.failed(error.description)
        }
    }

    /// The content of another path of the site, with the status of the rule.
    private func page(_ target: String, _ status: HTTPResponse.Status) throws -> DoorResponse {
        let segments = try RequestTarget(target).encodedSegments.filter { !$0.isEmpty }
            .map { try PercentCoding.decode($0) }
        var found = try resolver.resolve(
            siteRoot + segments, from: answer.place.root, shown: answer.path.shown)
        if try UnixFSStat.ifUnixFS(found.block)?.kind.isDirectory == true {
            found = try resolver.resolve(
                siteRoot + segments + [Array("index.html".utf8)], from: answer.place.root,
                shown: answer.path.shown)
        }
        let name = segments.last.flatMap { String(validating: $0, as: UTF8.self) } ?? "index.html"
        guard status != .ok else { return try FileAnswer(answer, found, name: name).response() }
        // An error page is sent whole, whatever the client holds or wants a part of.
        var fields = answer.request.fields
        for field in [HTTPField.Name.range, .ifNoneMatch, .ifModifiedSince] { fields[field] = nil }
        let whole = DoorRequest(
            method: answer.request.method, target: answer.request.target, fields: fields,
            authority: answer.request.authority, scheme: answer.request.scheme,
            remoteAddress: answer.request.remoteAddress, id: answer.request.id)
        let plain = try ContentAnswer(answer.gateway, whole, answer.path, at: answer.place)
        var response = try FileAnswer(plain, found, name: name).response()
        response.status = status
        return response
    }

    /// The way from the root to the site, where a name points below a root.
    private var siteRoot: [[UInt8]] { Array(answer.place.segments.prefix(answer.place.hiddenSegments)) }
}
