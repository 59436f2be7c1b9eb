import Foundation
import NodeCore
import SyncAgent
import SyncClient
import SyncProtocol

/// How folders are printed.
enum SyncOutput {
    /// How it was when it was synced last.
    private static func lastRun(_ last: FolderReport.LastRun) -> String {
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        var text = "\(SyncReportOutput.ago(last.ended, now)) it was \(last.state)"
        if last.pending > 0 { text += ", \(last.pending) to do" }
        let done = last.counters
        text += " (\(done.uploaded) sent, \(done.downloaded) received)"
        if last.state != "settled" {
            if let detail = last.detail { text += ": \(detail)" }
            text +=
                last.settled.map { "; both were equal \(SyncReportOutput.ago($0, now))" }
                ?? "; never equal yet"
        }
        return text
    }

    /// What to do about removals that wait for a person.
    static func confirmation(_ count: Int, _ folder: String) -> String {
        "\(count) would be removed: agree with `\(command("confirm", folder))`, or have them back with "
            + "`\(command("decline", folder))`"
    }

    /// A verb of `nacre sync` about a folder, to be pasted into a shell.
    private static func command(_ verb: String, _ folder: String) -> String {
        "nacre sync \(verb) \(ShellText.quoted(shown(folder)))"
    }

    static func shown(_ path: String) -> String { PathText.printable(path.utf8) }

    /// The state of a folder in a line.
    static func state(_ report: FolderReport) -> String {
        var text = report.state
        if report.pending > 0 { text += ", \(report.pending) to do" }
        if let detail = report.detail { text += ": \(detail)" }
        if let count = report.removalsToConfirm {
            text += "; " + confirmation(count, report.path)
        }
        if let reason = report.downloadsPaused { text += "; nothing is received: \(reason)" }
        if let reason = report.uploadsPaused {
            let isForRoom = report.waitsForRoom == true
            text += "; \(isForRoom ? "no content" : "nothing") is sent: \(reason)"
            if let wait = report.uploadsRetryIn {
                text +=
                    "; tried again in \((wait + 999) / 1000) s\(isForRoom ? ", or when there is room" : "")"
            }
        }
        let done = report.counters
        if done.uploaded + done.downloaded > 0 {
            text += " (\(done.uploaded) sent, \(done.downloaded) received)"
        }
        if let last = report.last { text += "; " + lastRun(last) }
        return text
    }

    /// How many folders are in which state, in a line.
    static func states(_ reports: [FolderReport]) -> String {
        guard !reports.isEmpty else { return "no folder is synced" }
        let counts = Dictionary(grouping: reports, by: \.state).mapValues(\.count)
        return "\(reports.count) folders: "
            + counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
    }

    static func write(_ report: FolderReport, json: Bool, to out: inout StandardOutput) throws {
        if json { return try out.writeJSON(report) }
        try out.write(line: "\(shown(report.path)) \(report.mode) \(report.namespace)")
        try out.write(line: "  " + state(report))
        if let run = report.run {
            let now = Int64(Date().timeIntervalSince1970 * 1000)
            try out.write(
                line: "  a run of its own, such as `--once`, has it: process \(run.process), begun "
                    + SyncReportOutput.ago(run.began, now))
        }
        if let transfer = report.transfer { try out.write(line: "  " + text(transfer)) }
        if let settings = report.settings { try out.write(line: "  " + text(settings)) }
        if let problem = report.watchDegraded {
            try out.write(line: "  changes are found by scanning: \(problem)")
        }
        if let lead = report.clockLead { try out.write(line: "  " + clock(lead)) }
        if let bytes = report.counters.prefetchedBytes, bytes > 0 {
            let used = report.counters.prefetchedBytesUsed ?? 0
            try out.write(
                line:
                    "  \(bytes >> 20) MiB read while others were sending them, \(used >> 20) MiB of them used"
            )
        }
        for item in report.items.prefix(maximumShown) {
            let wait = item.retryIn > 0 ? ", again in \((item.retryIn + 999) / 1000) s" : ""
            try out.write(line: "  \(shown(item.path)): \(item.reason)\(wait)")
        }
        let more = max(0, report.items.count - maximumShown) + (report.moreItems ?? 0)
        if more > 0 { try out.write(line: "  and \(more) more") }
        try write(conflicts: report, to: &out)
        for hint in hints(report) { try out.write(line: "  " + hint) }
    }

    /// A file on its way.
    private static func text(_ transfer: FolderReport.Transfer) -> String {
        let verb = transfer.direction == "send" ? "sending" : "receiving"
        var text =
            "\(verb) \(shown(transfer.path)): \(ByteCount.text(transfer.bytesDone)) of "
            + ByteCount.text(transfer.bytesTotal)
        if let rate = transfer.bytesPerSecond { text += ", \(ByteCount.text(rate))/s" }
        if let left = transfer.secondsLeft { text += ", \(DurationText.short(seconds: Double(left))) left" }
        return text
    }

    /// Shows on a terminal how far a folder is.
    static func show(_ report: FolderReport) {
        var parts: [String] = []
        if let transfer = report.transfer { parts.append(text(transfer)) }
        if report.pending > 0 { parts.append("\(report.pending) to do") }
        let done = report.counters
        if done.uploaded + done.downloaded > 0 {
            parts.append("\(done.uploaded) sent, \(done.downloaded) received")
        }
        if !parts.isEmpty { ProgressBar.show(parts.joined(separator: "; ")) }
    }

    /// What was said of how a folder is synced.
    private static func text(_ settings: FolderReport.Settings) -> String {
        var parts: [String] = []
        if let only = settings.only { parts.append("only " + only.map(shown).joined(separator: ", ")) }
        if let limit = settings.uploadLimit { parts.append("at most \(limit / 1024) KiB/s are sent") }
        if let limit = settings.downloadLimit { parts.append("at most \(limit / 1024) KiB/s are received") }
        if let quiet = settings.quietMilliseconds { parts.append("what was written \(quiet) ms ago is sent") }
        if let bytes = settings.prefetchBytes {
            parts.append(bytes == 0 ? "nothing is read ahead" : "at most \(bytes >> 20) MiB are read ahead")
        }
        return parts.joined(separator: "; ")
    }

    /// Says how a folder is synced from here on.
    static func tellSettings(of folder: FolderRecord) {
        let settings = FolderReport(folder).settings.map { "; " + text($0) } ?? ""
        Terminal.note("\(shown(folder.path)): \(folder.mode)\(settings)")
    }

    /// The most items, and conflict copies, that people are shown of a folder.
    private static let maximumShown = 20

    private static func write(conflicts report: FolderReport, to out: inout StandardOutput) throws {
        let conflicts = report.conflicts ?? []
        for conflict in conflicts.prefix(maximumShown) {
            let since = conflict.since.map { " since \($0)" } ?? ""
            try out.write(
                line:
                    "  \(shown(conflict.path)): conflict copy of \(shown(conflict.original))\(since); "
                    + "decide with `\(shown(conflict.command))` (or `copy`, or `both`)")
        }
        if conflicts.count > maximumShown {
            try out.write(
                line: "  `\(command("conflicts", report.path))` lists the other conflict copies")
        }
    }

    /// Says on the error output what waits, and for what.
    static func warn(ofItemsOf report: FolderReport) {
        for item in report.items { Terminal.warn("\(shown(item.path)): \(item.reason)") }
        if let more = report.moreItems { Terminal.warn("and \(more) more") }
    }

    /// The command that ends what is held, for each reason there is.
    private static func hints(_ report: FolderReport) -> [String] {
        let codes = Set(report.items.map(\.code))
        var hints: [String] = []
        if codes.contains("local_change") || codes.contains("read_only") {
            hints.append("`\(command("revert", report.path))` puts back what the node has")
        }
        if report.removalsToConfirm == nil, codes.contains("confirmation_needed") {
            hints.append(
                "`\(command("confirm", report.path))` agrees, "
                    + "`\(command("decline", report.path))` has them back")
        }
        if codes.contains("remote_change") {
            hints.append("`\(command("override", report.path))` makes the node have what is here")
        }
        return hints
    }

    /// That the clock of this machine is wrong, or the node's.
    static func clock(_ lead: Int64) -> String {
        let minutes = (lead.magnitude + 30_000) / 60_000
        let time =
            minutes < 120 ? "\(minutes) min" : minutes < 2880 ? "\(minutes / 60) h" : "\(minutes / 1440) days"
        return
            "the clock of this machine is \(time) \(lead < 0 ? "behind" : "ahead of") the node's: set the "
            + "one that is wrong; files keep the times that programs gave them"
    }

    /// What a run came to.
    static func write(summary report: FolderReport, json: Bool, to out: inout StandardOutput) throws {
        if json { return try out.writeJSON(report) }
        let done = report.counters
        var parts = ["\(done.uploaded) sent", "\(done.downloaded) received"]
        if done.movedHere + done.movedThere > 0 { parts.append("\(done.movedHere + done.movedThere) moved") }
        if done.removedHere + done.removedThere > 0 {
            parts.append("\(done.removedHere + done.removedThere) removed")
        }
        if done.adopted > 0 { parts.append("\(done.adopted) equal already") }
        if done.merged > 0 { parts.append("\(done.merged) merged") }
        if done.conflictCopies > 0 { parts.append("\(done.conflictCopies) conflict copies") }
        try out.write(line: "\(report.state): " + parts.joined(separator: ", "))
    }

    /// Tells of what happens: what a person should know, or, with `verbose`, everything.
    ///
    /// - Parameter isAlone: that there is no other folder, so that it need not be named.
    static func tell(_ event: SyncEvent, in folder: FolderRecord, isAlone: Bool = false, verbose: Bool) {
        let place = isAlone ? "" : folder.path + ": "
        switch event {
        case .uploaded(let path): if verbose { Terminal.note(place + "sent \(shown(path))") }
        case .downloaded(let path): if verbose { Terminal.note(place + "received \(shown(path))") }
        case .movedHere(let from, let to):
            if verbose { Terminal.note(place + "moved \(shown(from)) to \(shown(to))") }
        case .removedHere(let path): if verbose { Terminal.note(place + "removed \(shown(path))") }
        case .removedThere: break
        case .conflictCopy(let path, let copy): Terminal.warn(place + conflict(path, copy))
        case .merged(let path):
            Terminal.note(place + "\(shown(path)) was changed on both sides: it has both changes")
        case .editWins(let path):
            Terminal.note(
                place + "\(shown(path)) was removed on one side and edited on the other: it is kept")
        case .reset:
            Terminal.warn(
                place + "the node's journal is another one: everything is compared, nothing is removed")
        case .failed(let path, let reason):
            if verbose { Terminal.warn(place + "\(shown(path)): \(reason)") }
        case .paused(let reason): Terminal.warn(place + "waiting: \(reason)")
        case .confirmationNeeded(let count):
            Terminal.warn(place + confirmation(count, folder.path))
        case .folderMissing: Terminal.warn(place + "the folder is not there; nothing is done until it is")
        }
    }

    /// Why there is a conflict copy.
    private static func conflict(_ path: String, _ copy: String) -> String {
        switch ConflictName(FolderPath.name(of: copy))?.reason {
        case .letterCase:
            "\(shown(path)) has a name that differs from another only in capital and small letters, which the "
                + "namespace takes for one: it is called \(shown(copy))"
        case .unicodeForm:
            "\(shown(path)) has a name that looks like another and is written in other bytes, which the "
                + "namespace takes for one: it is called \(shown(copy))"
        case .content, nil: "\(shown(path)) was changed on both sides: yours is \(shown(copy))"
        }
    }

    /// Tells that nothing is synced, and what begins it.
    static func tellNoFolder() { Terminal.note("no folder is synced; `nacre sync DIR` adds one") }

    /// Tells of selected paths that neither side has: they may be mistyped.
    ///
    /// - Parameter server: is asked for those that are not here; `nil` where both sides are equal.
    static func tellAbsent(_ folder: FolderRecord, asking server: HTTPSyncServer? = nil) {
        for path in folder.only where !FileManager.default.fileExists(atPath: folder.path + "/" + path) {
            if let server, !server.lacks(path) { continue }
            Terminal.warn(
                "there is no \(shown(path)) in \(folder.namespaceName), nor here: it is synced once there is")
        }
    }
}

extension HTTPSyncServer {
    /// Whether the namespace has nothing at a path; not where the node cannot be asked.
    fileprivate func lacks(_ path: String) -> Bool {
        do throws(SyncServerError) {
            _ = try entry(at: path)
            return false
        } catch {
            if case .refused(.unknownNode, _, _) = error { return true }
            return false
        }
    }
}
