import Access
import ArgumentParser
import BlockStorage
import Foundation
import Glibc
import NodeCore
import NodeMessages
import NodeService

/// Options that every verb takes, before or behind it.
struct GlobalOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "The data directory (NACRE_DATA; default ~/.local/share/nacre).", valueName: "dir"),
        completion: .directory
    )
    var data: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "A running node to work with (NACRE_NODE); by default the one that has the data directory open.",
            valueName: "url"))
    var node: String?

    @Option(
        name: .long,
        help: ArgumentHelp("A key for that node (NACRE_TOKEN).", valueName: "token"))
    var token: String?

    @Option(
        name: .customLong("node-ca"),
        help: ArgumentHelp(
            "Certificates (PEM) of a private authority that signs that node's (NACRE_NODE_CA).",
            valueName: "file"),
        completion: .file()
    )
    var nodeCA: String?

    /// Where the data directory is: flag over environment over default.
    var dataDirectory: String {
        data ?? Self.defaultDirectory(ProcessInfo.processInfo.environment)
    }

    /// Where it is without the flag.
    static func defaultDirectory(_ environment: [String: String]) -> String {
        if let value = environment["NACRE_DATA"], !value.isEmpty { return value }
        // Foundation asks the user database first; everybody else goes by HOME.
        if let home = environment["HOME"], !home.isEmpty { return home + "/.local/share/nacre" }
        return NSString(string: "~/.local/share/nacre").expandingTildeInPath
    }

    func validate() throws {
        if data?.isEmpty == true { throw ValidationError("--data needs the path of a directory") }
        if let node, node.isEmpty {
            throw ValidationError("--node needs a URL, such as http://127.0.0.1:8080")
        }
        if nodeCA?.isEmpty == true { throw ValidationError("--node-ca needs the path of a PEM file") }
    }

    /// What is configured on this side: how many threads work here, and the like.
    func localConfiguration() throws -> Configuration {
        try Configuration.load(
            dataDirectory: dataDirectory, environment: ProcessInfo.processInfo.environment)
    }

    /// Runs `body` with a node: the one that is named, the one that has the data directory open, or the
    /// directory itself.
    ///
    /// - Parameters:
    ///   - lostMasterKey: what to do in a directory whose master key is lost.
    ///   - grants: whether the body is about grants, people or the audit log.
    func withNode<R>(
        _ access: StorageNode.Access = .create, lostMasterKey: Authority.LostMasterKey = .refuse,
        grants: Bool = false, _ body: (any NodeOperations) throws -> R
    ) throws -> R {
        if let remote = try RemoteChoice(self).named() { return try remote.run(body) }
        do {
            return try withStorageNode(access) { node in
                guard grants else { return try body(try LocalNode(node, authority: nil)) }
                return try withAuthority(node, lostMasterKey: lostMasterKey) {
                    try body(try LocalNode(node, authority: $0))
                }
            }
        } catch BlockStoreError.inUse(let directory, let program, let processID) {
            // A server says in LOCK where it listens; any other program is to be waited for.
            guard let remote = try RemoteChoice(self).holding(directory) else {
                throw BlockStoreError.inUse(directory: directory, program: program, processID: processID)
            }
            return try remote.run(body)
        }
    }

    /// Opens the data directory, runs `body`, and closes it again whatever happens.
    func withStorageNode<R>(
        _ access: StorageNode.Access = .create, lostCatalog: StorageNode.LostCatalog = .refuse,
        _ body: (StorageNode) throws -> R
    ) throws -> R {
        let node = try StorageNode.open(
            dataDirectory, access: access, lostCatalog: lostCatalog,
            environment: ProcessInfo.processInfo.environment)
        for note in node.openingNotes { Terminal.warn(note.description) }
        let result: R
        do {
            result = try body(node)
        } catch {
            node.damage.note(error)
            // The failure of the work says more than one of closing after it.
            try? node.close()
            throw error
        }
        try node.close()
        return result
    }
}

/// What verbs that print data take.
struct OutputOptions: ParsableArguments {
    @Flag(name: .long, help: "Print JSON: one object, or one a line for lists.")
    var json = false
}

extension CompletionKind {
    /// The roots that are pinned.
    static var pins: CompletionKind { .shellCommand("nacre pin ls --quiet 2>/dev/null") }
}
