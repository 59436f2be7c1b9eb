import HTTPSupport
import HTTPTypes
import IPLD
import Multiformats

/// The bytes of one block, as a block or as a document.
struct BlockAnswer {
    let answer: ContentAnswer
    let resolved: ResolvedPath

    init(_ answer: ContentAnswer, _ resolved: ResolvedPath) {
        self.answer = answer
        self.resolved = resolved
    }

    /// Spec: trustless gateway, "Block responses".
    func raw() -> DoorResponse {
        whole(
            tag: EntityTag(resolved.cid.description + ".raw"), type: ContentFormat.raw.mediaType,
            disposition: answer.disposition(.attachment, default: resolved.cid.description + ".bin"))
    }

    /// A JSON or CBOR document, which need not be decoded to be sent.
    func document(type: ContentFormat) -> DoorResponse {
        let isJSON = type == .json || type == .dagJSON
        let suffix = isJSON ? "json" : "cbor"
        return whole(
            tag: EntityTag(
                resolved.cid.description + (answer.negotiated.format == nil ? "" : "." + type.rawValue)),
            type: type.mediaType,
            disposition: answer.disposition(
                isJSON ? .inline : .attachment, default: "\(resolved.cid).\(suffix)"))
    }

    private func whole(tag: EntityTag, type: String, disposition: String) -> DoorResponse {
        if answer.isUnchanged(tag) { return answer.notModified(tag) }
        var fields = answer.cacheFields(tag)
        fields[.contentType] = type
        fields[.contentDisposition] = disposition
        fields[.acceptRanges] = "bytes"
        let bytes = resolved.block.bytes
        guard let header = answer.request.fields[.range], let specs = ByteRangeSpec.parse(header) else {
            return DoorResponse(.ok, fields: fields, body: .bytes(bytes))
        }
        if let condition = answer.request.fields[.ifRange], !tag.allowsRange(ifRange: condition) {
            return DoorResponse(.ok, fields: fields, body: .bytes(bytes))
        }
        let size = UInt64(bytes.count)
        guard let range = specs.lazy.compactMap({ $0.range(in: size) }).first else {
            return DoorResponse(
                .rangeNotSatisfiable, fields: [.contentRange: "bytes */\(size)"])
        }
        fields[.contentRange] = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(size)"
        return DoorResponse(
            .partialContent, fields: fields,
            body: .bytes(Array(bytes[Int(range.lowerBound)..<Int(range.upperBound)])))
    }
}
