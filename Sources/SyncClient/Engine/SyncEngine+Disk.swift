import SyncProtocol
import TreeValues

/// Changing the disk: all but content.
///
/// Each step looks at what it is about to change, and does nothing if that is not what the local tree says.
/// What is changed is made durable before the transaction that says so: after a crash the state may be
/// behind the disk, and never ahead of it.
extension SyncEngine {
    /// Steps between two barriers.
    static let diskBatch = 500

    func apply(_ steps: [DiskStep]) throws {
        unfreedPlaces.removeAll()
        var fetches: [NodeID] = []
        var merges: [NodeID] = []
        var others: [DiskStep] = []
        for step in steps {
            switch step {
            case .fetch(let id): fetches.append(id)
            case .merge(let id): merges.append(id)
            default: others.append(step)
            }
        }
        var start = 0
        while start < others.count {
            let end = min(start + Self.diskBatch, others.count)
            try applyBatch(others[start..<end])
            start = end
        }
        if !areDownloadsPaused { try merge(merges) }
        guard !fetches.isEmpty, !areDownloadsPaused else { return }
        try fetch(fetches)
    }

    private func applyBatch(_ steps: ArraySlice<DiskStep>) throws {
        try changeDisk { touched in
            for step in steps {
                guard !isHeldBack(step), try isPlaceFree(for: step) else {
                    try noteUnfreed(by: step)
                    continue
                }
                do {
                    try apply(step, &touched)
                    succeed(step.id)
                } catch let failure as StepFailure {
                    try noteUnfreed(by: step)
                    fail(step.id, failure, path: try localPath(of: step.id) ?? "")
                } catch let error as FileError {
                    try noteUnfreed(by: step)
                    try fail(step.id, error)
                }
            }
        }
    }

    // MARK: Places that were to be free

    // A plan counts on its steps: what is in the way is moved or removed first. If that did not work, the disk
    // may have room all the same, since somebody took the file away meanwhile; but the local tree would have two
    // nodes in one place. So what comes after waits for the next plan, which knows more.

    private func noteUnfreed(by step: DiskStep) throws {
        switch step {
        case .move(let id, _, _), .setAside(let id, _, _), .remove(let id), .prune(let id):
            guard let local = try state.node(id, in: .local) else { return }
            unfreedPlaces.insert(LocalPlace(local.parent, local.name))
        case .makeDirectory, .setAttributes, .fetch, .merge: break
        }
    }

    private func isPlaceFree(for step: DiskStep) throws -> Bool {
        guard !unfreedPlaces.isEmpty else { return true }
        switch step {
        case .makeDirectory(let id):
            guard let remote = try state.node(id, in: .remote) else { return true }
            return isFree(LocalPlace(remote.parent, remote.name))
        case .move(_, let parent, let name): return isFree(LocalPlace(parent, name))
        case .setAside, .remove, .prune, .setAttributes, .fetch, .merge: return true
        }
    }

    func isFree(_ place: LocalPlace) -> Bool { !unfreedPlaces.contains(place) }

    /// Runs changes of the disk and of the state together: first the disk, then a barrier, then the state.
    ///
    /// - Parameter making: files that are made meanwhile: the barrier is for them as well.
    func changeDisk(
        awaiting making: CallUnderWay<[Int: FileError]>? = nil,
        _ body: (inout PathSet) throws -> Void
    ) throws {
        do {
            try state.transaction {
                var touched = PathSet()
                try body(&touched)
                guard let making else { return try makeDurable(touched) }
                making.wait()
                try disk.synchronizeAll()
            }
        } catch {
            // The disk may be ahead of the state.
            hasScanned = false
            throw error
        }
    }

    private func makeDurable(_ directories: PathSet) throws {
        if directories.isEmpty { return }
        if directories.count > 8 { return try disk.synchronizeAll() }
        for directory in directories.sorted {
            do {
                try disk.synchronize(directory: directory)
            } catch FileError.notFound {
                // It was removed in this batch; the one above it is in the set.
            }
        }
    }

    private func isHeldBack(_ step: DiskStep) -> Bool {
        guard removalsHeld == true, case .remove(let id) = step else { return false }
        // Whatever it waited for before, it waits for a person.
        if items[id]?.reason != .confirmationNeeded {
            fail(id, .confirmationNeeded, path: (try? localPath(of: id)) ?? "")
        }
        items[id]?.retryAt = .max
        return true
    }

    /// Keeps what the disk said of an item.
    func fail(_ id: NodeID, _ error: FileError, at path: String = "") throws {
        switch error {
        case .folderMissing: throw SyncEngineError.folderMissing
        case .noSpace, .readOnly: pauseDownloads(error.description)
        default: break
        }
        let place = path.isEmpty ? try localPath(of: id) ?? remotePath(of: id) ?? "" : path
        // What is not there, or is there after all, is not what the tree says.
        if !place.isEmpty {
            switch error {
            case .notFound, .exists, .notDirectory, .isDirectory, .notEmpty: rescans.insert(place)
            default: break
            }
        }
        fail(id, .file(error), path: place)
        // All of them wait for the disk, and none asks sooner than the others.
        if let pause = status.downloadsPaused, let item = items[id] {
            items[id]?.retryAt = max(item.retryAt, pause.until)
        }
    }

    // MARK: Looking first

    /// What the disk says of a local node that is to be changed, if it is what the tree says.
    ///
    /// - Throws: `StepFailure`.
    @discardableResult
    func check(_ id: NodeID, _ local: SyncNode, at path: String) throws -> FileStatus {
        guard let status = try disk.status(path) else { throw StepFailure.changed(path) }
        guard let stamp = try state.stamp(of: id), stamp.identity == status.identity,
            status.kind == local.kind.onDisk
        else { throw StepFailure.changed(path) }
        // What is in a directory changes its times, and is looked at by itself.
        if local.kind == .file {
            guard stamp.size == status.size, stamp.modified == status.modified,
                stamp.changed == status.changed
            else { throw StepFailure.changed(path) }
        }
        return status
    }

    /// Keeps what the disk says of a node that was just written.
    ///
    /// - Parameter before: what it said before a rename: if it differs in more than a rename does, the file
    ///   was written meanwhile.
    func keepStamp(
        of id: NodeID, at path: String, after before: FileStatus? = nil, isCertain: Bool = true
    ) throws {
        try state.setStamp(stamp(at: path, after: before, isCertain: isCertain), of: id)
    }

    /// What the disk says of what was just written: see ``keepStamp(of:at:after:isCertain:)``.
    func stamp(
        at path: String, after before: FileStatus? = nil, isCertain: Bool = true
    ) throws -> LocalStamp {
        guard let now = try disk.status(path) else { throw StepFailure.changed(path) }
        let isSame = before.map {
            $0.identity == now.identity && $0.size == now.size && $0.modified == now.modified
        }
        // A time of change that no file has: it is read again, and stays known by its inode.
        let changed = isCertain && isSame != false ? now.changed : .min
        return LocalStamp(
            identity: now.identity, size: now.size, modified: now.modified, changed: changed,
            seen: environment.wallClock())
    }

    /// The stamp of a file that was put in its place with its times set.
    ///
    /// - Parameter seen: when the disk was asked: nanoseconds since 1970.
    func stamp(of now: FileStatus, seen: Int64, written: SyncNode) -> LocalStamp {
        var seen = seen
        // A write from now on sets the time of modification to what it is now. Where that was set to one long
        // ago, and is so still, nothing can have been written without a trace, though the file was touched a
        // moment ago.
        if now.size == written.size, now.modified == written.modified,
            !ScanPass.isRacy(modified: now.modified, seen: seen)
        {
            seen = .max
        }
        return LocalStamp(
            identity: now.identity, size: now.size, modified: now.modified, changed: now.changed, seen: seen)
    }
}

/// A place in the local tree.
struct LocalPlace: Hashable {
    let directory: NodeID
    let name: ExactPath

    init(_ directory: NodeID, _ name: String) {
        self.directory = directory
        self.name = ExactPath(name)
    }
}

extension TreeNodeKind {
    var onDisk: FileStatus.Kind {
        switch self {
        case .directory: .directory
        case .file: .file
        case .symlink: .symlink
        }
    }
}
