import Foundation
import SyncClient

/// What a folder's thread waits for: changes here, changes there, and what a person asks for.
///
/// Proof of Sendable: everything in it is touched under the condition's lock only.
final class Mailbox: @unchecked Sendable {
    /// What came since it was emptied last.
    struct Mail {
        /// Paths that changed here; `nil` if there is no telling which.
        var paths: PathSet? = PathSet()
        var isRemote = false
        var isStopping = false
        var commands: [FolderCommand] = []

        var isEmpty: Bool { paths?.isEmpty == true && !isRemote && !isStopping && commands.isEmpty }
    }

    private let condition = NSCondition()
    private var mail = Mail()
    /// More are taken for anything.
    private static let maximumPaths = 4096

    private func change(_ body: (inout Mail) -> Void) {
        condition.lock()
        body(&mail)
        condition.signal()
        condition.unlock()
    }

    func noteChanges(_ paths: [String]?) {
        change { mail in
            guard let paths, mail.paths != nil else { return mail.paths = nil }
            mail.paths?.insert(paths)
            if (mail.paths?.count ?? 0) > Self.maximumPaths { mail.paths = nil }
        }
    }

    func noteRemoteChange() { change { $0.isRemote = true } }
    func stop() { change { $0.isStopping = true } }
    func send(_ command: FolderCommand) { change { $0.commands.append(command) } }

    var isStopping: Bool {
        condition.lock()
        defer { condition.unlock() }
        return mail.isStopping
    }

    /// Whether a pass is to end: to stop, or to rest.
    var isInterrupting: Bool {
        condition.lock()
        defer { condition.unlock() }
        return mail.isStopping || mail.commands.contains(.pause)
    }

    /// Everything that came, at once or after so many milliseconds at most. A stop stays in it.
    func take(waiting milliseconds: Int64) -> Mail {
        condition.lock()
        defer { condition.unlock() }
        let deadline = Date().addingTimeInterval(Double(milliseconds) / 1000)
        while mail.isEmpty, condition.wait(until: deadline) {}
        let taken = mail
        mail = Mail()
        mail.isStopping = taken.isStopping
        return taken
    }
}

/// What a person asks of a folder that is being synced.
enum FolderCommand: Hashable, Sendable {
    case pause
    case resume
    /// Everything again at once: scan, and items that wait for their time.
    case rescan
    /// Somebody changed these paths in one step and is done with them: they are looked at as they are.
    case take([String])
    /// Tells whether the node takes changes from here.
    case mayWrite(Bool)
    /// Decides about what is held; with an id for what comes of it.
    case decide(FolderChoice, id: String)
}
