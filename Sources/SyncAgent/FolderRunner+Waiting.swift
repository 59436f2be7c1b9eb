import Foundation
import SyncClient
import SyncProtocol
import Synchronization

/// Waiting for the node: news, what may be done in the namespace, and the time there.
extension FolderRunner {
    /// Whether what the node spoke of is still to be read: what this folder commits comes back to it as the
    /// news that it is. Returns when the pass is over that may know.
    private func isNews(beyond cursor: SyncCursor) -> Bool {
        var pause = 0.002
        while position.withLock({ $0.isWorking }), !mailbox.isStopping {
            Thread.sleep(forTimeInterval: pause)
            // A pass that takes long is not asked each moment.
            pause = min(pause * 1.5, 0.02)
        }
        return position.withLock { $0.cursor == cursor }
    }

    /// Seconds that one question takes at most.
    private static let waitSeconds = 60

    /// How often the node is asked at most what may be done in the namespace: milliseconds.
    private static let roleInterval: Int64 = 30_000

    /// How often the clocks are compared: milliseconds.
    private static let clockInterval: Int64 = 600_000
    /// By how much clocks may differ: milliseconds.
    static let maximumClockLead: Int64 = 120_000

    /// Compares the clock of this machine with the node's. Nothing is decided by clocks, but people read
    /// times.
    func checkClock() throws(SyncServerError) {
        let lead = try server.clockLead()
        report.withLock { $0.clockLead = lead.flatMap { $0.magnitude > Self.maximumClockLead ? $0 : nil } }
    }

    /// Asks what may be done in the namespace, now and then, and tells where that is something else.
    private func checkRole(_ known: inout (mayWrite: Bool, at: Int64)) throws(SyncServerError) {
        let now = MachineClock.steadyMilliseconds()
        guard now - known.at >= Self.roleInterval else { return }
        known.at = now
        let mayWrite = try server.info().role != "viewer"
        // The folder learns by itself that nothing is taken from it, and not that it is again.
        let isReadOnly = report.withLock { $0.state == "read_only" }
        guard mayWrite != known.mayWrite || mayWrite && isReadOnly else { return }
        known.mayWrite = mayWrite
        mailbox.send(.mayWrite(mayWrite))
    }

    func waitForNode() {
        var role = (mayWrite: true, at: -Self.roleInterval)
        var nextClock: Int64 = 0
        var wasRefused = false
        var backOff = 1.0
        var idle = 0.005
        var seen = 0
        var mark: Int64 = 0
        while !mailbox.isStopping {
            let (cursor, passes, _) = position.withLock { $0 }
            // Until the last news was looked at there is nothing to ask.
            guard let cursor, passes > seen else {
                // Soon after news, and seldom where a folder rests or is away.
                Thread.sleep(forTimeInterval: idle)
                idle = min(idle * 1.5, 0.5)
                continue
            }
            idle = 0.005
            do throws(SyncServerError) {
                try checkRole(&role)
                // Asked a moment ago, and not refused any more: there may be no news for long.
                if wasRefused { mailbox.noteRemoteChange() }
                wasRefused = false
                if MachineClock.steadyMilliseconds() >= nextClock {
                    nextClock = MachineClock.steadyMilliseconds() + Self.clockInterval
                    // It is told to people, and nothing depends on it: no news is missed for it.
                    try? checkClock()
                }
                let prefetching = ahead.withLock { $0 }
                let news = try server.wait(
                    after: cursor, inflightMark: prefetching == nil ? nil : mark,
                    seconds: Self.waitSeconds)
                if let told = news.inflight.first?.mark {
                    mark = told
                    prefetching?.ring()
                }
                if !news.changed.isEmpty, isNews(beyond: cursor) {
                    let now = position.withLock { $0 }
                    seen = now.cursor == cursor ? now.passes : passes
                    mailbox.noteRemoteChange()
                }
                backOff = 1
            } catch {
                guard !mailbox.isStopping else { return }
                if error.isRefusal {
                    // The folder is to know at once: its next pass comes to the same.
                    mailbox.noteRemoteChange()
                    wasRefused = true
                    role.at = -Self.roleInterval
                }
                Thread.sleep(forTimeInterval: backOff)
                backOff = min(backOff * 2, 30)
            }
        }
    }
}

extension SyncServerError {
    /// Whether the namespace is not to be had any more, for whom or for good.
    fileprivate var isRefusal: Bool {
        switch self {
        case .notAllowed, .refused(code: .unknownNamespace, _, _): true
        case .unreachable, .resetRequired, .refused, .badAnswer: false
        }
    }
}

// MARK: For news

extension FolderRunner {
    /// After so many milliseconds without news nothing of a folder is kept open.
    private static let restsAfter: Int64 = 1000

    /// Waits for news; lets the descriptors of the folder go before a longer wait, so that its disk can be
    /// unmounted.
    ///
    /// - Parameter delay: milliseconds.
    func nextMail(
        for folder: OpenFolder, within delay: Int64, atOnce: Bool
    ) -> Mailbox.Mail {
        let room = folder.waitsForRoom && !atOnce ? roomThere() : nil
        let first = min(delay, atOnce ? 0 : Self.restsAfter)
        let mail = mailbox.take(waiting: first)
        guard mail.isEmpty, delay > first else { return mail }
        folder.close()
        guard let room else { return mailbox.take(waiting: delay - first) }
        return nextMail(for: folder, within: delay - first, orMoreRoomThan: room)
    }

    /// How often a node that had no room is asked whether it has more, which is one short question: milliseconds.
    private static let roomInterval: Int64 = 5000

    /// Waits for news as ``nextMail``, and for room on the node.
    private func nextMail(
        for folder: OpenFolder, within delay: Int64, orMoreRoomThan before: Room
    ) -> Mailbox.Mail {
        var left = delay
        while left > 0 {
            let mail = mailbox.take(waiting: min(left, Self.roomInterval))
            left -= Self.roomInterval
            guard mail.isEmpty else { return mail }
            guard let now = roomThere(), now.isMore(than: before) else { continue }
            folder.engine.askForRoom()
            break
        }
        return Mailbox.Mail()
    }

    /// What says how much room a namespace has.
    private struct Room {
        let policy: String
        let bytes: Int64

        func isMore(than before: Room) -> Bool { policy != before.policy || bytes < before.bytes }
    }

    /// `nil` where the node cannot be asked.
    private func roomThere() -> Room? {
        // What was wrong is told by the next pass.
        guard let info = try? server.info() else { return nil }
        return Room(policy: info.policy, bytes: info.bytes)
    }
}
