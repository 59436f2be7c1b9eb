import Foundation
import HTTPSupport
import HTTPTypes
import IPLD
import NodeMessages
import NodeService
import SyncProtocol

/// Links and members, in the messages of the node's API.
extension SyncAPI {
    static let sharingRoutes: [SyncRoute] = [
        SyncRoute(.get, "/ns/{ns}/links") { call in
            var links: [LinkMessage] = []
            try call.service.sharing().forEachLink(inNamespace: call.namespace) { links.append($0) }
            return try call.answer(of: ["links": links])
        },
        SyncRoute(.post, "/ns/{ns}/links") { call in
            let request = try call.message(LinkRequest.self)
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
            let request = try call.message(NamespaceMemberRequest.self)
            guard let user = request.user else { throw SyncFailure.badRequest("a member is a user") }
            return try call.answer(
                of: try call.service.sharing().setMember(
                    user, role: request.role, ofNamespace: call.namespace))
        },
        SyncRoute(.patch, "/ns/{ns}/members/{user}") { call in
            let request = try call.message(NamespaceMemberRequest.self)
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
}

extension SyncRequest {
    /// The message in the body as one of the API.
    ///
    /// - Throws: `bad_request`.
    fileprivate func message<Message: Decodable>(_ type: Message.Type) throws -> Message {
        let value = try message()
        do {
            return try JSONDecoder().decode(type, from: Data(try WireForm.json.encode(value)))
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
