import BlockStorage
import Foundation
import NodeCore

/// Lines of output that are printed only once what they tell is durable.
///
/// A thread of its own commits the store again and again while the work goes on; each commit releases the
/// lines that were there when it began. So a line that was seen is a promise, even through a power cut.
final class CommittedLines {
    private let store: (any BlockStore)?
    private let committer: BackgroundTask
    private var waiting: [UInt8] = []
    private var committing: [UInt8] = []
    private var lastCommit = ContinuousClock.now
    private var output = StandardOutput()

    /// More frequent commits cost syncs, rarer ones memory and patience.
    private static let interval = Duration.milliseconds(500)

    /// - Parameter store: `nil` if nothing is stored and lines can go out at once.
    init(store: (any BlockStore)?) {
        self.store = store
        committer = BackgroundTask()
    }

    func append(_ line: [UInt8]) throws {
        waiting.append(contentsOf: line)
        waiting.append(UInt8(ascii: "\n"))
        guard let store else {
            if waiting.count >= 64 * 1024 || Terminal.isOutputTerminal { try flush() }
            return
        }
        if committer.isRunning {
            if !(try committer.isDone()) { return }
            try release()
        }
        let now = ContinuousClock.now
        guard now - lastCommit >= Self.interval else { return }
        lastCommit = now
        swap(&committing, &waiting)
        committer.start { try store.commit() }
    }

    /// Commits and prints everything that waits.
    func flush() throws {
        if committer.isRunning {
            try committer.wait()
            try release()
        }
        guard !waiting.isEmpty else { return }
        try store?.commit()
        swap(&committing, &waiting)
        try release()
    }

    private func release() throws {
        guard !committing.isEmpty else { return }
        ProgressBar.clearLine()
        do {
            try output.write(bytes: committing)
            try output.flush()
        } catch is SilentExit {
            // For a verb that only reads, a reader that has gone away is a quiet end. Here work is left undone.
            throw CommandError(
                .failed,
                "standard output was closed before everything was done; what was printed is kept, "
                    + "the rest is not pinned; repeat the command to go on")
        }
        committing.removeAll(keepingCapacity: true)
    }
}
