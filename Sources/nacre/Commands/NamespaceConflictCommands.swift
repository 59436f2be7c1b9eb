import ArgumentParser
import Foundation
import NodeCore
import SyncAgent
import SyncProtocol
import TreeValues

extension NamespaceCommand {
    struct Conflicts: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List changes that were not taken since another one was there first.",
            discussion: """
                A line `ID NAME REASON DEVICE …` for each, newest first. `nacre sync` keeps what was not \
                taken as a conflict copy, which closes the entry. --resolve ID closes one by hand: --keep \
                mine puts what was not taken in the place of what is there; theirs, both and merged say what \
                was done.
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
                    line: "\(conflict.id) \(SyncReportOutput.shown(conflict.name)) \(conflict.reason) "
                        + "\(device), \(SyncReportOutput.ago(conflict.time, now)), \(state)")
            }
            try out.flush()
        }
    }
}
