import BlockStorage
import Foundation
import GatewayAPI
import HTTPSupport
import HTTPTypes
import IPLD
import Multiformats
import NodeCore
import TestKit
import Testing

/// A gateway over a node of its own, asked without sockets.
struct GatewayLaboratory {
    let directory: TemporaryDirectory
    let node: StorageNode
    let gateway: Gateway

    init(options: GatewayOptions = GatewayOptions()) throws {
        directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        node = try StorageNode.open(directory.path("data"))
        gateway = Gateway(node: node, options: options)
    }

    /// Brings a fixture in, for everybody to read; returns its root.
    @discardableResult
    func load(_ fixture: String) throws -> CID {
        var rest = try Vectors.bytes("gateway/" + fixture)[...]
        let report = try node.importCAR(scope: [.defaultProject, .public]) { buffer in
            let count = min(buffer.count, rest.count)
            buffer.copyBytes(from: rest.prefix(count))
            rest = rest.dropFirst(count)
            return count
        }
        return try #require(report.roots.first)
    }

    /// An answer with its body read to the end.
    struct Answer {
        let status: Int
        let fields: HTTPFields
        let bytes: [UInt8]
        /// The body was broken off.
        let error: (any Error)?

        var text: String { String(decoding: bytes, as: UTF8.self) }
        subscript(name: String) -> String? { HTTPField.Name(name).flatMap { fields[$0] } }
    }

    func get(
        _ target: String, _ fields: [String: String] = [:], method: HTTPRequest.Method = .get,
        host: String = "127.0.0.1:8080"
    ) throws -> Answer {
        var headers: HTTPFields = [:]
        for (name, value) in fields { headers[try #require(HTTPField.Name(name))] = value }
        let request = DoorRequest(
            method: method, target: try RequestTarget(target), fields: headers,
            authority: host)
        let response = gateway.respond(to: request)
        var bytes: [UInt8] = []
        var failure: (any Error)?
        switch response.body {
        case .none, .omitted, .live: break
        case .bytes(let whole): bytes = whole
        case .stream(let stream, let length):
            do {
                while let piece = try stream.next() { bytes += try piece.bytes() }
                if let length { #expect(UInt64(bytes.count) == length) }
            } catch {
                failure = error
            }
        }
        return Answer(status: response.status.code, fields: response.fields, bytes: bytes, error: failure)
    }
}
