import Access
import CAR
import Catalog
import Digests
import IPLD
import Multiformats
import NodeService
import SyncProtocol
import TestKit
import Testing
import TreeValues

/// Calls of the sync protocol over a connection.
extension HTTPConnection {
    /// Sends a call without waiting for its answer.
    func sendCall(
        _ method: String, _ path: String, _ body: [UInt8], type: String, _ fields: String = "",
        length: Int? = nil
    ) {
        var content = "Content-Type: \(type)\r\nContent-Length: \(length ?? body.count)\r\n"
        // Who writes says as which device.
        let writes = path.hasSuffix("/commit") || path.hasSuffix("/blocks/store")
        if writes, !fields.contains("X-Device-Id") { content += "X-Device-Id: a-test\r\n" }
        send(Array(Self.request("/sync/v1" + path, fields + content, method: method).utf8) + body)
    }

    func post(
        _ path: String, _ message: IPLDValue, _ fields: String = "", form: WireForm = .cbor
    ) throws -> Answer {
        sendCall("POST", path, try form.encode(message), type: form.rawValue, fields)
        return try answer()
    }

    /// Sends blocks; `tail` bytes of the end are left out.
    func store(
        _ namespace: String, _ blocks: [Block], _ fields: String, withoutLast tail: Int = 0, count: Int? = nil
    ) throws -> Answer {
        let body = Array(SyncCalls.car(blocks).dropLast(tail))
        sendCall(
            "POST", "/ns/\(namespace)/blocks/store", body, type: "application/vnd.ipld.car",
            fields + (count.map { "X-Block-Count: \($0)\r\n" } ?? ""))
        return try answer()
    }
}

extension HTTPConnection.Answer {
    /// The message in the body, by the form that the answer says it has.
    func message(_ location: SourceLocation = #_sourceLocation) throws -> IPLDValue {
        let form = try #require(
            WireForm(mediaType: fields["content-type"] ?? ""), "\(status) \(text)", sourceLocation: location)
        return try form.decode(body, maximumBytes: body.count)
    }

    /// What a call was refused for.
    var problem: SyncProblem? {
        guard let value = try? message() else { return nil }
        return try? SyncProblem(value)
    }
}

enum SyncCalls {
    static func block(_ text: String) -> Block { block(Array(text.utf8)) }

    static func block(_ bytes: [UInt8]) -> Block {
        Block(
            cid: CID(codec: .raw, multihash: bytes.withUnsafeBytes { Multihash.sha256(of: $0) }), bytes: bytes
        )
    }

    /// A CARv1 without roots, made by hand: a block need not be what its CID says.
    static func car(_ blocks: [Block]) -> [UInt8] {
        // {"roots": [], "version": 1}
        var bytes: [UInt8] =
            [0x11, 0xA2, 0x65] + Array("roots".utf8) + [0x80, 0x67] + Array("version".utf8) + [0x01]
        for block in blocks {
            var length = block.cid.bytes.count + block.bytes.count
            while length >= 0x80 {
                bytes.append(UInt8(length & 0x7F) | 0x80)
                length >>= 7
            }
            bytes += [UInt8(length)] + block.cid.bytes + block.bytes
        }
        return bytes
    }

    static func blocks(ofCAR bytes: [UInt8]) throws -> [Block] {
        var rest = bytes[...]
        var stream = CARStream { buffer in
            let count = min(buffer.count, rest.count)
            buffer.copyBytes(from: rest.prefix(count))
            rest = rest.dropFirst(count)
            return count
        }
        _ = try stream.header()
        var blocks: [Block] = []
        while let section = try stream.next() { blocks.append(section.block) }
        return blocks
    }

    static func wait(_ info: NamespaceInfo, at jid: JID, seconds: Int) -> IPLDValue {
        WaitRequest(
            positions: [.init(namespace: info.id, epoch: info.epoch, jid: jid)], seconds: seconds
        ).value(.cbor)
    }
}

extension ServerLaboratory {
    /// The protocol for who may do everything, without HTTP.
    var owner: SyncService { owner(as: "") }

    /// The same, as a device calls itself.
    func owner(as device: String) -> SyncService {
        SyncService(node, as: .localAdministrator, device: device)
    }

    /// The field with a new key.
    func key(
        _ operations: [Access.Operation] = [.admin], in project: ProjectID = .default, scope: Resource? = nil
    ) throws -> String {
        var draft = GrantDraft(name: "key", operations: OperationSet(operations), project: project)
        draft.scope = scope ?? .project(project)
        let issued = try authority.grants.create(draft, by: .localAdministrator)
        return "Authorization: Bearer \(issued.token.text)\r\n"
    }

    /// Puts a small file, or other content in its place; without HTTP.
    @discardableResult
    func put(
        _ name: String, _ text: String, in info: NamespaceInfo, below parent: NodeID? = nil,
        over known: SyncNode? = nil
    ) throws -> SyncNode {
        var node =
            known
            ?? SyncNode(
                id: NodeID(bits: .random(in: 0 ... .max)), parent: parent ?? info.root, name: name,
                kind: .file)
        // What a client says of times is data, and no answer of HTTP follows it.
        node.modified = 1_000_000_000
        return try change(
            .put(node, base: known?.contentRevision, .inline(Array(text.utf8))), in: info)
    }

    @discardableResult
    func makeDirectory(_ name: String, in info: NamespaceInfo) throws -> SyncNode {
        try change(
            .makeDirectory(
                SyncNode(
                    id: NodeID(bits: .random(in: 0 ... .max)), parent: info.root, name: name, kind: .directory
                )),
            in: info)
    }

    @discardableResult
    func change(_ change: SyncOperation.Change, in info: NamespaceInfo) throws -> SyncNode {
        let operation = SyncOperation(id: NodeID(bits: .random(in: 0 ... .max)), change)
        let answer = try owner(as: "test").commit(
            CommitRequest(epoch: info.epoch, operations: [operation]), to: info.id)
        guard case .done(let node)? = answer.results.first else {
            throw SyncFailure.badRequest("\(answer)")
        }
        return node
    }
}
