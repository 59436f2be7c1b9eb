import Foundation
import SyncClient
import SyncProtocol

extension FolderReport {
    /// Takes over what the engine says.
    ///
    /// - Parameter items: see ``OpenFolder/openItems(now:)``.
    mutating func update(from folder: OpenFolder, _ items: [Item]) {
        let status = folder.engine.status
        switch status.activity {
        case .settled: (state, detail) = ("settled", nil)
        case .working: (state, detail) = ("working", nil)
        case .waiting: (state, detail) = ("waiting", nil)
        case .offline(let text): (state, detail) = ("offline", text)
        case .folderMissing:
            (state, detail) = ("missing", Self.missingText(folder.record))
        case .stopped(let code, let message):
            (state, detail) = ("stopped", Self.stopText(code, message, folder.record))
        }
        pending = status.pending
        self.items = items
        let problems = folder.unreadable
        // A pipe is named, and not waited for.
        let unsettled = problems.count { !$0.1.isOfSpecialFile }
        pending += unsettled
        moreItems = pending > items.count ? pending - items.count : nil
        if state == "settled", unsettled > 0 { state = "waiting" }
        if state == "settled" || state == "waiting", let readOnly = status.readOnly {
            state = "read_only"
            detail =
                "changes are received and none are sent (\(readOnly.reason)); its owner makes you an editor of "
                + "\(namespace)"
        }
        busy = folder.busyFiles
        heldRemovals = folder.heldRemovals
        fullScans = folder.fullScans
        uploadsPaused = status.uploadsPaused?.reason
        let now = MachineClock.steadyMilliseconds()
        uploadsRetryIn = status.uploadsPaused.map { max(0, $0.until - now) }
        waitsForRoom = status.uploadsPaused?.isForRoom
        downloadsPaused = status.downloadsPaused?.reason
        removalsToConfirm = status.removalsToConfirm
        scanMilliseconds = folder.scanMilliseconds
        let done = status.counters
        counters = Counters(done)
    }
}

extension FolderReport {
    /// Where something is at the path it may be an empty mount point, another disk, or all of it but the marker.
    fileprivate static func missingText(_ record: FolderRecord) -> String {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: record.path)) ?? []
        guard names.contains(where: { $0 != SyncNames.ownDirectory }) else {
            return "the folder is not there, or not mounted; nothing is done until it is"
        }
        return
            "what is there has no marker `.nacre/folder`: another disk may be mounted, and nothing is done. If only "
            + "the marker was lost: `nacre sync rm \(record.path)`, and add the folder again"
    }

    /// Why a folder stopped, and what to do: the namespace by its name, which people know.
    fileprivate static func stopText(_ code: String, _ message: String, _ record: FolderRecord) -> String {
        let name = record.namespaceName
        let takeOver =
            "`nacre sync \(ShellText.quoted(record.path)) \(ShellText.quoted(name)) --token KEY`"
        switch code {
        case SyncCode.unknownNamespace.rawValue:
            return
                "namespace \(name) is not there any more, or not for this machine: if it was deleted, `nacre ns "
                + "undelete \(name)` brings it back; if you are no member of it any more, ask its owner; with "
                + "another key it goes on by \(takeOver). Nothing is removed here; `nacre sync rm "
                + "\(ShellText.quoted(record.path))` ends it"
        case "other_folder", "file_error": return message
        case SyncCode.deviceRemoved.rawValue:
            return
                "\(message): this machine was shut out. If that was not meant, `nacre sync devices renew` lets it "
                + "come as another one. Nothing is removed here"
        default:
            return
                "the node does not let this machine use namespace \(name): \(message). With another key it goes "
                + "on by \(takeOver). Nothing is removed here"
        }
    }
}

extension FolderReport.Counters {
    init(_ done: SyncCounters) {
        self.init()
        uploaded = done.uploaded
        downloaded = done.downloaded
        movedHere = done.movedHere
        movedThere = done.movedThere
        removedHere = done.removedHere
        removedThere = done.removedThere
        conflictCopies = done.conflictCopies
        merged = done.merged
        adopted = done.adopted
        failures = done.failures
        bytesSent = done.bytesSent
        bytesReceived = done.bytesReceived
        bytesReused = done.bytesReused
    }

    /// What was done since an earlier moment.
    public func since(_ before: Self) -> Self {
        var counters = self
        counters.uploaded -= before.uploaded
        counters.downloaded -= before.downloaded
        counters.movedHere -= before.movedHere
        counters.movedThere -= before.movedThere
        counters.removedHere -= before.removedHere
        counters.removedThere -= before.removedThere
        counters.conflictCopies -= before.conflictCopies
        counters.merged -= before.merged
        counters.adopted -= before.adopted
        counters.failures -= before.failures
        counters.bytesSent -= before.bytesSent
        counters.bytesReceived -= before.bytesReceived
        counters.bytesReused -= before.bytesReused
        counters.prefetchedBlocks = prefetchedBlocks.map { $0 - (before.prefetchedBlocks ?? 0) }
        counters.prefetchedBytes = prefetchedBytes.map { $0 - (before.prefetchedBytes ?? 0) }
        counters.prefetchedBytesUsed = prefetchedBytesUsed.map { $0 - (before.prefetchedBytesUsed ?? 0) }
        return counters
    }
}
