import SyncClient

/// How fast a file is on its way, by what was told of it.
struct TransferMeter {
    private struct Moment {
        let time: Int64
        let bytes: Int64
    }

    private var file: TransferProgress?
    /// What was done when, the earliest first.
    private var moments: [Moment] = []
    /// Milliseconds over which a rate is taken.
    private static let span: Int64 = 30_000
    /// Before so many a rate says nothing.
    private static let shortest: Int64 = 500

    /// - Parameter now: milliseconds of the steady clock.
    mutating func note(_ progress: TransferProgress?, now: Int64) {
        if progress?.path != file?.path || progress?.isUpload != file?.isUpload { moments.removeAll() }
        file = progress
        guard let progress else { return }
        // What is told twice at a time is one moment; and not many more are kept than a person can tell apart.
        if let last = moments.last, last.bytes == progress.bytesDone { return }
        moments.append(Moment(time: now, bytes: progress.bytesDone))
        while moments.count > 2, now - moments[1].time > Self.span || moments.count > 200 {
            moments.removeFirst()
        }
    }

    /// What is on its way; `nil` for nothing.
    var transfer: FolderReport.Transfer? {
        guard let file else { return nil }
        var transfer = FolderReport.Transfer(
            path: file.path, direction: file.isUpload ? "send" : "receive", bytesDone: file.bytesDone,
            bytesTotal: file.bytesTotal)
        guard let first = moments.first, let last = moments.last, last.time - first.time >= Self.shortest,
            last.bytes > first.bytes
        else { return transfer }
        let rate = Double(last.bytes - first.bytes) * 1000 / Double(last.time - first.time)
        transfer.bytesPerSecond = Int64(rate)
        transfer.secondsLeft = Int64((Double(max(0, file.bytesTotal - file.bytesDone)) / rate).rounded(.up))
        return transfer
    }
}
