import Foundation
import Glibc
import Synchronization
public import SyncClient

/// All folders of a user in one process, and the control socket by which it is asked.
///
/// Proof of Sendable: what changes is in a `Mutex`.
public final class FolderAgent: @unchecked Sendable {
    private let home: AgentHome
    private let device: String
    private let dial: @Sendable (FolderRecord) throws -> HTTPSyncServer.Options
    private let event: @Sendable (FolderRecord, SyncEvent) -> Void
    private let runners = Mutex<[String: FolderRunner]>([:])
    /// One reload at a time.
    private let reloading = NSLock()
    private let isStopping = Mutex(false)
    private var control: ControlServer?
    private let lock: Int32
    /// Which folders it runs; all of them for `nil`.
    private let only: Mutex<Set<String>?>

    /// - Parameter only: ids of folders.
    /// - Throws: `running` where another process holds the home.
    public init(
        _ home: AgentHome, only: Set<String>? = nil,
        dial: @escaping @Sendable (FolderRecord) throws -> HTTPSyncServer.Options,
        event: @escaping @Sendable (FolderRecord, SyncEvent) -> Void
    ) throws {
        self.home = home
        self.dial = dial
        self.event = event
        self.only = Mutex(only)
        device = try home.device()
        try home.make()
        lock = open(home.lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw AgentError.system("open", home.lockPath, errno) }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            close(lock)
            throw AgentError.running
        }
    }

    /// Begins with every folder, and listens.
    public func start() throws {
        control = try ControlServer(path: home.socketPath) { [self] in answer($0) }
        try reload()
    }

    /// Whether it was asked to end over the control socket.
    public var isAskedToStop: Bool { isStopping.withLock { $0 } }

    /// The state of every folder, in the order in which they were added.
    public var status: [FolderReport] {
        runners.withLock { $0.values.map(\.status) }.sorted { $0.id < $1.id }
    }

    /// Ends all folders, each at its next step.
    public func stop() {
        control?.stop()
        let all = runners.withLock { runners in
            defer { runners = [:] }
            return Array(runners.values)
        }
        DispatchQueue.concurrentPerform(iterations: all.count) { all[$0].stop() }
        close(lock)
    }

    /// Takes over the list of folders as it is on the disk.
    public func reload() throws {
        reloading.lock()
        defer { reloading.unlock() }
        let only = only.withLock { $0 }
        let records = try home.folders().filter { only?.contains($0.id) ?? true }
        let wanted = Dictionary(records.map { ($0.id, $0) }, uniquingKeysWith: { $1 })
        // What only began or ended a pause goes on by itself.
        func essence(_ record: FolderRecord) -> FolderRecord {
            var record = record
            record.isPaused = false
            return record
        }
        let gone = runners.withLock { runners in
            let gone = runners.filter { id, runner in
                wanted[id].map { essence($0) != essence(runner.record) } ?? true
            }
            for id in gone.keys { runners[id] = nil }
            return Array(gone.values)
        }
        for runner in gone { runner.stop() }
        for record in records where runners.withLock({ $0[record.id] }) == nil {
            let dial = dial
            let runner = FolderRunner(
                record, home: home, device: device, dial: { try dial(record) }, event: event)
            runners.withLock { $0[record.id] = runner }
            runner.start()
        }
    }

    private func answer(_ request: ControlRequest) -> ControlAnswer {
        let chosen = runners.withLock { runners in
            runners.values.filter { request.folder == nil || $0.record.id == request.folder }
        }
        if request.verb == "reload", let folder = request.folder {
            // Whoever adds a folder while a process runs one of its own has it run that one as well.
            only.withLock { _ = $0?.insert(folder) }
        } else if request.folder != nil, chosen.isEmpty {
            return ControlAnswer(error: "this folder is not run by the process that was asked")
        }
        func send(_ command: FolderCommand) { for runner in chosen { runner.send(command) } }
        switch request.verb {
        case "status": break
        case "pause": send(.pause)
        case "resume": send(.resume)
        case "rescan": send(.rescan)
        case "take":
            guard request.folder != nil, let paths = request.paths, !paths.isEmpty, paths.count <= 1000 else {
                return ControlAnswer(error: "take is asked of one folder, with 1 to 1000 paths")
            }
            send(.take(paths))
        case "reload":
            do { try reload() } catch { return ControlAnswer(error: String(describing: error)) }
        case "stop": isStopping.withLock { $0 = true }
        default:
            guard let choice = FolderChoice(rawValue: request.verb) else {
                return ControlAnswer(error: "\(request.verb.prefix(40)) is nothing that can be asked")
            }
            guard request.folder != nil, let id = request.id else {
                return ControlAnswer(error: "\(request.verb) is asked of one folder, with an id")
            }
            send(.decide(choice, id: id))
        }
        return ControlAnswer(folders: chosen.map(\.status).sorted { $0.id < $1.id })
    }
}
