import Access
import BlockStorage
import HTTPSupport
import HTTPTypes
import IPLD
import Multiformats
import NodeCore
import NodeMessages
import NodeService
import UnixFS

extension NodeAPI {
    static let fileRoutes: [APIRoute] = [
        APIRoute(
            .get, "/content/{cid}", id: "getContent",
            "The bytes of a file, or a part of them; ranges and conditions as in RFC 9110", .read,
            parameters: [
                .path,
                APIParameter("offset", ["type": "integer", "minimum": 0], "The first byte; 0 if left out"),
                APIParameter("length", ["type": "integer", "minimum": 0], "At most so many bytes"),
            ], isPatient: true, answer: .file
        ) { try $0.content() },
        APIRoute(
            .get, "/directories/{cid}", id: "listDirectory",
            "The entries of a directory, in the order of names",
            .read, parameters: [.path, .cursor, .limit], isPatient: true, answer: .json("DirectoryPage")
        ) { try $0.directory() },
    ]
}

/// An entry of a directory.
struct EntryMessage: Codable, Hashable, Sendable {
    /// What is not UTF-8 is replaced by `\u{FFFD}`.
    var name: String
    var cid: String
    /// Bytes of everything below, as the link claims.
    var dagBytes: UInt64?
}

extension APIRequest {
    /// What the path leads to.
    private func place() throws -> (block: Block, unixfs: UnixFSStat) {
        let path = PathText.segments(of: query["path"] ?? "")
        let root = try cid("cid")
        guard try node.blocks.size(of: root) != nil else { throw NodeError.blockNotFound(root) }
        let cid = try PathLookup.resolve(path, from: root, in: node.blocks)
        let block = try node.blocks.requireBlock(cid)
        guard let unixfs = try UnixFSStat.ifUnixFS(block) else {
            throw NodeFailure(
                .invalid, code: "not-unixfs", detail: "\(cid) is no file; /dags and /blocks give what it is")
        }
        return (block, unixfs)
    }

    fileprivate func content() throws -> DoorResponse {
        let (block, unixfs) = try place()
        switch unixfs.kind {
        case .file, .raw: break
        case .directory, .shardedDirectory:
            throw NodeFailure(
                .invalid, code: "is-directory", detail: "this is a directory; /directories lists it")
        case .symlink:
            throw NodeFailure(.invalid, code: "is-symlink", detail: "this is a symlink, which has no content")
        }
        let reader = try UnixFSFileReader(source: node.blocks, root: block)
        let start = min(UInt64(try number("offset", 0...Int64.max) ?? 0), reader.size)
        let wanted = try number("length", 0...Int64.max).map { UInt64($0) } ?? .max
        let range = start..<(start + min(wanted, reader.size - start))
        let name = PathText.segments(of: query["path"] ?? "").last.map { String(decoding: $0, as: UTF8.self) }
        let fields: HTTPFields = [
            .contentType: name.flatMap { MediaType.of(name: $0) } ?? "application/octet-stream",
            // Kept, and asked for again before it is shown: what a grant allows may have changed.
            .cacheControl: "private, no-cache", .vary: "Authorization, Cookie",
            .contentTypeOptions: "nosniff",
            // Whoever opens this in a browser gets a file, never a page of the node's own.
            .contentDisposition: "attachment", .contentSecurityPolicy: "sandbox",
        ]
        return FileRepresentation(request, reader, range, fields).response()
    }

    fileprivate func directory() throws -> DoorResponse {
        let (block, unixfs) = try place()
        guard unixfs.kind.isDirectory else {
            throw NodeFailure(.invalid, code: "not-a-directory", detail: "this is no directory")
        }
        let reader = try DirectoryReader(source: node.blocks, root: block)
        let cursor: DirectoryCursor?
        do {
            cursor = try query["cursor"].map { try DirectoryCursor(text: $0) }
        } catch {
            throw Self.invalid("cursor is not one of this list")
        }
        let page = try reader.page(after: cursor, limit: try limit())
        let entries = page.entries.map { entry in
            EntryMessage(
                name: String(decoding: entry.name, as: UTF8.self), cid: entry.cid.description,
                dagBytes: entry.dagBytes)
        }
        return try .json(PageMessage(items: entries, next: page.next?.description))
    }
}
