import ArgumentParser
import Foundation
import NodeCore
import SyncAgent
import SyncProtocol
import TreeValues

extension NamespaceCommand {
    struct Conflicts: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List conflict copies, and changes that were not taken since another was first.",
            discussion: """
                A line `ID PATH REASON DEVICE …` for each, newest first. `copy`, `case_copy` and \
                `unicode_copy` are conflict copies: files that a machine has put beside the one that has the \
                name. One is open until it is removed or renamed, on any machine. --resolve ID decides: \
                --keep mine puts the copy in the place of the other file, theirs and merged remove the copy, \
                both leaves the two. What goes is in the trash, and in the history.

                Other reasons, such as `stale`, are of changes that were not taken. `nacre sync` makes a \
                conflict copy of each, which closes the entry. --keep mine puts what was not taken in the \
                place of what is there; theirs, both and merged say what was done.
                """)

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var namespace: NamespaceArgument
        @Flag(name: .long, help: "Those that are closed, too.")
        var all = false
        @Option(name: .long, help: ArgumentHelp("Close this one.", valueName: "id"))
        var resolve: String?
        @Option(
            name: .long, help: ArgumentHelp("mine, theirs, both or merged.", valueName: "which"),
            completion: .list(ConflictResolution.Choice.allCases.map(\.rawValue)))
        var keep: String?

        func validate() throws {
            guard (resolve == nil) == (keep == nil) else {
                throw ValidationError("--resolve and --keep go together")
            }
            if let resolve, (try? NodeID(text: resolve)) == nil {
                throw ValidationError("--resolve takes an id of 26 characters")
            }
            if let keep, ConflictResolution.Choice(rawValue: keep) == nil {
                throw ValidationError("--keep is mine, theirs, both or merged")
            }
        }

        func run() throws {
            let now = Int64(Date().timeIntervalSince1970 * 1000)
            let conflicts = try SyncPlace.withNode(global, namespace: namespace.namespaceText) {
                server -> [ConflictInfo] in
                guard let resolve, let choice = keep.flatMap(ConflictResolution.Choice.init(rawValue:)) else {
                    return try server.conflicts(includingResolved: all)
                }
                return [try server.resolve(try NodeID(text: resolve), ConflictResolution(keep: choice))]
            }
            var out = StandardOutput()
            for conflict in conflicts {
                if output.json {
                    try out.write(bytes: try WireForm.json.encode(conflict.value(.json)))
                    try out.write("\n")
                    continue
                }
                let device = SyncReportOutput.shown(conflict.deviceName ?? conflict.device)
                let state = conflict.resolution.map { "closed: \($0)" } ?? "open"
                try out.write(
                    line: "\(conflict.id) \(SyncReportOutput.shown(conflict.path ?? conflict.name)) "
                        + "\(conflict.reason) "
                        + "\(device), \(SyncReportOutput.ago(conflict.time, now)), \(state)")
            }
            try out.flush()
        }
    }
}
