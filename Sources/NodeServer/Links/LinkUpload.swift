import Access
import GatewayAPI
import HTTPSupport
import HTTPTypes
import NodeCore
import NodeMessages
import NodeService

/// Files that somebody sends by a link: one as the body of a PUT, or several in a form.
///
/// Each is asked for apart: it is a use, has its type and its size, and what came before one that is
/// refused stays.
struct LinkUpload: Sendable {
    private let visit: LinkVisit
    private let request: DoorRequest
    private let box: DropBox
    /// What the head says of the length of the body.
    let length: Int64?
    private let form: String?

    /// Bytes that may have come and not been looked at yet: those of one piece of the body.
    private static let window: Int64 = 1024 * 1024
    /// The most files of one form.
    private static let maximumFiles = 1000

    /// - Throws: why nothing is taken.
    init(_ visit: LinkVisit, _ request: DoorRequest, _ node: StorageNode) throws {
        self.visit = visit
        self.request = request
        guard visit.link.role == .writerOnly else { throw AccessError.operationNotAllowed(.write) }
        try visit.check(.write)
        box = try visit.dropBox(node)
        length = request.fields[.contentLength].flatMap { Int64($0) }
        let type = request.fields[.contentType] ?? ""
        let essence = type.prefix { $0 != ";" }.lowercased().filter { $0 != " " }
        form = essence == "multipart/form-data" ? type : nil
        if form == nil, request.method != .put {
            throw NodeFailure(
                .unsupported, code: "unsupported-type",
                detail: "files come as multipart/form-data, or by PUT (curl -T FILE)")
        }
    }

    /// - Parameter report: is told of what is not the client's doing.
    func respond(body: any RequestBytes, report: (any Error) -> Void) -> DoorResponse {
        var received: [String] = []
        do {
            if let form {
                try takeForm(body, form, &received)
            } else {
                received.append(try takeBody(body))
            }
            return LinkRefusal.protected(
                LinkPages.uploaded(request, .created, received: received, problem: nil))
        } catch {
            guard !received.isEmpty else { return LinkRefusal.response(to: request, error, report: report) }
            let (status, problem) = LinkRefusal.status(of: error, report: report)
            return LinkRefusal.protected(
                LinkPages.uploaded(request, status, received: received, problem: problem))
        }
    }

    private func takeBody(_ body: any RequestBytes) throws -> String {
        let rest = request.target.encodedSegments.dropFirst(2)
        guard rest.count == 1, let segment = rest.first, !segment.isEmpty,
            let bytes = try? PercentCoding.decode(segment),
            let name = String(validating: bytes, as: UTF8.self)
        else {
            throw NodeFailure(
                .invalid, code: "invalid-value",
                detail: "a file is put under a name: /c/TOKEN/NAME; curl -T FILE adds it behind a slash")
        }
        var reader = RequestBodyReader(body)
        return try take(name, request.fields[.contentType], length, atMost: nil) {
            try reader.read(into: $0)
        }
    }

    private func takeForm(_ body: any RequestBytes, _ type: String, _ received: inout [String]) throws {
        var form = try MultipartReader(RequestBodyReader(body), contentType: type)
        while let part = try form.nextPart() {
            // A browser sends a field of files without a choice as a file without a name.
            guard let name = part.filename, !name.isEmpty else {
                var bytes = 0
                while let piece = try form.nextBytes() {
                    bytes += piece.count
                    guard bytes <= 64 * 1024 else {
                        throw NodeFailure(
                            .tooLarge, code: "too-large", detail: "a field of the form is too large")
                    }
                }
                continue
            }
            guard received.count < Self.maximumFiles else {
                throw NodeFailure(
                    .tooLarge, code: "too-many-files",
                    detail: "a form may have \(Self.maximumFiles) files; send the rest in another")
            }
            var rest: ArraySlice<UInt8> = []
            let left = length.map { max(0, $0 - form.received) }
            let taken = try take(
                name, part.contentType, nil, atMost: left.map { $0 + Self.window }
            ) { target in
                if rest.isEmpty { rest = try form.nextBytes() ?? [] }
                let count = min(rest.count, target.count)
                rest.prefix(count).withUnsafeBytes { target.copyMemory(from: $0) }
                rest = rest.dropFirst(count)
                return count
            }
            received.append(taken)
        }
        guard !received.isEmpty else {
            throw NodeFailure(
                .invalid, code: "no-file",
                detail: "the form has no file: a part with a filename in its Content-Disposition")
        }
    }

    /// Takes one file within what the link still allows. What is broken off or too large is no file and no
    /// use; what was stored of it stays until the collector comes, and so counts as bytes of the link: they
    /// are what whoever has it can make the node store.
    ///
    /// - Returns: what it is called in the folder: see ``DropBox/take(_:read:)``.
    private func take(
        _ name: String, _ type: String?, _ bytes: Int64?, atMost: Int64?,
        read: (UnsafeMutableRawBufferPointer) throws -> Int
    ) throws -> String {
        let admission = try visit.admit(
            .write, contentType: type ?? MediaType.of(name: name), bytes: bytes, atMost: atMost)
        let stored = StoredBytes()
        do {
            var count: Int64 = 0
            let taken = try box.take(name, bytes: bytes, stored) { target in
                let read = try read(target)
                count += Int64(read)
                if let maximum = admission.maximumBytes, count > maximum {
                    throw AccessError.tooLarge(bytes: count, limit: maximum)
                }
                return read
            }
            try admission.settle(bytes: taken.bytes)
            return taken.name
        } catch {
            // If this fails, all that was reserved stays counted. After a settlement it does nothing.
            try? admission.giveBack(keeping: stored.count)
            throw error
        }
    }
}
