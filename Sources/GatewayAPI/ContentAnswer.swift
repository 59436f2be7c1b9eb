import BlockStorage
import HTTPSupport
import HTTPTypes
import IPLD
import Multiformats
import NodeCore
import UnixFS

/// The answer to one request for content whose root is known.
struct ContentAnswer {
    let gateway: Gateway
    let request: DoorRequest
    let path: GatewayPath
    let place: ContentPlace
    let negotiated: NegotiatedFormat

    init(
        _ gateway: Gateway, _ request: DoorRequest, _ path: GatewayPath, at place: ContentPlace
    ) throws(GatewayFailure) {
        self.gateway = gateway
        self.request = request
        self.path = path
        self.place = place
        negotiated = try NegotiatedFormat(request)
    }

    var source: ScopedBlockSource { gateway.source }

    func response() throws -> DoorResponse {
        if onlyIfCached, try source.size(of: place.root) == nil { throw GatewayFailure.notCached }
        guard negotiated.format != .ipnsRecord else {
            throw GatewayFailure.badRequest(
                "an IPNS record belongs to a name: ask for /ipns/NAME without a path")
        }
        let resolved: ResolvedPath
        do {
            resolved = try PathResolver(source: source).resolve(
                place.segments, from: place.root, shown: path.shown)
        } catch let failure as GatewayFailure where failure.isMissingEntry && mayRedirect {
            guard var response = try SiteRedirects(self).response() else { throw failure }
            response.fields[.ipfsPath] = path.shown
            return response
        }
        var response = try dispatch(resolved)
        response.fields[.ipfsPath] = path.shown
        response.fields[.ipfsRoots] = resolved.cids.dropFirst(place.hiddenSegments)
            .map(\.description).joined(separator: ",")
        response.fields[.contentTypeOptions] = "nosniff"
        if negotiated.needsContentLocation, response.status.kind == .successful,
            let format = negotiated.format
        {
            response.fields[.contentLocation] = contentLocation(format)
        }
        return response
    }

    /// Whether a site is asked for what it says of a path that does not exist.
    private var mayRedirect: Bool {
        (!path.origin.isShared || path.namespace == .n) && negotiated.format == nil
    }

    private var onlyIfCached: Bool {
        request.fields[values: .cacheControl].contains { $0.lowercased().contains("only-if-cached") }
    }

    /// The same path with the format in it, and with what the header chose of it, so that caches keep the
    /// forms apart. What stands in the query already counts before the header.
    private func contentLocation(_ format: ContentFormat) -> String {
        let others = (request.target.query ?? "").split(separator: "&").filter { !$0.hasPrefix("format=") }
        var parts = ["format=" + format.rawValue] + others.map(String.init)
        if format == .car {
            for name in CARRequest.negotiable {
                guard let value = negotiated.parameters[name], request.target.value(of: "car-" + name) == nil
                else { continue }
                parts.append("car-\(name)=" + PercentCoding.encode(segment: value.utf8))
            }
        }
        return request.target.path + "?" + parts.joined(separator: "&")
    }

    private func dispatch(_ resolved: ResolvedPath) throws -> DoorResponse {
        let codec = resolved.cid.codec
        switch negotiated.format {
        case .raw: return try BlockAnswer(self, resolved).raw()
        case .car: return try CARAnswer(self, resolved).response()
        case .tar, .zip: return try archive(resolved)
        case .dagJSON, .dagCBOR, .json, .cbor: return try document(resolved)
        case nil, .ipnsRecord:
            switch codec {
            case .raw, .dagPB: return try unixFS(resolved)
            case .dagJSON, .dagCBOR:
                return negotiated.wantsHTML
                    ? try DocumentPage(self, resolved).response()
                    : try BlockAnswer(self, resolved).document(type: codec == .dagJSON ? .dagJSON : .dagCBOR)
            case .json: return try BlockAnswer(self, resolved).document(type: .json)
            case .cbor: return try BlockAnswer(self, resolved).document(type: .cbor)
            default:
                throw GatewayFailure.notAcceptable(
                    "\(resolved.cid) has a codec (0x\(String(codec.rawValue, radix: 16))) that is not shown here"
                )
            }
        }
    }

    // MARK: Documents

    /// IPIP-524: documents are not converted; a file that is JSON is served as what it is.
    private func document(_ resolved: ResolvedPath) throws -> DoorResponse {
        let format = negotiated.format
        switch (format, resolved.cid.codec) {
        case (.dagJSON, .dagJSON), (.dagCBOR, .dagCBOR), (.json, .json), (.cbor, .cbor), (.json, .dagJSON),
            (.cbor, .dagCBOR):
            return try BlockAnswer(self, resolved).document(type: format ?? .json)
        case (.json, .raw), (.json, .dagPB), (.cbor, .raw), (.cbor, .dagPB):
            switch try UnixFSStat.ifUnixFS(resolved.block)?.kind {
            case .file, .raw:
                return try FileAnswer(self, resolved, contentType: format?.mediaType).response()
            case .symlink, .directory, .shardedDirectory, nil: break
            }
        default: break
        }
        throw GatewayFailure.notAcceptable(
            "\(resolved.cid) is not \(format?.rawValue ?? ""), and documents are not converted")
    }

    // MARK: Files and directories

    private func unixFS(_ resolved: ResolvedPath) throws -> DoorResponse {
        guard let stat = try UnixFSStat.ifUnixFS(resolved.block) else {
            throw GatewayFailure.notAcceptable("\(resolved.cid) is DAG-PB, but no file or directory")
        }
        switch stat.kind {
        case .file, .raw: return try FileAnswer(self, resolved).response()
        case .symlink(let target): return symlink(resolved, target)
        case .directory, .shardedDirectory: return try directory(resolved)
        }
    }

    private func symlink(_ resolved: ResolvedPath, _ target: [UInt8]) -> DoorResponse {
        let tag = EntityTag(resolved.cid.description)
        if isUnchanged(tag) { return notModified(tag) }
        return DoorResponse(
            .ok, fields: cacheFields(tag).with(.contentType, "inode/symlink"), body: .bytes(target))
    }

    private func directory(_ resolved: ResolvedPath) throws -> DoorResponse {
        guard path.hasTrailingSlash else {
            let query = request.target.query.map { "?" + $0 } ?? ""
            let location =
                PercentCoding.encode(path: try PercentCoding.decode(request.target.path)) + "/" + query
            return DoorResponse(.movedPermanently, fields: [.location: location])
        }
        let reader = try DirectoryReader(source: source, root: resolved.block)
        // Who is given a link to a folder is to see what is in it.
        if path.namespace != .c, let entry = try reader.entry(named: Array("index.html".utf8)),
            let block = try source.block(entry.cid), let stat = try UnixFSStat.ifUnixFS(block),
            !stat.kind.isDirectory
        {
            let index = ResolvedPath(
                cids: resolved.cids, pathBlocks: resolved.pathBlocks, block: block)
            return try FileAnswer(
                self, index, tag: EntityTag(resolved.cid.description), name: "index.html"
            ).response()
        }
        return try DirectoryPage(self, resolved, reader).response()
    }

    private func archive(_ resolved: ResolvedPath) throws -> DoorResponse {
        let stat: UnixFSStat?
        do { stat = try UnixFSStat.ifUnixFS(resolved.block) } catch { stat = nil }
        guard stat != nil else {
            throw GatewayFailure.notAcceptable("\(resolved.cid) is no file or directory")
        }
        let format: ContentFormat = negotiated.format == .zip ? .zip : .tar
        let tag = EntityTag(resolved.cid.description + (format == .zip ? ".zip" : ".x-tar"), isWeak: true)
        if isUnchanged(tag) { return notModified(tag) }
        let name = archiveName ?? resolved.cid.description
        let stream = try archive(resolved, format, named: Array(name.utf8))
        // What is wrong near the beginning can still be said with a status.
        try stream.look(ahead: 64 * 1024)
        return DoorResponse(
            .ok,
            fields: cacheFields(tag).with(.contentType, format.mediaType)
                .with(
                    .contentDisposition, disposition(.attachment, default: name + "." + format.rawValue)),
            body: .stream(stream, length: nil))
    }

    private func archive(
        _ resolved: ResolvedPath, _ format: ContentFormat, named name: [UInt8]
    ) throws -> PulledBody {
        let maximum = gateway.options.maximumArchiveEntries
        if format == .zip {
            let export = try ZipExport(
                source: source, root: resolved.cid, name: name,
                maximumEntries: min(maximum, ZipExport.defaultMaximumEntries), names: .withinRoot)
            return PulledBody { try export.next() }
        }
        let export = try TarExport(
            source: source, root: resolved.cid, name: name, maximumEntries: maximum, names: .withinRoot)
        return PulledBody { try export.next() }
    }

    /// What an archive of something shared is called: people see no CIDs there.
    private var archiveName: String? {
        guard path.namespace == .c else { return nil }
        let name = path.segments.last.map { PathText.printable($0) } ?? path.label
        return name.flatMap { $0.isEmpty || $0 == "." || $0 == ".." ? nil : $0 }
    }

    // MARK: What answers have in common

    /// The tag, and for how long the answer may be kept.
    func cacheFields(_ tag: EntityTag) -> HTTPFields {
        var fields: HTTPFields = [.eTag: tag.description]
        fields[.cacheControl] = place.caching(orElse: "public, max-age=29030400, immutable")
        return fields
    }

    /// Whether the client holds the answer already.
    func isUnchanged(_ tag: EntityTag) -> Bool {
        let values = request.fields[values: .ifNoneMatch]
        return !values.isEmpty && tag.isNamed(in: values.joined(separator: ","))
    }

    /// Whether the client asked for another version than this one. Spec: RFC 9110, sections 13.1.1 and
    /// 13.1.4.
    ///
    /// - Parameter modified: when it was changed last, if that is known.
    func isUnwanted(_ tag: EntityTag, modified: HTTPDate? = nil) -> Bool {
        let wanted = request.fields[values: .ifMatch]
        guard wanted.isEmpty else { return !tag.isNamedStrongly(in: wanted.joined(separator: ",")) }
        guard let modified, let limit = request.fields[.ifUnmodifiedSince].flatMap(HTTPDate.init) else {
            return false
        }
        return modified.seconds > limit.seconds
    }

    func notModified(_ tag: EntityTag) -> DoorResponse {
        DoorResponse(.notModified, fields: cacheFields(tag), body: .none)
    }

    /// A disposition with the name that was asked for, or else `name`.
    func disposition(_ kind: ContentDisposition, default name: String) -> String {
        let isDownload = request.target.isSet("download")
        return (isDownload ? .attachment : kind).value(
            filename: FilenameParameter.value(of: request.target) ?? name)
    }
}

extension HTTPFields {
    /// The same fields and one more.
    func with(_ name: HTTPField.Name, _ value: String) -> HTTPFields {
        var fields = self
        fields[name] = value
        return fields
    }
}
