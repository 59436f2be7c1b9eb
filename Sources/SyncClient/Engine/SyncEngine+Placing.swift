import Multiformats
import SyncProtocol
import Synchronization
import TreeValues

/// Putting what was fetched into its place.
extension SyncEngine {
    /// What came of giving a file its name where nothing is to be replaced.
    enum Placement: Sendable {
        /// Something of that id is here, or the file could not be made: it was not tried.
        case open
        /// It has its name, and this is what the disk said of it at that time or later: nanoseconds since
        /// 1970; `nil` if nothing: the scan takes it up.
        case placed(FileStatus?, seen: Int64)
        case failed(FileError)
    }

    /// Files to one directory are placed by one thread, so many at a time.
    private static let placedTogether = 64

    /// Gives files their names where nothing of theirs is here yet, on several threads.
    ///
    /// - Returns: what came of each job.
    func placeNew(_ jobs: [FetchJob]) throws -> [Placement] {
        var isNew: [Bool] = []
        for job in jobs {
            isNew.append(try job.failure == nil && state.node(job.file.remote.id, in: .local) == nil)
        }
        // Threads that change one directory wait for each other.
        var groups: [Range<Int>] = []
        var start = 0
        for index in jobs.indices {
            let isLast = index + 1 == jobs.count
            if isLast || index + 1 - start >= Self.placedTogether
                || jobs[index].file.remote.parent != jobs[index + 1].file.remote.parent
            {
                groups.append(start..<index + 1)
                start = index + 1
            }
        }
        let placements = Mutex([Placement](repeating: .open, count: jobs.count))
        environment.parallelForEach(groups.count) { [disk, environment, groups, isNew] group in
            for index in groups[group] where isNew[index] {
                let placement = Self.place(jobs[index].file, disk, environment)
                placements.withLock { $0[index] = placement }
            }
        }
        return placements.withLock { $0 }
    }

    private static func place(
        _ file: FetchFile, _ disk: any FolderFileSystem, _ environment: SyncEnvironment
    ) -> Placement {
        // Before the disk is asked, so that no change after that look is taken for one of before it.
        let seen = environment.wallClock()
        do throws(FileError) {
            return .placed(try disk.place(file.temporary, at: file.path), seen: seen)
        } catch { return .failed(error) }
    }

    /// Takes over what came of a job, and replaces what is to be replaced.
    func put(_ job: FetchJob, _ placement: Placement, _ touched: inout PathSet) throws {
        let file = job.file
        let id = file.remote.id
        var isPlaced = false
        do {
            if let failure = job.failure {
                if case .file(let error) = failure.reason { return try fail(id, error, at: file.path) }
                return fail(id, failure, path: file.path)
            }
            let found: (status: FileStatus?, seen: Int64)
            let local = try state.node(id, in: .local)
            if let local {
                try replace(local, with: file, &touched, isExchanged: &isPlaced)
                isPlaced = true
                let seen = environment.wallClock()
                found = (try disk.status(file.path), seen)
            } else {
                switch placement {
                case .placed(let status, let seen):
                    isPlaced = true
                    found = (status, seen)
                case .failed(.exists): throw StepFailure.changed(file.path)
                case .failed(let error): throw error
                case .open: throw StepFailure(reason: .changedMeanwhile)
                }
            }
            // From here on the file in the making is the older version, or nothing.
            isPlaced = true
            touched.insert(FolderPath.parent(of: file.path))
            guard let status = found.status else { throw StepFailure.changed(file.path) }
            try keep(file, over: local, stamp(of: status, seen: found.seen, written: file.remote))
            succeed(id)
        } catch let failure as StepFailure {
            if !isPlaced { try? disk.removeFile(file.temporary) }
            fail(id, failure, path: file.path)
        } catch let error as FileError {
            if !isPlaced { try? disk.removeFile(file.temporary) }
            try fail(id, error, at: file.path)
        }
    }

    /// Puts a new version in the place of an older one, which goes to the trash.
    ///
    /// At every moment there is a file of that name where the file system can exchange two, and what somebody
    /// saved after the last look is put back. What is written into the older version after that goes to the
    /// trash with it.
    ///
    /// - Parameter isExchanged: set as soon as what is under the temporary name is not the file that was made:
    ///   whatever happens then, nobody removes it. What stays there goes to the trash when the next run begins.
    func replace(
        _ local: SyncNode, with file: FetchFile, _ touched: inout PathSet, isExchanged: inout Bool
    ) throws {
        let before = try check(local.id, local, at: file.path)
        do throws(FileError) {
            try disk.exchange(file.temporary, file.path)
        } catch {
            guard case .system(_, FileError.notSupported) = error else { throw error }
            touched.insert(FolderPath.parent(of: try moveToTrash(file.path, as: before)))
            do throws(FileError) {
                try disk.rename(file.temporary, to: file.path, replacing: false)
            } catch {
                throw StepFailure(reason: .file(error), rescan: file.path)
            }
            return
        }
        isExchanged = true
        guard try isSame(file.temporary, before) else {
            // Somebody saved in between: that version keeps its place, and is compared.
            do throws(FileError) {
                try disk.exchange(file.temporary, file.path)
            } catch {
                _ = try? own.moveToTrash(file.temporary, as: file.path)
                throw error
            }
            // Or was quicker even now: what was there for a moment is kept.
            _ = try? own.moveToTrash(file.temporary, as: file.path)
            throw StepFailure.changed(file.path)
        }
        // An older version that cannot be moved now is moved when the next run begins.
        if let kept = try? own.moveToTrash(file.temporary, as: file.path) {
            touched.insert(FolderPath.parent(of: kept))
        }
    }

    private func keep(_ file: FetchFile, over old: SyncNode?, _ stamp: LocalStamp) throws {
        var local = file.remote
        local.revision = 0
        local.contentRevision = 0
        var synced = file.remote
        if let old {
            local.parent = old.parent
            local.name = old.name
            let before = try state.node(old.id, in: .synced) ?? old
            synced.parent = before.parent
            synced.name = before.name
        }
        try state.putLocal(local, stamp: stamp)
        try state.put(synced, in: .synced)
        // Of one leaf nothing is spared: it changes as a whole.
        if file.leaves.count > 1 { blocks.note(file.leaves, in: local.id) }
        status.counters.downloaded += 1
        environment.report(.downloaded(path: file.path))
    }
}
