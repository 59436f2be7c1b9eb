import Access
import BlockStorage
import CAR
import Catalog
import HTTPSupport
import HTTPTypes
import Multiformats
import NodeCore
import NodeMessages
import NodeService
import UnixFS

/// Takes in one upload: a file, a form of files with relative paths, or a CAR, as it comes.
struct UploadHandler {
    private let request: APIRequest
    private let parameters: ImportParameters
    private let visibility: String
    private let isPinned: Bool

    /// The most files of one form.
    static let maximumFormFiles = 100_000
    /// The most bytes of a form's field that is no file.
    private static let maximumFieldBytes = 64 * 1024

    init(_ request: APIRequest) throws {
        self.request = request
        let defaults = try request.node.defaults()
        let profile = request.query["profile"] ?? defaults.profile
        var parameters = try ImportParameters.profile(named: profile)
        if let text = request.query["chunker"] { parameters.chunker = try ChunkerKind(text: text) }
        self.parameters = parameters
        visibility = try request.node.visibilityOfNew(request.query["visibility"]).rawValue
        isPinned = try request.flag("pin") ?? true
    }

    func respond() throws -> DoorResponse {
        let lease = try request.node.beginLease()
        defer { lease.end() }
        let type = request.request.fields[.contentType] ?? ""
        let essence = type.prefix { $0 != ";" }.lowercased().filter { $0 != " " }
        let reader = RequestBodyReader(request.body, limit: request.admission.maximumBytes ?? .max)
        do {
            let message: UploadMessage
            switch essence {
            case "multipart/form-data": message = try form(reader, type)
            case "application/vnd.ipld.car": message = try car(reader)
            default: message = try file(reader)
            }
            return try .json(message, .created)
        } catch let error as RequestBodyError {
            if case .tooLarge(let limit) = error {
                throw AccessError.tooLarge(bytes: limit + 1, limit: limit)
            }
            throw error
        }
    }

    // MARK: A file

    private func file(_ reader: RequestBodyReader) throws -> UploadMessage {
        var reader = reader
        let name = try self.name() ?? "upload"
        let entry = try importer().add(streamNamed: Array(name.utf8)) { try reader.read(into: $0) }
        var upload = UploadMessage(
            cid: entry.cid.description, name: name, bytes: Int64(clamping: entry.contentBytes), entries: 1)
        try keep(&upload, entry.cid, received: reader.received)
        return upload
    }

    /// What the pin is called.
    private func name() throws -> String? {
        guard let name = request.query["name"] else { return nil }
        guard !name.isEmpty, !name.contains("/"), name.utf8.count <= 1024 else {
            throw APIRequest.invalid("name has 1 to 1024 bytes and no /")
        }
        return name
    }

    private func importer() -> Importer {
        var options = ImportOptions(parameters: parameters, threads: 1)
        // Many uploads may be under way at once.
        options.bufferBytes = 8 * 1024 * 1024 + 4096
        if visibility == "public" { options.scope.insert(.public) }
        return Importer(store: request.node.blocks, options: options)
    }

    // MARK: A form

    private func form(_ reader: RequestBodyReader, _ type: String) throws -> UploadMessage {
        var form = try MultipartReader(reader, contentType: type)
        let importer = importer()
        var tree = UploadTree()
        var files = 0
        var bytes: Int64 = 0
        while let part = try form.nextPart() {
            // A browser sends a field of files without a choice as a file without a name.
            guard let filename = part.filename, !filename.isEmpty else {
                try skip(&form)
                continue
            }
            try request.admission.check(contentType: part.contentType)
            files += 1
            guard files <= Self.maximumFormFiles else {
                throw NodeFailure(
                    .tooLarge, code: "too-many-files",
                    detail: "a form may have \(Self.maximumFormFiles) files; send a CAR, or use `nacre add`")
            }
            let path = try UploadTree.path(filename)
            var rest: ArraySlice<UInt8> = []
            let entry = try importer.add(streamNamed: path.last ?? []) { target in
                if rest.isEmpty { rest = try form.nextBytes() ?? [] }
                let count = min(rest.count, target.count)
                rest.prefix(count).withUnsafeBytes { target.copyMemory(from: $0) }
                rest = rest.dropFirst(count)
                return count
            }
            bytes += Int64(clamping: entry.contentBytes)
            try tree.insert(entry, at: path)
        }
        guard files > 0 else {
            throw APIRequest.invalid(
                "the form has no file: a part with a filename in its Content-Disposition")
        }
        let root = try tree.root(wrapping: try request.flag("wrap") ?? false) { try importer.wrap($0) }
        let name = try self.name() ?? (root.name.isEmpty ? "upload" : PathText.printable(root.name))
        var upload = UploadMessage(
            cid: root.cid.description, name: name, bytes: bytes, entries: files + tree.directories)
        try keep(&upload, root.cid, received: form.received)
        return upload
    }

    private func skip(_ form: inout MultipartReader) throws {
        var bytes = 0
        while let piece = try form.nextBytes() {
            bytes += piece.count
            guard bytes <= Self.maximumFieldBytes else {
                throw APIRequest.invalid("a part of the form without a filename is too large")
            }
        }
    }

    // MARK: A CAR

    private func car(_ reader: RequestBodyReader) throws -> UploadMessage {
        var reader = reader
        let blocks = request.node.blocks
        let report = try CARImportReport(
            importing: { try reader.read(into: $0) }, into: blocks, options: CARReadingOptions(),
            scope: visibility == "public" ? [.defaultProject, .public] : .defaultProject,
            cancellation: Cancellation(), progress: { _ in },
            walk: { root in
                let walked = try request.node.walk(root, .none)
                return StorageNode.WalkReport(
                    blocks: walked.blocks, bytes: walked.bytes, missing: walked.missing,
                    firstMissing: try walked.firstMissing.map { try CID(text: $0) })
            })
        guard let first = report.roots.first else {
            throw APIRequest.invalid("the CAR names no root; its blocks are stored and nothing keeps them")
        }
        let name = try self.name() ?? "upload"
        var upload = UploadMessage(
            cid: first.description, name: name, bytes: report.bytes, entries: report.blocks)
        upload.roots = report.roots.map(\.description)
        try request.admission.check(root: first, bytes: reader.received)
        if isPinned {
            for (index, root) in report.roots.enumerated() {
                var pin = PinRequest(cid: root.description, name: name, visibility: visibility)
                pin.allowMissing = report.missing[root] != nil
                let pinned = try request.node.pinStored(pin)
                if index == 0 { upload.pin = pinned }
            }
        }
        try request.admission.settle(bytes: reader.received)
        return upload
    }

    // MARK: The end of all

    /// Pins what came, durable from then on, and counts it.
    private func keep(_ upload: inout UploadMessage, _ root: CID, received: Int64) throws {
        try request.admission.check(root: root, bytes: received)
        try request.node.blocks.commit()
        if isPinned {
            var pin = PinRequest(cid: upload.cid, name: upload.name, visibility: visibility)
            pin.parameters = parameters.recordText
            pin.bytes = upload.bytes
            upload.pin = try request.node.pinStored(pin)
        }
        try request.admission.settle(bytes: received)
    }
}
