import ArgumentParser
import Foundation
import NodeCore
import SyncAgent
import SyncClient

/// The verbs that end what is held in a folder whose changes go one way.
extension SyncCommand {
    struct Revert: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put a folder that only receives back to what the node has.",
            discussion: """
                Files that were changed, added, moved or removed here are again what the namespace says. \
                What goes is in the trash of the folder (.nacre/trash) for 30 days.
                """)

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var folder: FolderArgument

        func run() throws { try FolderDecision(folder: try folder.path, side: .node).run(output) }
    }

    struct Override: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make the namespace of a folder that only sends what the folder is.",
            discussion: """
                What others changed, added, moved or removed on the node becomes again what it is here, as \
                new entries of the journal: `nacre ns log` shows them, and `nacre ns restore` goes back.
                """)

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var folder: FolderArgument

        func run() throws { try FolderDecision(folder: try folder.path, side: .folder).run(output) }
    }
}

/// One side of a folder is to become what the other is, in the process that syncs it, or in this one.
struct FolderDecision {
    let folder: String
    let side: SyncEngine.Side

    func run(_ output: OutputOptions) throws {
        let record = try FolderRegistration(SyncPlace.home).require(folder)
        let report = try SyncPlace.isRunning ? ask(about: record) : decide(about: record)
        guard let decision = report.decision else {
            throw CommandError(.failed, report.detail ?? "the folder is \(report.state)")
        }
        if let refusal = decision.refusal {
            throw CommandError(.conflict, "\(SyncOutput.shown(record.path)): \(refusal)")
        }
        var out = StandardOutput()
        if output.json {
            try out.writeJSON(report)
        } else {
            try out.write(line: text(record, decision.counters))
        }
        try out.flush()
        switch report.state {
        case "settled": return
        case "waiting", "working", "read_only":
            guard report.pending > 0 else { return }
            if let count = report.removalsToConfirm {
                Terminal.warn(SyncOutput.confirmation(count, record.path))
            }
            for item in report.items { Terminal.warn("\(SyncOutput.shown(item.path)): \(item.reason)") }
            throw SilentExit(status: .partlyDone)
        default: throw CommandError(.failed, report.detail ?? "the folder is \(report.state)")
        }
    }

    private func decide(about record: FolderRecord) throws -> FolderReport {
        let runner = FolderRunner(
            record, home: SyncPlace.home, device: try SyncPlace.home.device(),
            dial: { try SyncPlace.options(for: record) }
        ) { folder, event in SyncOutput.tell(event, in: folder, isAlone: true, verbose: false) }
        return runner.runOnce(deciding: side)
    }

    private func ask(about record: FolderRecord) throws -> FolderReport {
        let id = UUID().uuidString
        _ = try SyncPlace.ask(side == .node ? "revert" : "override", record, id: id)
        while true {
            try Interruption.cancellation.check()
            if let report = try SyncPlace.ask("status", record).first, report.decision?.id == id {
                return report
            }
            Thread.sleep(forTimeInterval: 0.1)
        }
    }

    private func text(_ record: FolderRecord, _ done: FolderReport.Counters) -> String {
        let (path, namespace) = (SyncOutput.shown(record.path), record.namespaceName)
        var parts: [String] = []
        func add(_ count: Int, _ what: String) { if count > 0 { parts.append("\(count) \(what)") } }
        switch side {
        case .node:
            add(done.downloaded, "fetched again")
            add(done.movedHere, "moved back")
            add(done.removedHere, "removed")
            let trash = done.downloaded + done.removedHere > 0 ? "; the trash is \(path)/.nacre/trash" : ""
            return "\(path) is what namespace \(namespace) says: "
                + (parts.isEmpty ? "nothing had to be replaced" : parts.joined(separator: ", ")) + trash
        case .folder:
            add(done.uploaded, "sent")
            add(done.movedThere, "moved")
            add(done.removedThere, "removed")
            return "namespace \(namespace) is what \(path) says: "
                + (parts.isEmpty ? "nothing had to be replaced" : parts.joined(separator: ", "))
                + (parts.isEmpty ? "" : "; `nacre ns log \(namespace)` has what was there")
        }
    }
}
