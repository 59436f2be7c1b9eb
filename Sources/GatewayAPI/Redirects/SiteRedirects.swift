import HTTPSupport
import HTTPTypes
import IPLD
import Multiformats
import NodeCore
import UnixFS

/// What a site says of a path that does not exist in it: by its `_redirects` file, else by a `404.html`.
///
/// Only where a path is within one site: on hosts that are one root's, and below `/n/NAME/`. Below `/ipfs/`
/// and `/ipns/` a path shows content as it is.
///
/// Spec: ipfs/specs, "Web _redirects File".
struct SiteRedirects {
    let answer: ContentAnswer
    let resolver: PathResolver

    init(_ answer: ContentAnswer) {
        self.answer = answer
        resolver = PathResolver(source: answer.source)
    }

    /// - Returns: `nil` if there is neither a rule for the path nor a page.
    /// - Throws: `failed` for a file of rules that cannot be used.
    func response() throws -> DoorResponse? {
        let path = answer.path.segments.map { String(decoding: $0, as: UTF8.self) }
        guard let match = try rules()?.match(path, query: answer.request.target.query) else {
            return try nearestPage().map { try whole($0, name: Self.pageName, .notFound) }
        }
        let status = HTTPResponse.Status(code: match.status)
        guard match.isRedirect else { return try page(match.target, status) }
        var fields: HTTPFields = [.location: location(match.target)]
        // What a name leads to may have other rules soon.
        if answer.place.isName { fields[.cacheControl] = answer.place.caching(orElse: "") }
        return DoorResponse(status, fields: fields)
    }

    /// A path in a site is relative to where the site begins.
    private func location(_ target: String) -> String {
        guard answer.path.origin.isShared, target.hasPrefix("/") else { return target }
        let path = answer.path
        return "/\(path.namespace.rawValue)/" + PercentCoding.encode(segment: path.rootText.utf8) + target
    }

    private static let pageName = "404.html"

    /// The `404.html` in the directory that was asked for, or in the nearest one above it that has one.
    private func nearestPage() throws -> ResolvedPath? {
        let shown = answer.path.shown
        var directory = try resolver.resolve(siteRoot, from: answer.place.root, shown: shown)
        var nearest: ResolvedPath?
        var rest = answer.path.segments[...]
        while try UnixFSStat.ifUnixFS(directory.block)?.kind.isDirectory == true {
            if let page = try entry(Array(Self.pageName.utf8), of: directory),
                let kind = try UnixFSStat.ifUnixFS(page.block)?.kind, kind == .file || kind == .raw
            {
                nearest = page
            }
            guard let name = rest.popFirst(), let next = try entry(name, of: directory) else { break }
            directory = next
        }
        return nearest
    }

    private func entry(_ name: [UInt8], of directory: ResolvedPath) throws -> ResolvedPath? {
        do {
            return try resolver.resolve([name], from: directory.cid, shown: answer.path.shown)
        } catch GatewayFailure.entryNotFound {
            return nil
        }
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
        return status == .ok
            ? try FileAnswer(answer, found, name: name).response() : try whole(found, name: name, status)
    }

    /// The page of an error is sent whole, whatever the client holds or wants a part of.
    private func whole(
        _ found: ResolvedPath, name: String, _ status: HTTPResponse.Status
    ) throws -> DoorResponse {
        var fields = answer.request.fields
        for field in [
            HTTPField.Name.range, .ifMatch, .ifNoneMatch, .ifModifiedSince, .ifUnmodifiedSince,
        ] { fields[field] = nil }
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
