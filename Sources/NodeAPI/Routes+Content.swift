import Access
import CAR
import Catalog
import HTTPSupport
import HTTPTypes
import IPLD
import Multiformats
import NodeCore
import NodeMessages
import NodeService
import BlockStorage
import Digests

extension NodeAPI {
    static let contentRoutes: [APIRoute] = [
        APIRoute(
            .post, "/uploads", id: "upload",
            "Store a file, a form of files with relative paths (a folder), or a CAR, and pin it", .write,
            parameters: [
                APIParameter("name", "What the pin is called; the name of a file"),
                APIParameter("profile", "Import profile"), APIParameter("chunker", "Such as size-1048576"),
                APIParameter(
                    "visibility", ["type": "string", "enum": ["public", "private"]],
                    "Who may read; the node's default if left out"),
                APIParameter("pin", ["type": "boolean"], "Whether to keep it; yes if left out"),
                APIParameter("wrap", ["type": "boolean"], "Put a form's only file into a directory too"),
            ],
            body: .stream([
                "application/octet-stream", "multipart/form-data", "application/vnd.ipld.car",
            ]), isPatient: true, settlesItself: true, status: .created, answer: .json("Upload")
        ) { try UploadHandler($0).respond() },
        APIRoute(
            .get, "/blocks/{cid}", id: "getBlock", "The bytes of a block", .read,
            answer: .bytes("application/vnd.ipld.raw")
        ) { request in
            let cid = try request.cid("cid")
            guard let block = try request.node.blocks.block(cid) else { throw NodeError.blockNotFound(cid) }
            return DoorResponse(
                .ok,
                fields: [
                    .contentType: "application/vnd.ipld.raw", .contentTypeOptions: "nosniff",
                    .cacheControl: "private, max-age=29030400, immutable", .eTag: "\"\(cid).raw\"",
                ], body: .bytes(block.bytes))
        },
        APIRoute(
            .post, "/blocks", id: "putBlock", "Store a block; nothing pins it", .write,
            parameters: [
                APIParameter("codec", "Codec of the CID; raw if left out"),
                APIParameter("hash", "Hash function; sha2-256 if left out"),
            ], body: .stream(["application/vnd.ipld.raw"]), status: .created, answer: .json("Block")
        ) { request in
            let cid = try request.putBlock()
            return try .json(cid, .created)
        },
        APIRoute(
            .post, "/blocks/sizes", id: "sizeBlocks", "How large blocks are, without reading them", .read,
            body: .json("CIDs"), answer: .json("Sizes")
        ) { request in
            let blocks = request.node.blocks
            return try .json(SizesMessage(sizes: try request.cids().map { try blocks.size(of: $0) }))
        },
        APIRoute(
            .post, "/blocks/fetch", id: "fetchBlocks",
            "Blocks as a CAR without roots, those that are there in the order asked", .read,
            body: .json("CIDs"),
            answer: .bytes("application/vnd.ipld.car")
        ) { request in
            let (blocks, cids) = (request.node.blocks, try request.cids())
            return .car(
                PushedBody { cancellation, sink in
                    try CARv1.header(roots: []).withUnsafeBytes { try sink($0) }
                    for cid in cids {
                        try cancellation.check()
                        guard let block = try blocks.block(cid) else { continue }
                        var head: [UInt8] = []
                        CARv1.appendSectionHead(block.cid, blockBytes: block.bytes.count, to: &head)
                        try head.withUnsafeBytes { try sink($0) }
                        try block.bytes.withUnsafeBytes { try sink($0) }
                    }
                })
        },
        APIRoute(
            .get, "/dags/{cid}", id: "getDAG", "What a path in a DAG leads to, as DAG-JSON", .read,
            parameters: [APIParameter("path", "Through maps, lists and links: list/0/name")],
            answer: .bytes("application/vnd.ipld.dag-json")
        ) { request in
            let path = PathText.segments(of: request.query["path"] ?? "")
            let found: IPLDPath.Destination
            do {
                found = try IPLDPath.resolve(path, from: try request.cid("cid"), in: request.node.blocks)
            } catch let error as IPLDPathError {
                throw NodeFailure(.notFound, code: "path-not-found", detail: "\(error)")
            }
            return DoorResponse(
                .ok,
                fields: [
                    .contentType: "application/vnd.ipld.dag-json", .cacheControl: "no-store",
                    .contentTypeOptions: "nosniff",
                ], body: .bytes(try found.value.encoded(as: .dagJSON)))
        },
        APIRoute(
            .post, "/dags/{cid}/walk", id: "walkDAG",
            "Count blocks and bytes below a root, each block once: a job, and its result if that is soon",
            .read,
            isPatient: true, answer: .json("Walk")
        ) { request in
            try request.answer(
                try request.jobs.walk(try request.cid("cid"), for: request.node), patience: 2)
        },
        APIRoute(
            .get, "/cars/{cid}", id: "exportCAR", "A DAG as a CAR; the same DAG gives the same bytes", .read,
            parameters: [
                APIParameter(
                    "scope", ["type": "string", "enum": ["all", "entity", "block"]], "all if left out"),
                APIParameter("from", ["type": "integer", "minimum": 0], "The first byte of a file's range"),
                APIParameter("to", ["type": "integer", "minimum": 0], "The byte behind the range"),
                APIParameter("version", ["type": "integer", "enum": [1, 2]], "1 if left out"),
            ], isPatient: true, answer: .bytes("application/vnd.ipld.car")
        ) { try $0.exportCAR() },
    ]

    static let importRoutes: [APIRoute] = [
        APIRoute(
            .post, "/imports", id: "openImport",
            "Open an import: blocks in several requests, kept from the collector until it ends", .write,
            settlesItself: true, status: .created, answer: .json("Import")
        ) { request in
            let session = try request.imports.open(try request.node.beginLease(), request.admission)
            return try .json(
                ImportMessage(id: session.id, idleSeconds: ImportSessions.idleSeconds), .created)
        },
        APIRoute(
            .post, "/imports/{import}/missing", id: "findMissing",
            "Which of these blocks are not there yet; those that are count as just put", .write,
            isCounted: false, body: .json("CIDs"), answer: .json("CIDs")
        ) { request in
            _ = try request.session()
            let blocks = request.node.blocks
            let missing = try request.cids().filter { cid in
                guard let size = try blocks.size(of: cid) else { return true }
                // A known block is put again, which renews it; where it is damaged it is wanted anew.
                return try size > 0 && !request.node.touch(cid)
            }
            return try .json(CIDsMessage(cids: missing.map(\.description)))
        },
        APIRoute(
            .post, "/imports/{import}/blocks", id: "sendBlocks",
            "Store the blocks of a CAR, each verified; its roots are not looked at", .write,
            parameters: [
                APIParameter(
                    "visibility", ["type": "string", "enum": ["public", "private"]],
                    "Whether anybody may read the blocks; private if left out")
            ], isCounted: false, body: .stream(["application/vnd.ipld.car"]), isPatient: true,
            answer: .json("Stored")
        ) { try $0.storeBlocks() },
        APIRoute(
            .post, "/imports/{import}/commit", id: "commitImport",
            "Answers when everything that was sent survives power loss", .write, isCounted: false,
            isPatient: true, status: .noContent
        ) { request in
            _ = try request.session()
            try request.node.blocks.commit()
            return DoorResponse(.noContent)
        },
        APIRoute(
            .post, "/imports/{import}/pins", id: "pinImport",
            "Keep a root that was sent: a job, and its result if that is soon", .write, isCounted: false,
            body: .json("PinRequest"), isPatient: true, status: .created, answer: .json("Pin")
        ) { request in
            let session = try request.session()
            let pin = try request.json(PinRequest.self)
            try session.admission.check(root: try CID(text: pin.cid), bytes: 0)
            return try request.answer(
                try request.jobs.pin(pin, for: request.node), patience: 2, done: .created)
        },
        APIRoute(
            .delete, "/imports/{import}", id: "endImport",
            "End an import: what was not pinned goes after the grace period", .write, isCounted: false,
            status: .noContent
        ) { request in
            try request.imports.end(try request.session())
            return DoorResponse(.noContent)
        },
    ]
}

extension APIRequest {
    fileprivate func session() throws -> ImportSession {
        try imports.session(value("import"), of: node.principal)
    }

    fileprivate func cids() throws -> [CID] {
        let texts = try json(CIDsMessage.self).cids
        guard texts.count <= CIDsMessage.maximum else {
            throw Self.invalid("cids has at most \(CIDsMessage.maximum) members")
        }
        return try texts.map { text in
            do { return try CID(text: text) } catch { throw Self.invalid("\(Self.shown(text)): \(error)") }
        }
    }

    fileprivate func putBlock() throws -> BlockMessage {
        let codecName = query["codec"] ?? "raw"
        guard let codec = MulticodecTable.code(named: codecName).map(Codec.init(rawValue:)) else {
            throw Self.invalid("no codec is named \(Self.shown(codecName))")
        }
        let hashName = query["hash"] ?? "sha2-256"
        guard let function = MulticodecTable.code(named: hashName).map(MultihashCode.init(rawValue:)) else {
            throw Self.invalid("no hash function is named \(Self.shown(hashName))")
        }
        var reader = RequestBodyReader(body, limit: Int64(Block.defaultMaximumBytes))
        let block: Block
        do {
            let bytes = try reader.readAll()
            block = Block(cid: try CID(hashing: bytes, codec: codec, with: function), bytes: bytes)
            // A block that its codec cannot read would break every walk that comes by.
            if Block.canLink(codec) { _ = try block.value() }
        } catch let error as RequestBodyError {
            throw NodeFailure(.tooLarge, code: "too-large", detail: error.description)
        } catch {
            throw Self.invalid("the body is no block of that codec and hash: \(error)")
        }
        try node.blocks.put(block)
        try node.blocks.commit()
        return BlockMessage(cid: block.cid.description, bytes: block.bytes.count)
    }

    fileprivate func storeBlocks() throws -> DoorResponse {
        let session = try session()
        var scope: ScopeMarks = .defaultProject
        if let visibility = query["visibility"] {
            if try node.visibilityOfNew(visibility) == .public { scope.insert(.public) }
        }
        var reader = RequestBodyReader(body, limit: session.remainingBytes)
        var stored = StoredMessage(newBlocks: 0, newBytes: 0, knownBlocks: 0, knownBytes: 0)
        do {
            var stream = CARStream(options: CARReadingOptions()) { try reader.read(into: $0) }
            _ = try stream.header()
            while let section = try stream.next() {
                session.touch()
                let summary = try node.blocks.put(section.block, scope: scope)
                stored.newBlocks += summary.newBlocks
                stored.newBytes += summary.newBytes
                stored.knownBlocks += summary.knownBlocks
                stored.knownBytes += summary.knownBytes
            }
        } catch let error as RequestBodyError {
            throw NodeFailure(.tooLarge, code: "bytes-exhausted", detail: error.description)
        }
        session.count(bytes: reader.received)
        return try .json(stored)
    }

    fileprivate func exportCAR() throws -> DoorResponse {
        let cid = try cid("cid")
        var options = CARExportOptions()
        if let text = query["scope"] {
            guard let scope = CARExportOptions.Scope(rawValue: text) else {
                throw Self.invalid("scope is all, entity or block")
            }
            options.scope = scope
        }
        if try number("version", 1...2) == 2 { options.format = .version2 }
        let from = try number("from", 0...Int64.max)
        let to = try number("to", 0...Int64.max)
        if from != nil || to != nil {
            let (from, to) = (UInt64(from ?? 0), UInt64(to ?? .max))
            guard from <= to else { throw Self.invalid("from is behind to") }
            options.scope = .entity
            options.entityBytes = from..<to
        }
        guard try node.blocks.size(of: cid) != nil else { throw NodeError.blockNotFound(cid) }
        if !node.seesAll {
            // The export reads past the marks: what is below must all be this project's.
            let walked = try node.walk(cid, .none)
            if let first = walked.firstMissing, walked.missing > 0, options.scope == .all {
                throw NodeError.incomplete(root: cid, missing: try CID(text: first), count: walked.missing)
            }
            guard options.scope == .all || walked.missing == 0 else { throw NodeError.blockNotFound(cid) }
        }
        let (node, chosen) = (node, options)
        return .car(
            PushedBody { cancellation, sink in
                try withoutActuallyEscaping(sink) { sink in
                    try node.exportCAR(
                        cid, chosen, Watch(cancellation: cancellation), sink: { try sink($0) })
                }
            })
    }
}

extension DoorResponse {
    fileprivate static func car(_ body: PushedBody) -> DoorResponse {
        DoorResponse(
            .ok,
            fields: [
                .contentType: "application/vnd.ipld.car; version=1", .cacheControl: "no-store",
                .contentTypeOptions: "nosniff",
            ], body: .stream(body, length: nil))
    }
}
