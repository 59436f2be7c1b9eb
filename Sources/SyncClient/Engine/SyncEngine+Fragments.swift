import Multiformats
import SyncProtocol
import Synchronization
import TreeValues

/// Going on with large files of which an earlier attempt received a part.
extension SyncEngine {
    /// Where a large file is made: where an earlier attempt left a part of it, if one did.
    func fragment(of node: SyncNode, leaves: [Leaf], _ index: Int) -> (Fragment?, isResumed: Bool) {
        guard leaves.count > 1, node.size >= options.resumedBytes, let root = node.content else {
            return (nil, false)
        }
        if let left = own.takeFragment(of: root, fileBytes: node.size) { return (left, true) }
        return (own.makeFragment(of: root, for: node.id, index), false)
    }

    /// Takes the names from files that are durable by which they could be gone on with.
    ///
    /// File systems keep the order of such changes: where an older version is under the temporary name after a
    /// crash, the fragment's name is gone.
    func nameWhole(_ jobs: inout [FetchJob]) {
        for index in jobs.indices where jobs[index].failure == nil && !jobs[index].isNamedWhole {
            let file = jobs[index].file
            guard let fragment = file.fragment else { continue }
            do throws(FileError) {
                try disk.rename(fragment.path, to: file.temporary, replacing: false)
                jobs[index].isNamedWhole = true
            } catch {
                jobs[index].failure = StepFailure(reason: .file(error))
            }
        }
    }

    /// Removes a file in the making, or keeps it to go on with: not where the disk is what failed.
    func giveUp(_ job: FetchJob) {
        guard var fragment = job.file.fragment, !job.isNamedWhole else {
            try? disk.removeFile(job.file.temporary)
            return
        }
        if !isOfDisk(job.failure), let status = try? disk.status(fragment.path) {
            fragment.bytes = status.size
            if own.fragments.insert(fragment) { return }
        }
        try? disk.removeFile(fragment.path)
    }

    /// Moves to the trash what is here of files that are not fetched any more.
    func dropFragments() throws {
        guard !own.fragments.all.isEmpty else { return }
        let isPending = status.pending != 0
        try own.dropFragments { fragment in
            guard isPending else { return false }
            return try state.node(fragment.node, in: .remote)?.content == fragment.root
                && state.node(fragment.node, in: .local)?.content != fragment.root
        }
    }

    /// Those that are not in what an earlier attempt left of their file.
    func missingPieces(
        _ pieces: [FetchPiece], _ jobs: [FetchJob], _ writer: FetchWriter
    ) -> [FetchPiece] {
        let resumed = pieces.indices.filter { jobs[pieces[$0].job].file.isResumed }
        if resumed.isEmpty { return pieces }
        let there = Mutex<Set<Int>>([])
        environment.parallelForEach(resumed.count) { place in
            let index = resumed[place]
            let piece = pieces[index]
            guard writer.isThere(piece, in: jobs[piece.job].file.making) else { return }
            there.withLock { _ = $0.insert(index) }
        }
        let found = there.withLock { $0 }
        for index in found { status.counters.bytesReused += Int64(pieces[index].leaf.bytes) }
        return pieces.indices.filter { !found.contains($0) }.map { pieces[$0] }
    }

    private func isOfDisk(_ failure: StepFailure?) -> Bool {
        if case .file = failure?.reason { true } else { false }
    }
}
