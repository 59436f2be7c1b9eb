import NIOHTTP1
public import NodeMessages

extension RemoteNode {
    public var address: String? { connection.base }

    public func makeLink(_ request: LinkRequest, inNamespace text: String) throws -> LinkMessage {
        try connection.send(.POST, path(ofNamespace: text) + "/links", request)
    }

    public func forEachLink(inNamespace text: String, _ body: (LinkMessage) throws -> Void) throws {
        try forEachPage(path(ofNamespace: text) + "/links", [("limit", "1000")], body)
    }

    public func removeLink(_ id: String) throws -> LinkMessage {
        try connection.send(.DELETE, "/links/" + NodeConnection.encoded(id))
    }

    public func forEachMember(
        ofNamespace text: String, _ body: (NamespaceMemberMessage) throws -> Void
    ) throws {
        try forEachPage(path(ofNamespace: text) + "/members", [], body)
    }

    public func setMember(
        _ user: String, role: String, ofNamespace text: String
    ) throws -> NamespaceMemberMessage {
        try connection.send(
            .PUT, path(ofNamespace: text) + "/members/" + NodeConnection.encoded(user),
            NamespaceMemberRequest(role: role))
    }

    public func removeMember(_ user: String, ofNamespace text: String) throws -> NamespaceMemberMessage {
        try connection.send(
            .DELETE, path(ofNamespace: text) + "/members/" + NodeConnection.encoded(user))
    }
}
