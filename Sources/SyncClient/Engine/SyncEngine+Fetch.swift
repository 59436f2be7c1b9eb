import Digests
import IPLD
import Multiformats
import SyncProtocol
import Synchronization
import TreeValues

/// Fetching content: into files in the making, then into place.
extension SyncEngine {
    /// Fetches in batches. While the files of one are made, those of the one before get their names, and one
    /// barrier makes both durable.
    func fetch(_ ids: [NodeID]) throws {
        var start = 0
        var before: [FetchJob] = []
        while start < ids.count, !areDownloadsPaused, !shouldStop {
            let (end, bytes) = try state.transaction { try endOfBatch(of: ids, from: start) }
            var batch = ids[start..<end]
            start = end
            if try !hasRoom(bytes) {
                // One that is too large does not keep back those that are not.
                batch = try keepWhatFits(of: batch)[...]
                pauseDownloads(Self.diskIsFull)
                if batch.isEmpty { break }
            }
            do {
                try fetch(batch, after: &before)
            } catch let error where error is SyncServerError || error is PassInterruption {
                // What was fetched before the connection went is kept.
                if !before.isEmpty { try place(&before, while: nil) }
                throw error
            }
        }
        if !before.isEmpty { try place(&before, while: nil) }
        try goOn()
    }

    /// Where a batch ends, and the bytes in it: it has many small files, or a few large ones.
    private func endOfBatch(of ids: [NodeID], from start: Int) throws -> (end: Int, bytes: Int64) {
        var bytes: Int64 = 0
        var end = start
        while end < ids.count, end - start < options.fetchBatch, bytes < Int64(options.windowBytes) {
            bytes += try bytesToWrite(of: ids[end])
            end += 1
        }
        return (end, bytes)
    }

    private func bytesToWrite(of id: NodeID) throws -> Int64 {
        guard let node = try state.node(id, in: .remote) else { return 0 }
        // What is here of it has its room already.
        return max(node.size - (node.content.map(own.fragments.bytes(of:)) ?? 0), 0)
    }

    /// Makes the files of a batch, and gives those of the one before their places.
    ///
    /// - Parameter before: files that are durable; afterwards, those of this batch.
    private func fetch(_ ids: ArraySlice<NodeID>, after before: inout [FetchJob]) throws {
        var next = try prepare(ids)
        let making = make(next)
        var isDone = false
        defer {
            // What is under way may not outlive what it is for.
            making.wait()
            if !isDone { for job in next { giveUp(job) } }
        }
        let hasBarrier = !before.isEmpty
        if hasBarrier { try place(&before, while: making) }
        note(try making.answer(), in: &next)
        try writePieces(&next)
        if !hasBarrier || next.contains(where: { $0.file.whole == nil && $0.file.remote.kind == .file }) {
            try synchronize(&next)
        }
        before = next
        isDone = true
    }

    private static let diskIsFull =
        "the disk is full, or has room for no more files: free some; it goes on by itself then"

    /// Says of each file for which there is no room that there is none, and returns the others. The smallest go
    /// first.
    private func keepWhatFits(of ids: ArraySlice<NodeID>) throws -> [NodeID] {
        let sizes = try state.transaction {
            try ids.map { (id: $0, bytes: try bytesToWrite(of: $0)) }
        }
        var room = try disk.freeBytes() - options.minimumFreeBytes
        var fitting: Set<NodeID> = []
        for file in sizes.sorted(by: { $0.bytes < $1.bytes }) where room > 0 && file.bytes <= room {
            room -= file.bytes
            fitting.insert(file.id)
        }
        for id in ids where !fitting.contains(id) {
            let path = try remotePath(of: id) ?? ""
            try fail(id, .noSpace(path), at: path)
        }
        return ids.filter { fitting.contains($0) }
    }

    private func hasRoom(_ bytes: Int64) throws -> Bool {
        let free = try disk.freeBytes()
        return free > 0 && free - options.minimumFreeBytes >= bytes
    }

    /// What is to be made, with the lists of leaves.
    private func prepare(_ ids: ArraySlice<NodeID>) throws -> [FetchJob] {
        var jobs: [FetchJob] = []
        jobs.reserveCapacity(ids.count)
        var isDone = false
        defer { if !isDone { for job in jobs where job.file.isResumed { giveUp(job) } } }
        for place in try state.transaction({ try places(for: ids) }) {
            let remote = place.remote
            do {
                let leaves = try leaves(of: remote, base: place.base)
                let (fragment, isResumed) = fragment(of: remote, leaves: leaves, jobs.count)
                jobs.append(
                    FetchJob(
                        FetchFile(
                            remote: remote, path: place.path, temporary: own.temporaryPath(jobs.count),
                            fragment: fragment, isResumed: isResumed, isNew: place.isNew, leaves: leaves,
                            whole: wholeContent(of: remote, leaves: leaves))))
            } catch let failure as StepFailure {
                fail(remote.id, failure, path: place.path)
            }
        }
        isDone = true
        return jobs
    }

    /// Gives files that are durable their places.
    ///
    /// - Parameter making: the files of the next batch, which are made meanwhile, and durable afterwards.
    private func place(_ jobs: inout [FetchJob], while making: CallUnderWay<[Int: FileError]>?) throws {
        var isDone = false
        defer {
            for job in jobs where job.failure != nil || (!isDone && job.file.isNew) {
                // What stays is moved to the trash by the next run.
                giveUp(job)
            }
            jobs.removeAll()
        }
        environment.progress(nil)
        nameWhole(&jobs)
        try changeDisk(awaiting: making) { touched in
            let placed = try placeNew(jobs)
            for (job, placed) in zip(jobs, placed) { try put(job, placed, &touched) }
        }
        isDone = true
        for job in jobs {
            guard let cid = job.file.remote.content else { continue }
            inlineContents.remove(cid)
            fileEdits.remove(cid)
        }
    }

    /// What is fetched, and where it is to be.
    private struct FetchPlace {
        let remote: SyncNode
        let path: String
        /// The content that is here.
        let base: CID?
        let isNew: Bool
    }

    private func places(for ids: ArraySlice<NodeID>) throws -> [FetchPlace] {
        var places: [FetchPlace] = []
        places.reserveCapacity(ids.count)
        for id in ids {
            guard let remote = try state.node(id, in: .remote) else { continue }
            let local = try state.node(id, in: .local)
            if local == nil, !isFree(LocalPlace(remote.parent, remote.name)) { continue }
            // An older version is replaced where it is: it is moved by itself.
            guard let path = try path(of: local?.name ?? remote.name, in: local?.parent ?? remote.parent)
            else {
                fail(id, .changedMeanwhile)
                continue
            }
            places.append(
                FetchPlace(remote: remote, path: path, base: local?.content, isNew: local == nil))
        }
        return places
    }

    // MARK: Leaves

    /// The list of a file's leaves, which together have its root.
    func leaves(of node: SyncNode, base: CID?) throws -> [Leaf] {
        guard node.kind == .file else { return [] }
        guard let root = node.content, node.size >= 0 else {
            throw StepFailure(reason: .damaged("a file without content"))
        }
        if root.codec == .raw {
            guard node.size <= Int64(Block.hardMaximumBytes) else {
                throw StepFailure(reason: .damaged("a block of \(node.size) bytes"))
            }
            return [Leaf(cid: root, bytes: Int(node.size))]
        }
        if let known = content.cachedLeaves(of: root) { return known }
        let known = base.flatMap { base in content.cachedLeaves(of: base).map { (base, $0) } }
        let edit = try fileEdits.edit(of: root, base: known?.0) ?? server.leaves(of: root, base: known?.0)
        let old = edit.base == nil ? [] : known.flatMap { $0.0 == edit.base ? $0.1 : nil }
        guard let old, let leaves = LeafLists.apply(edit, to: old), try LeafLists.root(of: leaves) == root
        else {
            throw StepFailure(reason: .damaged("the list of leaves is not that of \(root)"))
        }
        let size = leaves.reduce(Int64(0)) { $0 + Int64($1.bytes) }
        guard size == node.size else {
            throw StepFailure(reason: .damaged("\(size) bytes instead of \(node.size)"))
        }
        content.remember(leaves, of: root)
        return leaves
    }

    // MARK: Writing

    /// Begins to make the files of a batch: those whose content is at hand with it, the others empty.
    private func make(_ jobs: [FetchJob]) -> CallUnderWay<[Int: FileError]> {
        CallUnderWay(start: environment.start) { [disk, environment] in
            Self.forEach(jobs, environment.parallelForEach) { file throws(FileError) in
                if file.remote.kind == .symlink, let target = file.remote.target {
                    try disk.makeSymlink(file.temporary, target: target)
                } else if let whole = file.whole {
                    try whole.span.bytes.withUnsafeBytes { (bytes) throws(FileError) in
                        try disk.create(
                            file.temporary, bytes, modified: file.remote.modified, mode: file.remote.mode)
                    }
                } else if !file.isResumed {
                    try disk.create(file.making)
                }
            }
        }
    }

    /// Writes what was not at hand.
    private func writePieces(_ jobs: inout [FetchJob]) throws {
        var pieces: [FetchPiece] = []
        var bytes = 0
        for index in jobs.indices where jobs[index].failure == nil && jobs[index].file.whole == nil {
            var offset: Int64 = 0
            for leaf in jobs[index].file.leaves {
                pieces.append(FetchPiece(job: index, leaf: leaf, offset: offset))
                offset += Int64(leaf.bytes)
                bytes += leaf.bytes
                if bytes >= downloadPace.bytes || pieces.count >= 4096 {
                    try goOn()
                    try write(pieces, &jobs)
                    pieces.removeAll(keepingCapacity: true)
                    bytes = 0
                }
            }
        }
        try write(pieces, &jobs)
    }

    /// The content of a file of one leaf that came within its entry: it is written in one go.
    private func wholeContent(of node: SyncNode, leaves: [Leaf]) -> [UInt8]? {
        guard node.kind == .file, leaves.count == 1, let leaf = leaves.first,
            let content = inlineContents[leaf.cid], content.count == leaf.bytes,
            (try? leaf.cid.verify(content)) != nil
        else { return nil }
        return content
    }

    /// Writes a window of leaves: from local files, from entries, or from the server.
    private func write(_ all: [FetchPiece], _ jobs: inout [FetchJob]) throws {
        let writer = FetchWriter(disk: disk, blocks: blocks)
        let pieces = missingPieces(all, jobs, writer)
        guard !pieces.isEmpty else { return }
        var open: [FetchPiece] = []
        var contents = blocks.contents(of: pieces.map(\.leaf))
        let prefetched = Set(contents.keys)
        var wanted: [CID] = []
        for piece in pieces where jobs[piece.job].failure == nil {
            if piece.leaf.bytes == 0 { continue }
            if prefetched.contains(piece.leaf.cid) {
                open.append(piece)
                continue
            }
            if writer.reuse(piece, in: jobs[piece.job].file.making) {
                status.counters.bytesReused += Int64(piece.leaf.bytes)
                continue
            }
            open.append(piece)
            guard contents[piece.leaf.cid] == nil else { continue }
            contents[piece.leaf.cid] = []
            if let inline = inlineContents[piece.leaf.cid] ?? fileEdits[piece.leaf.cid],
                (try? piece.leaf.cid.verify(inline)) != nil
            {
                contents[piece.leaf.cid] = inline
                status.counters.bytesReceived += Int64(inline.count)
            } else {
                wanted.append(piece.leaf.cid)
            }
        }
        tellProgress(of: pieces.first, jobs, isDone: false)
        let start = environment.steadyClock()
        try retrieve(wanted, into: &contents)
        downloadPace.note(milliseconds: environment.steadyClock() - start)
        tellProgress(of: pieces.last, jobs, isDone: true)
        let failures = Mutex<[Int: StepFailure]>([:])
        // A window is within one file or many: what is in one file is written in order by one thread.
        let groups = Dictionary(grouping: open, by: \.job).sorted { $0.key < $1.key }
        let paths = jobs.map(\.file.making)
        environment.parallelForEach(groups.count) { [contents] index in
            let (job, pieces) = groups[index]
            for piece in pieces {
                guard let bytes = contents[piece.leaf.cid], bytes.count == piece.leaf.bytes else {
                    let reason = ItemReason.blockMissing(piece.leaf.cid.description)
                    failures.withLock { $0[job] = StepFailure(reason: reason) }
                    return
                }
                do throws(FileError) {
                    try writer.write(bytes, piece, in: paths[job])
                } catch {
                    failures.withLock { $0[job] = StepFailure(reason: .file(error)) }
                    return
                }
            }
        }
        failures.withLock { failures in
            for (job, failure) in failures { jobs[job].failure = failure }
        }
    }

    /// - Parameter isDone: whether the piece is here.
    private func tellProgress(of piece: FetchPiece?, _ jobs: [FetchJob], isDone: Bool) {
        guard let piece else { return }
        let file = jobs[piece.job].file
        environment.progress(
            TransferProgress(
                path: file.path, isUpload: false,
                bytesDone: piece.offset + (isDone ? Int64(piece.leaf.bytes) : 0), bytesTotal: file.remote.size
            ))
    }

    func retrieve(_ wanted: [CID], into contents: inout [CID: [UInt8]]) throws {
        var rest = wanted[...]
        while !rest.isEmpty {
            let asked = Array(rest.prefix(1000))
            let answer = try server.retrieve(asked)
            let names = Set(asked)
            for block in answer.blocks where names.contains(block.cid) {
                // What is damaged is as good as not there.
                guard (try? block.cid.verify(block.bytes)) != nil else { continue }
                contents[block.cid] = block.bytes
                status.counters.bytesReceived += Int64(block.bytes.count)
            }
            // What did not come of those is not to be had; its file fails, the others go on.
            rest = rest.dropFirst(max(1, answer.answered))
        }
    }

    /// Makes the files in the making durable before any of them gets its name.
    private func synchronize(_ jobs: inout [FetchJob]) throws {
        let isFew = jobs.count <= 8
        let failures = Self.forEach(jobs, environment.parallelForEach) { [disk] file throws(FileError) in
            guard file.remote.kind == .file else { return }
            if file.whole == nil {
                try disk.setAttributes(
                    file.making, modified: file.remote.modified, mode: file.remote.mode)
            }
            if isFew { try disk.synchronize(file: file.making) }
        }
        note(failures, in: &jobs)
        if !isFew { try disk.synchronizeAll() }
    }

    /// Does something for each job that has not failed, on several threads.
    ///
    /// - Returns: the failures by the places of the jobs.
    private static func forEach(
        _ jobs: [FetchJob], _ parallelForEach: @escaping ParallelForEach,
        _ body: @Sendable (FetchFile) throws(FileError) -> Void
    ) -> [Int: FileError] {
        let failures = Mutex<[Int: FileError]>([:])
        parallelForEach(jobs.count) { index in
            guard jobs[index].failure == nil else { return }
            do throws(FileError) {
                try body(jobs[index].file)
            } catch {
                failures.withLock { $0[index] = error }
            }
        }
        return failures.withLock { $0 }
    }

    private func note(_ failures: [Int: FileError], in jobs: inout [FetchJob]) {
        for (job, error) in failures { jobs[job].failure = StepFailure(reason: .file(error)) }
    }
}
