import Digests
import Multiformats
import SyncProtocol
import TreeValues

/// Merging texts that were changed on both sides, where the namespace asks for it.
///
/// Only clean merges: where lines of both sides touch, the planner makes a conflict copy as it does
/// without merging. The version that was here goes to the trash, that of the server is in its history.
extension SyncEngine {
    /// So many pairs of contents are remembered as not to be merged; then they are tried again.
    private static let maximumUnmergeable = 10_000

    func merge(_ ids: [NodeID]) throws {
        for id in ids {
            let path = try localPath(of: id) ?? ""
            do {
                try merge(id, at: path)
                succeed(id)
            } catch let failure as StepFailure {
                fail(id, failure, path: path)
            } catch let error as FileError {
                try fail(id, error, at: path)
            }
        }
    }

    private func merge(_ id: NodeID, at path: String) throws {
        guard let remote = try state.node(id, in: .remote), let local = try state.node(id, in: .local),
            var synced = try state.node(id, in: .synced), let pair = MergePair(local, remote), !path.isEmpty
        else { throw StepFailure(reason: .changedMeanwhile) }
        let ours = try localText(of: local, at: path)
        guard let base = try text(of: synced, like: local), let theirs = try text(of: remote, like: local),
            let merged = LineMerge.merge(base: base, ours: ours, theirs: theirs)
        else {
            if unmergeable.count >= Self.maximumUnmergeable { unmergeable.removeAll() }
            unmergeable.insert(pair)
            return
        }
        let file = FetchFile(remote: remote, path: path, temporary: own.temporaryPath())
        do {
            try merged.span.bytes.withUnsafeBytes { (bytes) throws(FileError) in
                try disk.create(file.temporary, bytes, modified: nil, mode: local.mode)
            }
            try disk.synchronize(file: file.temporary)
        } catch {
            try? disk.removeFile(file.temporary)
            throw error
        }
        try changeDisk { touched in
            var isExchanged = false
            do {
                try replace(local, with: file, &touched, isExchanged: &isExchanged)
            } catch {
                if !isExchanged { try? disk.removeFile(file.temporary) }
                throw error
            }
            touched.insert(FolderPath.parent(of: path))
            // The server's content is in it: what is here is a change of that.
            synced.content = remote.content
            synced.size = remote.size
            synced.revision = remote.revision
            synced.contentRevision = remote.contentRevision
            try state.put(synced, in: .synced)
        }
        // The scan finds the new content, and the next plan sends it.
        rescans.insert(path)
        status.counters.merged += 1
        environment.report(.merged(path: path))
    }

    // MARK: Texts

    /// What is in a file here, checked against its root.
    private func localText(of node: SyncNode, at path: String) throws -> [UInt8] {
        guard let root = node.content else { throw StepFailure.changed(path) }
        let leaves: [Leaf]
        if root.codec == .raw {
            leaves = [Leaf(cid: root, bytes: Int(clamping: node.size))]
        } else {
            guard let found = try content.leaves(of: root, at: path) else { throw StepFailure.changed(path) }
            leaves = found
        }
        let reader = UploadPreparation(disk: disk, reader: content, inlineBytes: options.inlineBytes)
        let bytes = try reader.read(path, at: 0, count: Int(clamping: node.size) + 1)
        guard bytes.count == leaves.reduce(0, { $0 + $1.bytes }) else { throw StepFailure.changed(path) }
        var start = 0
        for leaf in leaves {
            let part = Array(bytes[start..<start + leaf.bytes])
            guard (try? leaf.cid.verify(part)) != nil else { throw StepFailure.changed(path) }
            start += leaf.bytes
        }
        return bytes
    }

    /// What is in a version that the server has; `nil` if it has it no more.
    private func text(of node: SyncNode, like local: SyncNode) throws -> [UInt8]? {
        let leaves: [Leaf]
        do {
            leaves = try self.leaves(of: node, base: local.content)
        } catch SyncServerError.badAnswer {
            return nil
        }
        guard leaves.reduce(0, { $0 + $1.bytes }) <= LineMerge.maximumBytes else { return nil }
        var contents: [CID: [UInt8]] = [:]
        for leaf in leaves where leaf.bytes > 0 {
            if let inline = inlineContents[leaf.cid], (try? leaf.cid.verify(inline)) != nil {
                contents[leaf.cid] = inline
            }
        }
        var seen: Set<CID> = []
        let wanted = leaves.map(\.cid).filter { contents[$0] == nil && seen.insert($0).inserted }
        try retrieve(wanted, into: &contents)
        var bytes: [UInt8] = []
        for leaf in leaves where leaf.bytes > 0 {
            guard let part = contents[leaf.cid], part.count == leaf.bytes else { return nil }
            bytes += part
        }
        return bytes
    }
}
