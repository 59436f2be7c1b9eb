import SyncProtocol
import TreeValues

/// The single changes of the disk.
extension SyncEngine {
    func apply(_ step: DiskStep, _ touched: inout PathSet) throws {
        switch step {
        case .makeDirectory(let id): try makeDirectory(id, &touched)
        case .move(let id, let parent, let name): try move(id, to: parent, name, &touched)
        case .setAside(let id, let name, let detach):
            try setAside(id, name: name, detach: detach, &touched)
        case .remove(let id): try remove(id, isPruned: false, &touched)
        case .prune(let id): try remove(id, isPruned: true, &touched)
        case .setAttributes(let id): try setAttributes(id, &touched)
        case .fetch, .merge: break
        }
    }

    private func makeDirectory(_ id: NodeID, _ touched: inout PathSet) throws {
        guard let remote = try state.node(id, in: .remote), try state.node(id, in: .local) == nil,
            let path = try path(of: remote.name, in: remote.parent)
        else { throw StepFailure(reason: .changedMeanwhile) }
        do {
            try disk.makeDirectory(path)
        } catch FileError.exists {
            throw StepFailure.changed(path)
        }
        touched.insert(FolderPath.parent(of: path))
        var local = remote
        local.revision = 0
        local.contentRevision = 0
        // Its owner can always write into it, or nothing could be put there.
        if let mode = remote.mode { try disk.setAttributes(path, modified: nil, mode: mode | 0o700) }
        try state.put(local, in: .local)
        try state.put(remote, in: .synced)
        try keepStamp(of: id, at: path)
    }

    private func move(
        _ id: NodeID, to parent: NodeID, _ name: String, _ touched: inout PathSet
    ) throws {
        guard var local = try state.node(id, in: .local), let source = try localPath(of: id),
            let target = try path(of: name, in: parent)
        else { throw StepFailure(reason: .changedMeanwhile) }
        let before = try check(id, local, at: source)
        let isSpelling =
            parent == local.parent
            && NameKey(name, ignoringCase: true) == NameKey(local.name, ignoringCase: true)
        if isSpelling, options.ignoresCaseLocally {
            // Where both spellings are one name, the way from one to the other leads over a third.
            let between = try path(of: SyncNames.temporary(for: id), in: parent) ?? source
            try disk.rename(source, to: between, replacing: false)
            try rename(between, to: target)
        } else {
            try rename(source, to: target)
        }
        touched.insert(FolderPath.parent(of: source))
        touched.insert(FolderPath.parent(of: target))
        local.parent = parent
        local.name = name
        try state.put(local, in: .local)
        if let remote = try state.node(id, in: .remote), local.isInPlace(of: remote),
            var synced = try state.node(id, in: .synced)
        {
            synced.parent = remote.parent
            synced.name = remote.name
            try state.put(synced, in: .synced)
        }
        if local.kind == .directory { noteMoved(to: target) }
        try keepStamp(of: id, at: target, after: before)
        status.counters.movedHere += 1
        environment.report(.movedHere(from: source, to: target))
    }

    private func setAside(
        _ id: NodeID, name: String, detach isDetached: Bool, _ touched: inout PathSet
    ) throws {
        guard var local = try state.node(id, in: .local), let source = try localPath(of: id),
            let target = try path(of: name, in: local.parent)
        else { throw StepFailure(reason: .changedMeanwhile) }
        let before = try check(id, local, at: source)
        try rename(source, to: target)
        touched.insert(FolderPath.parent(of: source))
        local.name = name
        try state.put(local, in: .local)
        try keepStamp(of: id, at: target, after: before)
        if isDetached { try detach(id) }
        if local.kind == .directory { noteMoved(to: target) }
        status.counters.conflictCopies += 1
        environment.report(.conflictCopy(path: source, copy: target))
    }

    /// What was told of what is in a directory, and is to be looked at when it rests, was told by its old path:
    /// all of it is looked at where it is now.
    private func noteMoved(to path: String) {
        directoryPaths.removeAll()
        rescans.insert(path)
    }

    private func rename(_ source: String, to target: String) throws {
        do {
            try disk.rename(source, to: target, replacing: false)
        } catch FileError.exists {
            throw StepFailure.changed(target)
        }
    }

    private func remove(_ id: NodeID, isPruned: Bool, _ touched: inout PathSet) throws {
        guard let local = try state.node(id, in: .local), let path = try localPath(of: id) else {
            throw StepFailure(reason: .changedMeanwhile)
        }
        let before = try check(id, local, at: path)
        if local.kind == .directory {
            do {
                try disk.removeDirectory(path)
            } catch FileError.notEmpty {
                throw StepFailure(reason: .notEmpty, rescan: path)
            }
            directoryPaths.removeAll()
        } else {
            touched.insert(FolderPath.parent(of: try moveToTrash(path, as: before)))
        }
        touched.insert(FolderPath.parent(of: path))
        try state.remove(id, from: .local)
        if !isPruned { try state.remove(id, from: .synced) }
        status.counters.removedHere += 1
        environment.report(.removedHere(path: path))
    }

    /// Moves a file into the trash, unless it is not the one that was looked at any more: then it is put back.
    ///
    /// - Returns: where it is in the trash.
    /// - Throws: `StepFailure` for another file.
    func moveToTrash(_ path: String, as before: FileStatus) throws -> String {
        let kept = try own.moveToTrash(path, as: path)
        guard try !isSame(kept, before) else { return kept }
        // Where somebody was quicker once more, the trash has it.
        try? disk.rename(kept, to: path, replacing: false)
        throw StepFailure.changed(path)
    }

    /// Whether what is at a path, whatever it was called before, is what was looked at.
    func isSame(_ path: String, _ before: FileStatus) throws -> Bool {
        guard let now = try disk.status(path) else { return false }
        return now.identity == before.identity && now.size == before.size && now.modified == before.modified
    }

    private func setAttributes(_ id: NodeID, _ touched: inout PathSet) throws {
        guard var local = try state.node(id, in: .local), let remote = try state.node(id, in: .remote),
            let path = try localPath(of: id)
        else { throw StepFailure(reason: .changedMeanwhile) }
        if try check(id, local, at: path).links > 1 {
            try takeApart(
                local, FetchFile(remote: remote, path: path, temporary: own.temporaryPath()), &touched)
        } else {
            try disk.setAttributes(path, modified: remote.modified, mode: remote.mode)
        }
        touched.insert(FolderPath.parent(of: path))
        local.modified = remote.modified
        local.mode = remote.mode ?? local.mode
        try state.put(local, in: .local)
        if var synced = try state.node(id, in: .synced) {
            synced.modified = remote.modified
            synced.mode = remote.mode
            synced.revision = remote.revision
            try state.put(synced, in: .synced)
        }
        // Somebody may have written in between, and the time of that is overwritten: it is read once more.
        try keepStamp(of: id, at: path, isCertain: false)
    }

    /// Makes one name of a file with several a file of its own, as one is whose content comes from the server:
    /// each name is a node there. With shared attributes, machines where the same names are one file would go on
    /// telling each other the times of one and of the other.
    private func takeApart(_ local: SyncNode, _ file: FetchFile, _ touched: inout PathSet) throws {
        var isExchanged = false
        do {
            try disk.create(file.temporary)
            try disk.copy(file.path, at: 0, to: file.temporary, at: 0, count: local.size)
            try disk.setAttributes(
                file.temporary, modified: file.remote.modified, mode: file.remote.mode ?? local.mode)
            try disk.synchronize(file: file.temporary)
            try replace(local, with: file, &touched, isExchanged: &isExchanged)
        } catch {
            if !isExchanged { try? disk.removeFile(file.temporary) }
            throw error
        }
    }
}
