import Access
import Foundation
import NodeClient
import NodeCore
import NodeMessages

/// Which running node the command line goes to, if any.
struct RemoteChoice {
    private let options: GlobalOptions
    private let environment = ProcessInfo.processInfo.environment

    init(_ options: GlobalOptions) { self.options = options }

    /// A node to go to.
    struct Target {
        let url: String
        let token: String?
        let trust: NodeConnection.Trust

        /// The file of the authorities that are trusted, if one was named.
        var authorities: String? {
            if case .authorities(let file) = trust { file } else { nil }
        }

        /// Runs `body` with the node, and closes the connections whatever happens.
        func run<R>(_ body: (any NodeOperations) throws -> R) throws -> R {
            let connection = try NodeConnection(url: url, token: token, trust: trust)
            defer { try? connection.close() }
            return try body(RemoteNode(connection))
        }
    }

    /// The node that was named: by `--node`, else by NACRE_NODE.
    func named() throws -> Target? {
        guard let url = options.node ?? nonEmpty("NACRE_NODE") else { return nil }
        let authorities = options.nodeCA ?? nonEmpty("NACRE_NODE_CA")
        return Target(
            url: url, token: token,
            trust: authorities.map { NodeConnection.Trust.authorities(file: $0) } ?? .system)
    }

    /// The key that was said: by `--token`, else by NACRE_TOKEN.
    var token: String? { options.token ?? nonEmpty("NACRE_TOKEN") }

    /// The node that holds a data directory, if it says where it listens.
    ///
    /// - Throws: `AccessError` where the token for it cannot be read.
    func holding(_ directory: String) throws -> Target? {
        try Self.target(holding: directory, token: token)
    }

    /// The node that holds a data directory; `token` is used in the place of its own.
    static func target(holding directory: String, token: String?) throws -> Target? {
        // Name of the program, its id, its address: docs/formats/data-directory.md.
        guard let lock = try SmallFile.read(Array((directory + "/LOCK").utf8)) else { return nil }
        let lines = String(decoding: lock, as: UTF8.self).split(separator: "\n")
        guard lines.count >= 3, lines[2].hasPrefix("http") else { return nil }
        let token =
            try token ?? Authority.localToken(secrets: directory + "/" + Authority.directoryName)
        return Target(url: String(lines[2]), token: token, trust: .sameMachine)
    }

    private func nonEmpty(_ name: String) -> String? {
        environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }
}
