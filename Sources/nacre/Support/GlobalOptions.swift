import ArgumentParser
import BlockStorage
import Foundation
import Glibc
import NodeCore

/// Options that every verb takes, before or behind it.
struct GlobalOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "The data directory (NACRE_DATA; default ~/.local/share/nacre).", valueName: "dir"),
        completion: .directory
    )
    var data: String?

    @Option(name: .long, help: .hidden) var node: String?
    @Option(name: .long, help: .hidden) var token: String?

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
        if node != nil || token != nil {
            throw ValidationError(
                "--node and --token need a running node, which this version does not have yet")
        }
        if data?.isEmpty == true { throw ValidationError("--data needs the path of a directory") }
    }

    /// Opens the data directory, runs `body`, and closes it again whatever happens.
    func withNode<R>(
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
