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
    func raw() throws -> DoorResponse {
        try whole(
            tag: EntityTag(resolved.cid.description + ".raw"), type: ContentFormat.raw.mediaType,
            disposition: answer.disposition(.attachment, default: resolved.cid.description + ".bin"))
    }

    /// A JSON or CBOR document, which need not be decoded to be sent.
    func document(type: ContentFormat) throws -> DoorResponse {
        let isJSON = type == .json || type == .dagJSON
        let suffix = isJSON ? "json" : "cbor"
        return try whole(
            tag: EntityTag(
                resolved.cid.description + (answer.negotiated.format == nil ? "" : "." + type.rawValue)),
            type: type.mediaType,
            disposition: answer.disposition(
                isJSON ? .inline : .attachment, default: "\(resolved.cid).\(suffix)"))
    }

    private func whole(tag: EntityTag, type: String, disposition: String) throws -> DoorResponse {
        if answer.isUnchanged(tag) { return answer.notModified(tag) }
        var fields = answer.cacheFields(tag)
        fields[.contentType] = type
        fields[.contentDisposition] = disposition
        fields[.acceptRanges] = "bytes"
        let bytes = resolved.block.bytes
        let content = PartialContent(
            request: answer.request, tag: tag, modified: nil, size: UInt64(bytes.count))
        return try content.response(fields) { range in
            .bytes(
                range.count == bytes.count
                    ? bytes : Array(bytes[Int(range.lowerBound)..<Int(range.upperBound)]))
        }
    }
}
