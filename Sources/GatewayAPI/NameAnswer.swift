import HTTPSupport
import HTTPTypes
import IPNS
import Multiformats
import NodeCore

/// The answer to `/ipns/…`: the content that a name leads to, or the record of the name itself.
struct NameAnswer {
    let gateway: Gateway
    let request: DoorRequest
    let path: GatewayPath

    init(_ gateway: Gateway, _ request: DoorRequest, _ path: GatewayPath) {
        self.gateway = gateway
        self.request = request
        self.path = path
    }

    func response() throws -> DoorResponse {
        let name = try path.rootName()
        if try NegotiatedFormat(request).format == .ipnsRecord { return try record(of: name) }
        // One form of a key for all caches.
        if case .key(let key) = name, path.origin.isShared, path.rootText != key.ipnsName {
            let rest = request.target.encodedSegments.dropFirst(2).map { "/" + $0 }.joined()
            let query = request.target.query.map { "?" + $0 } ?? ""
            return DoorResponse(.found, fields: [.location: "/ipns/\(key.ipnsName)\(rest)\(query)"])
        }
        let resolution: NameResolution
        do {
            resolution = try gateway.node.resolve(try ContentPath(root: name))
        } catch let error as NameError {
            // Spec: DNSLink, what goes in a circle is a mistake of who asks for it.
            guard case .tooManySteps = error else {
                throw GatewayFailure.nameNotResolved(path.rootText, reason: error.description)
            }
            throw GatewayFailure.badRequest("\(path.rootText): \(error)")
        } catch {
            throw GatewayFailure.nameNotResolved(path.rootText, reason: String(describing: error))
        }
        let place = ContentPlace(
            root: resolution.root, segments: resolution.path.segments + path.segments,
            hidden: resolution.path.segments.count, remainingTTL: resolution.remainingTTL)
        return try ContentAnswer(gateway, request, path, at: place).response()
    }

    /// Spec: trustless gateway, "IPNS record responses".
    private func record(of name: ContentPath.Root) throws -> DoorResponse {
        guard path.segments.isEmpty, case .key(let key) = name else {
            throw GatewayFailure.badRequest("a record belongs to the name of a key, without a path")
        }
        let now = IPNSTime.now
        guard let record = try gateway.node.validRecord(of: key, at: now) else {
            throw GatewayFailure.nameNotResolved(path.rootText, reason: "this node has no valid record of it")
        }
        let tag = EntityTag(RecordTag.text(record.bytes))
        var fields: HTTPFields = [.eTag: tag.description]
        fields[.cacheControl] = "public, max-age=\(max(0, record.remainingTTL(at: now).components.seconds))"
        let known = request.fields[values: .ifNoneMatch]
        if !known.isEmpty, tag.isNamed(in: known.joined(separator: ",")) {
            return DoorResponse(.notModified, fields: fields)
        }
        fields[.contentType] = ContentFormat.ipnsRecord.mediaType
        fields[.contentDisposition] = ContentDisposition.attachment.value(
            filename: FilenameParameter.value(of: request.target) ?? "\(key.ipnsName).ipns-record")
        fields[.contentTypeOptions] = "nosniff"
        fields[.ipfsPath] = path.shown
        return DoorResponse(.ok, fields: fields, body: .bytes(record.bytes))
    }
}

/// A tag made from the bytes of a record.
enum RecordTag {
    /// 16 hexadecimal digits: FNV-1a tells versions of one name apart, which are signed anyway.
    static func text(_ bytes: [UInt8]) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
