import Multiformats
import SyncProtocol
import TreeValues

/// Putting what was fetched into its place.
extension SyncEngine {
    func put(_ job: FetchJob, _ touched: inout PathSet) throws {
        let id = job.remote.id
        var isPlaced = false
        do {
            if let failure = job.failure {
                if case .file(let error) = failure.reason { return try fail(id, error, at: job.path) }
                return fail(id, failure, path: job.path)
            }
            let local = try state.node(id, in: .local)
            if let local {
                try replace(local, with: job, &touched)
            } else {
                do {
                    try disk.rename(job.temporary, to: job.path, replacing: false)
                } catch FileError.exists {
                    throw StepFailure.changed(job.path)
                }
            }
            // From here on the file in the making is the older version, or nothing.
            isPlaced = true
            touched.insert(FolderPath.parent(of: job.path))
            try keep(job, over: local)
            succeed(id)
        } catch let failure as StepFailure {
            if !isPlaced { try? disk.removeFile(job.temporary) }
            fail(id, failure, path: job.path)
        } catch let error as FileError {
            if !isPlaced { try? disk.removeFile(job.temporary) }
            try fail(id, error, at: job.path)
        }
    }

    /// Puts a new version in the place of an older one, which goes to the trash.
    ///
    /// At every moment there is a file of that name where the file system can exchange two, and what somebody
    /// saved after the last look is put back. What is written into the older version after that goes to the
    /// trash with it.
    func replace(_ local: SyncNode, with job: FetchJob, _ touched: inout PathSet) throws {
        let before = try check(local.id, local, at: job.path)
        do throws(FileError) {
            try disk.exchange(job.temporary, job.path)
        } catch {
            guard case .system(_, FileError.notSupported) = error else { throw error }
            touched.insert(FolderPath.parent(of: try moveToTrash(job.path, as: before)))
            do throws(FileError) {
                try disk.rename(job.temporary, to: job.path, replacing: false)
            } catch {
                throw StepFailure(reason: .file(error), rescan: job.path)
            }
            return
        }
        guard try isSame(job.temporary, before) else {
            // Somebody saved in between: that version keeps its place, and is compared.
            try disk.exchange(job.temporary, job.path)
            // Or was quicker even now: what was there for a moment is kept.
            _ = try? own.moveToTrash(job.temporary, as: job.path)
            throw StepFailure.changed(job.path)
        }
        // An older version that cannot be moved now is moved when the next run begins.
        if let kept = try? own.moveToTrash(job.temporary, as: job.path) {
            touched.insert(FolderPath.parent(of: kept))
        }
    }

    private func keep(_ job: FetchJob, over old: SyncNode?) throws {
        var local = job.remote
        local.revision = 0
        local.contentRevision = 0
        var synced = job.remote
        if let old {
            local.parent = old.parent
            local.name = old.name
            let before = try state.node(old.id, in: .synced) ?? old
            synced.parent = before.parent
            synced.name = before.name
        }
        try state.putLocal(local, stamp: try stamp(at: job.path, written: job.remote))
        try state.put(synced, in: .synced)
        // Of one leaf nothing is spared: it changes as a whole.
        if job.leaves.count > 1 { blocks.note(job.leaves, in: local.id) }
        status.counters.downloaded += 1
        environment.report(.downloaded(path: job.path))
    }
}
