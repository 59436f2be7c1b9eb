import Access
import Catalog
import Foundation
import Namespaces
import NodeCore
import NodeMessages
import NodeService
import SyncProtocol
import TestKit
import Testing
import TreeValues

/// Links for tests, and what is sent by them.
extension ServerLaboratory {
    /// What the local administrator may do, without HTTP.
    var administrator: LocalNode {
        get throws { try LocalNode(node, authority: authority, as: .localAdministrator) }
    }

    /// Makes a link; returns its path, which begins with `/c/`.
    func link(
        _ namespace: String, _ path: String? = nil, _ change: (inout LinkRequest) -> Void = { _ in }
    ) throws -> String {
        var request = LinkRequest(path: path)
        change(&request)
        return try #require(try administrator.makeLink(request, inNamespace: namespace).location)
    }

    /// A link into a folder.
    func box(
        _ namespace: String, _ path: String? = nil, _ change: (inout LinkRequest) -> Void = { _ in }
    ) throws -> String {
        try link(namespace, path) { request in
            request.role = "writer_only"
            change(&request)
        }
    }

    /// The names in a folder of a namespace, in their order.
    func names(_ namespace: String, below path: String = "") throws -> [String] {
        let found = try node.namespaces.namespace(namespace)
        let folder = try node.namespaces.node(at: path, in: found)
        return try node.namespaces.children(of: folder?.id, in: found).map(\.name)
    }
}

extension ServerLaboratory {
    /// Sends a file on a connection of its own: one that is refused unread ends its connection.
    func put(_ path: String, _ body: String, _ fields: String = "") async throws -> HTTPConnection.Answer {
        try await connect { try $0.put(path, body, fields) }
    }
}

extension HTTPConnection {
    func put(_ path: String, _ body: String, _ fields: String = "") throws -> Answer {
        send(
            Self.request(path, fields + "Content-Length: \(body.utf8.count)\r\n", method: "PUT") + body)
        return try answer()
    }

    /// Sends a form of files.
    func form(
        _ path: String, _ files: [(name: String, type: String, content: String)], _ fields: String = ""
    ) throws -> Answer {
        var body = ""
        for file in files {
            body += "--b0\r\nContent-Disposition: form-data; name=\"files\"; filename=\"\(file.name)\"\r\n"
            body += "Content-Type: \(file.type)\r\n\r\n\(file.content)\r\n"
        }
        body += "--b0--\r\n"
        let type = "Content-Type: multipart/form-data; boundary=b0\r\n"
        send(
            Self.request(
                path, fields + type + "Content-Length: \(body.utf8.count)\r\n", method: "POST") + body)
        return try answer()
    }

    /// Sends the form that asks for a password.
    func password(_ path: String, _ text: String, _ fields: String = "Accept: text/html\r\n") throws -> Answer
    {
        let body = "password=" + text
        let type = "Content-Type: application/x-www-form-urlencoded\r\n"
        send(
            Self.request(
                path, fields + type + "Content-Length: \(body.utf8.count)\r\n", method: "POST") + body)
        return try answer()
    }

    static func basic(_ password: String) -> String {
        "Authorization: Basic \(Data(":\(password)".utf8).base64EncodedString())\r\n"
    }
}
