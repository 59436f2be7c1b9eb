import Foundation
import Glibc
import NodeCore

/// Finds out in the background how much there is to read, so that the progress bar can tell how long it
/// takes. Does nothing where no bar is shown.
final class ScanAhead {
    private let cancellation = Cancellation()
    private let task = BackgroundTask()

    init(paths: [String], bar: ProgressBar, hidden: Bool) {
        guard Terminal.isErrorTerminal else { return }
        let paths = paths.filter { $0 != "-" }.map { RawArguments.bytes(of: $0) }
        let (cancellation, total) = (cancellation, bar.scannedBytes)
        task.start {
            var sum: Int64 = 0
            for path in paths {
                sum += TreeSize.bytes(at: path, includingHidden: hidden, cancellation: cancellation)
            }
            if !cancellation.isCancelled { total.set(sum) }
        }
    }

    func stop() {
        cancellation.cancel()
        try? task.wait()  // counting has no errors that matter
    }
}
