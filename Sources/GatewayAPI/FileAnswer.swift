import HTTPSupport
import HTTPTypes
import IPLD
import Multiformats
import NodeCore
import UnixFS

/// A file: whole, a range of it, or the news that it has not changed.
struct FileAnswer {
    let answer: ContentAnswer
    let resolved: ResolvedPath
    let tag: EntityTag
    let name: String?
    /// What the client asked for, instead of what the file seems to be.
    let contentType: String?

    init(
        _ answer: ContentAnswer, _ resolved: ResolvedPath, contentType: String? = nil, tag: EntityTag? = nil,
        name: String? = nil
    ) {
        self.answer = answer
        self.resolved = resolved
        self.contentType = contentType
        self.tag = tag ?? EntityTag(resolved.cid.description)
        self.name = name ?? answer.path.segments.last.flatMap { String(validating: $0, as: UTF8.self) }
    }

    func response() throws -> DoorResponse {
        if answer.request.fields[.ifMatch] == nil, answer.isUnchanged(tag) {
            return answer.notModified(tag)
        }
        let reader = try UnixFSFileReader(source: answer.source, root: resolved.block)
        var fields = answer.cacheFields(tag)
        fields[.acceptRanges] = "bytes"
        let modified = answer.place.modified ?? reader.metadata.mtime.map { HTTPDate(seconds: $0.seconds) }
        if answer.isUnwanted(tag, modified: modified) {
            return DoorResponse(.preconditionFailed, fields: fields)
        }
        if answer.isUnchanged(tag) { return answer.notModified(tag) }
        if let date = modified {
            fields[.lastModified] = date.description
            if answer.request.fields[.ifNoneMatch] == nil,
                let since = answer.request.fields[.ifModifiedSince].flatMap(HTTPDate.init),
                date.seconds <= since.seconds
            {
                return DoorResponse(.notModified, fields: fields)
            }
        }
        fields[.contentType] = try contentType ?? type(reader)
        if let disposition { fields[.contentDisposition] = disposition }
        sandbox(&fields)
        let content = PartialContent(
            request: answer.request, tag: tag, modified: modified, size: reader.size)
        return try content.response(fields) { try body(reader, $0) }
    }

    private func type(_ reader: UnixFSFileReader) throws -> String {
        let named = FilenameParameter.value(of: answer.request.target) ?? name
        if let named, let known = MediaType.of(name: named) { return known }
        var beginning: [UInt8] = []
        if reader.size > 0 {
            var cursor = try reader.cursor(0..<min(512, reader.size))
            while let piece = try cursor.next() { beginning += piece }
        }
        return MediaType.of(name: nil, beginning: beginning)
    }

    private var disposition: String? {
        let target = answer.request.target
        let filename = FilenameParameter.value(of: target)
        if target.isSet("download") { return ContentDisposition.attachment.value(filename: filename) }
        return filename.map { ContentDisposition.inline.value(filename: $0) }
    }

    /// On the path gateway all content shares one origin with whatever else is served there: a page gets
    /// none of its own rights.
    private func sandbox(_ fields: inout HTTPFields) {
        guard answer.path.origin.isShared else { return }
        fields[.contentSecurityPolicy] =
            "sandbox allow-downloads allow-forms allow-modals allow-popups allow-popups-to-escape-sandbox allow-scripts"
    }

    private func body(_ reader: UnixFSFileReader, _ range: Range<UInt64>) throws -> DoorBody {
        let length = range.upperBound - range.lowerBound
        if answer.request.method == .head { return .omitted(length: length) }
        if resolved.cid.codec == .raw, length <= Self.blockBytes {
            // It is in memory already. Behind a range lie bytes of the size of a block.
            let bytes = resolved.block.bytes
            return .bytes(
                length == bytes.count ? bytes : Array(bytes[Int(range.lowerBound)..<Int(range.upperBound)]))
        }
        if length <= Self.wholeBytes {
            var bytes: [UInt8] = []
            bytes.reserveCapacity(Int(length))
            var cursor = try reader.cursor(range)
            while let piece = try cursor.next() { bytes += piece }
            return .bytes(bytes)
        }
        let body = FileBody(try reader.cursor(range), source: answer.source)
        // A block that is missing or lies at the beginning is an error with a status.
        try body.begin()
        return .stream(body, length: length)
    }

    /// Small content goes out in one piece.
    private static let wholeBytes: UInt64 = 64 * 1024
    /// The same for a file that is one block.
    private static let blockBytes: UInt64 = 512 * 1024
}
