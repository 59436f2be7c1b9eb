import Foundation
import HTTPSupport
import HTTPTypes
import IPLD
import NodeMessages
import NodeService
import SyncProtocol
import TreeValues

/// Links and members, in the messages of the node's API.
extension SyncAPI {
    static let sharingRoutes: [SyncRoute] = [
        SyncRoute(.get, "/ns/{ns}/links") { call in
            var links: [LinkMessage] = []
            try call.service.sharing().forEachLink(inNamespace: call.namespace) { links.append($0) }
            return try call.answer(of: ["links": links])
        },
        SyncRoute(.post, "/ns/{ns}/links") { call in
            let request = try call.message(LinkRequest.self, linkMembers)
            return try call.answer(
                of: try call.service.sharing().makeLink(request, inNamespace: call.namespace), .created)
        },
        SyncRoute(.delete, "/ns/{ns}/links/{id}") { call in
            try call.answer(
                of: try call.service.sharing().removeLink(
                    call.values["id"] ?? "", ofNamespace: call.namespace))
        },
        SyncRoute(.get, "/ns/{ns}/members") { call in
            let members = try call.service.sharing().members(ofNamespace: call.namespace).items
            return try call.answer(of: ["members": members])
        },
        SyncRoute(.post, "/ns/{ns}/members") { call in
            let request = try call.message(NamespaceMemberRequest.self, memberMembers)
            guard let user = request.user else { throw SyncFailure.badRequest("a member is a user") }
            return try call.answer(
                of: try call.service.sharing().setMember(
                    user, role: request.role, ofNamespace: call.namespace))
        },
        SyncRoute(.patch, "/ns/{ns}/members/{user}") { call in
            let request = try call.message(NamespaceMemberRequest.self, memberMembers)
            return try call.answer(
                of: try call.service.sharing().setMember(
                    call.values["user"] ?? "", role: request.role, ofNamespace: call.namespace))
        },
        SyncRoute(.delete, "/ns/{ns}/members/{user}") { call in
            try call.answer(
                of: try call.service.sharing().removeMember(
                    call.values["user"] ?? "", ofNamespace: call.namespace))
        },
    ]

    /// The members of a message about a link, as the protocol spells them and as the node's API does, and
    /// which of `LinkRequest` each is.
    private static let linkMembers = [
        "nid": "node", "node": "node", "path": "path", "role": "role", "password": "password",
        "expires": "expires", "max_uses": "maxUses", "maxUses": "maxUses", "max_bytes": "maxBytes",
        "maxBytes": "maxBytes", "max_file_bytes": "maxFileBytes", "maxFileBytes": "maxFileBytes",
        "content_types": "contentTypes", "contentTypes": "contentTypes", "ips": "from", "from": "from",
        "referrers": "referrers",
    ]

    private static let memberMembers = ["user": "user", "role": "role"]
}

extension SyncRequest {
    /// The message in the body as one of the API.
    ///
    /// - Parameter members: those that it may have, and what they are in the API. One that is not known is
    ///   refused, unlike elsewhere: it might be a limit, without which a link is an open one.
    /// - Throws: `bad_request`.
    fileprivate func message<Message: Decodable>(
        _ type: Message.Type, _ members: [String: String]
    ) throws -> Message {
        guard case .map(let given) = try message() else {
            throw SyncFailure.badRequest("the message is to be a map")
        }
        var known: [String: IPLDEntry] = [:]
        for entry in given {
            guard let name = members[entry.key] else {
                throw SyncFailure.badRequest(
                    "\(entry.key.prefix(100)) is no member of this message: it takes "
                        + members.keys.sorted().joined(separator: ", "))
            }
            guard known[name] == nil else {
                throw SyncFailure.badRequest("\(entry.key) says what another member says: send one of them")
            }
            // Ids are bytes in CBOR.
            if case .bytes(let bytes) = entry.value, let id = NodeID(bytes: bytes) {
                known[name] = IPLDEntry(key: name, value: .string(id.text))
            } else {
                known[name] = IPLDEntry(key: name, value: entry.value)
            }
        }
        do {
            return try JSONDecoder().decode(
                type, from: Data(try WireForm.json.encode(.map(Array(known.values)))))
        } catch is DecodingError {
            throw SyncFailure.badRequest("a member of the message is missing or of another type")
        }
    }

    fileprivate func answer(of message: some Encodable, _ status: HTTPResponse.Status = .ok) throws
        -> DoorResponse
    {
        let bytes = Array(try JSONEncoder().encode(message))
        return try answer(try WireForm.json.decode(bytes, maximumBytes: bytes.count), status)
    }
}
