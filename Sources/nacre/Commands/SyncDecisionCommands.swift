import ArgumentParser
import Foundation
import NodeCore
import SyncAgent
import SyncClient

/// The verbs that end what is held: changes in a folder where they go one way, and removals that are many.
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

        func run() throws { try FolderDecision(folder: try folder.path, choice: .revert).run(output) }
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

        func run() throws { try FolderDecision(folder: try folder.path, choice: .override).run(output) }
    }
}

extension SyncCommand {
    struct Confirm: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Agree that a large part of a folder is removed.",
            discussion: """
                So many files at once are not removed unless a person agrees: `nacre sync status` tells how \
                many would be. What others removed on the node then goes here, into the trash of the folder \
                (.nacre/trash); what was removed here goes on the node, where its history keeps it. `nacre \
                sync decline` has all of it come back instead.
                """)

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var folder: FolderArgument

        func run() throws { try FolderDecision(folder: try folder.path, choice: .confirm).run(output) }
    }

    struct Decline: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Have come back what a large removal would take away.",
            discussion: """
                The no to what `nacre sync confirm` agrees to. What others removed on the node is sent there \
                again, as new files; what was removed here is fetched again. Without an answer nothing is \
                removed, and nothing comes back.
                """)

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var folder: FolderArgument

        func run() throws { try FolderDecision(folder: try folder.path, choice: .decline).run(output) }
    }
}

/// What a person decided about a folder is done, in the process that syncs it, or in this one.
struct FolderDecision {
    let folder: String
    let choice: FolderChoice

    func run(_ output: OutputOptions) throws {
        let record = try FolderRegistration(SyncPlace.home).require(folder)
        let report = try SyncPlace.isRunning ? ask(about: record) : decide(about: record)
        guard let decision = report.decision else {
            throw CommandError(.failed, report.detail ?? "the folder is \(report.state)")
        }
        if let refusal = decision.refusal {
            throw CommandError(.conflict, "\(SyncOutput.shown(record.path)): \(refusal)")
        }
        let isDone = ["settled", "waiting", "working", "read_only"].contains(report.state)
        if output.json || isDone {
            var out = StandardOutput()
            if output.json {
                try out.writeJSON(report)
            } else {
                try out.write(line: text(record, decision))
            }
            try out.flush()
        }
        switch report.state {
        case "settled": return
        case "waiting", "working", "read_only":
            guard report.pending > 0 else { return }
            if let count = report.removalsToConfirm {
                Terminal.warn(SyncOutput.confirmation(count, record.path))
            }
            SyncOutput.warn(ofItemsOf: report)
            throw SilentExit(status: .partlyDone)
        default: throw CommandError(.failed, report.detail ?? "the folder is \(report.state)")
        }
    }

    private func decide(about record: FolderRecord) throws -> FolderReport {
        let runner = FolderRunner(
            record, home: SyncPlace.home, device: try SyncPlace.home.device(),
            dial: { try SyncPlace.options(for: record) }
        ) { [choice] folder, event in
            // Whoever answers was asked already.
            if case .confirmationNeeded = event, choice == .confirm || choice == .decline { return }
            SyncOutput.tell(event, in: folder, isAlone: true, verbose: false)
        }
        return runner.runOnce(deciding: choice)
    }

    private func ask(about record: FolderRecord) throws -> FolderReport {
        let id = UUID().uuidString
        _ = try SyncPlace.ask(choice.rawValue, record, id: id)
        while true {
            try Interruption.cancellation.check()
            if let report = try SyncPlace.ask("status", record).first, report.decision?.id == id {
                return report
            }
            Thread.sleep(forTimeInterval: 0.1)
        }
    }

    private func text(_ record: FolderRecord, _ decision: FolderReport.Decision) -> String {
        let done = decision.counters
        let (path, namespace) = (SyncOutput.shown(record.path), record.namespaceName)
        var parts: [String] = []
        func add(_ count: Int, _ what: String) { if count > 0 { parts.append("\(count) \(what)") } }
        switch choice {
        case .confirm, .decline: return removals(path, namespace, decision)
        case .revert:
            add(done.downloaded, "fetched again")
            add(done.movedHere, "moved back")
            add(done.removedHere, "removed")
            let trash = done.downloaded + done.removedHere > 0 ? "; the trash is \(path)/.nacre/trash" : ""
            return "\(path) is what namespace \(namespace) says: "
                + (parts.isEmpty ? "nothing had to be replaced" : parts.joined(separator: ", ")) + trash
        case .override:
            add(done.uploaded, "sent")
            add(done.movedThere, "moved")
            add(done.removedThere, "removed")
            return "namespace \(namespace) is what \(path) says: "
                + (parts.isEmpty ? "nothing had to be replaced" : parts.joined(separator: ", "))
                + (parts.isEmpty ? "" : "; `nacre ns log \(namespace)` has what was there")
        }
    }
    /// What came of an answer about removals: not what was asked for, but what was done.
    private func removals(_ path: String, _ namespace: String, _ decision: FolderReport.Decision) -> String {
        let done = decision.counters
        var parts: [String] = []
        func add(_ count: Int, _ what: String) { if count > 0 { parts.append("\(count) \(what)") } }
        // A directory is removed on the node in one step, with all that is in it.
        if done.removedThere > 0 { parts.append("removed in namespace \(namespace)") }
        add(done.removedHere, "removed here; the trash is \(path)/.nacre/trash")
        add(done.uploaded, "sent to namespace \(namespace) again")
        add(done.downloaded, "fetched again")
        let came = parts.isEmpty ? "" : ": " + parts.joined(separator: ", ")
        guard let count = decision.removals else {
            // What was held is no removal any more: somebody edited it, or brought it back.
            let isDone = done.downloaded + done.uploaded > 0
            return "no removal in \(path) waits for an answer\(isDone ? " any more" : "")\(came)"
        }
        return choice == .confirm
            ? "agreed to the removal of \(count)\(came)" : "declined the removal of \(count)\(came)"
    }
}
