import ArgumentParser
import Foundation
import SyncAgent
import SyncClient
import SyncProtocol
import TreeValues

/// Which file of a synced folder is meant.
struct SyncedFileArgument: ParsableArguments {
    @Argument(
        help: ArgumentHelp("A file in a folder that is synced.", valueName: "path"), completion: .file())
    var path: String

    /// Asks the node of the folder about the file.
    ///
    /// - Throws: `CommandError` for what is in no folder that is synced, or is not on the node.
    func withNode<R>(_ body: (HTTPSyncServer, RemoteEntry) throws -> R) throws -> R {
        let absolute = try SyncPlace.path(ofFile: path)
        let found = try SyncPlace.home.folders().lazy.compactMap { folder in
            FolderPath.path(absolute, within: folder.path).map { (folder, $0) }
        }.first
        guard let (folder, within) = found else {
            throw CommandError(
                .notFound, "\(path) is in no folder that is synced; `nacre sync status` lists them")
        }
        let server = try HTTPSyncServer(
            try SyncPlace.options(for: folder), namespace: folder.namespace,
            device: try SyncPlace.home.device())
        defer { server.close() }
        return try body(server, try server.entry(at: within))
    }
}

extension SyncCommand {
    struct Lock: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say that you work on a file: until `unlock`, no other machine can change it.",
            discussion: """
                Other machines keep what they change meanwhile, and send it when the lock is over: after an \
                hour at the latest, or when this machine is shut out. `nacre ns status` shows who works on \
                what.
                """)

        @OptionGroup var global: GlobalOptions
        @OptionGroup var file: SyncedFileArgument
        @Option(name: .long, help: ArgumentHelp("For how long, up to 60.", valueName: "minutes"))
        var minutes = 60
        @Flag(name: .long, help: "Only tell others; they may change it all the same.")
        var advisory = false

        func validate() throws {
            guard (1...60).contains(minutes) else { throw ValidationError("a lock lasts 1 to 60 minutes") }
        }

        func run() throws {
            try file.withNode { server, entry in
                _ = try server.lease(
                    LeaseRequest(
                        node: entry.node.id, seconds: minutes * 60,
                        mode: advisory ? "advisory" : "exclusive"))
            }
            Terminal.note(
                advisory
                    ? "others are told for \(minutes) min that you work on \(file.path)"
                    : "\(file.path) is locked for \(minutes) min: no other machine can change it")
        }
    }

    struct Unlock: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End a lock before its time.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var file: SyncedFileArgument

        func run() throws {
            try file.withNode { server, entry in try server.endLease(of: entry.node.id) }
            Terminal.note("\(file.path) is not locked by this machine any more")
        }
    }
}
