import Foundation
import Glibc
public import SyncClient

/// Where the folders that this user syncs are written down.
///
/// `folders.json` lists them, `device` is what this machine is called, `control.sock` is where a running
/// daemon listens, and each folder has a directory with its state. All of it is for the user alone: keys
/// are in it.
public struct AgentHome: Sendable {
    public let path: String

    public init(path: String) { self.path = path }

    /// NACRE_SYNC_HOME, else `nacre/sync` in XDG_STATE_HOME, else `~/.local/state/nacre/sync`.
    public static func standard(_ environment: [String: String]) -> AgentHome {
        func given(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        if let home = given("NACRE_SYNC_HOME") { return AgentHome(path: home) }
        if let state = given("XDG_STATE_HOME") { return AgentHome(path: state + "/nacre/sync") }
        let user = given("HOME") ?? NSString(string: "~").expandingTildeInPath
        return AgentHome(path: user + "/.local/state/nacre/sync")
    }

    public var socketPath: String { path + "/control.sock" }
    /// Held by the process that runs the folders.
    var lockPath: String { path + "/lock" }
    private var listPath: String { path + "/folders.json" }
    private var devicePath: String { path + "/device" }
    private var deviceNamePath: String { path + "/device-name" }

    /// Where the state of a folder is.
    public func stateDirectory(of folder: String) -> String { path + "/" + folder }

    /// Makes the directory, for the user alone.
    public func make() throws {
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    /// What this machine is called among the devices of its user: its name, and four letters.
    public func device() throws -> String {
        if let known = try? String(contentsOfFile: devicePath, encoding: .utf8) {
            let name = known.trimmingCharacters(in: .whitespacesAndNewlines)
            if !name.isEmpty { return name }
        }
        return try makeDevice()
    }

    /// Gives this machine another id, by which nodes that shut it out know it as a new one. What is known of
    /// its folders stays. Processes that sync have the id that was until they start again.
    ///
    /// - Returns: the id.
    public func makeDevice() throws -> String {
        try make()
        var host = [CChar](repeating: 0, count: 256)
        let known = gethostname(&host, host.count - 1) == 0
        let bytes = host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        let name = String(decoding: bytes, as: UTF8.self).prefix { $0 != "." }
            .filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
        let letters = (0..<4).map { _ in "abcdefghjkmnpqrstvwxyz".randomElement() ?? "a" }
        let device = (known && !name.isEmpty ? String(name.prefix(32)) : "device") + "-" + String(letters)
        try write(Data((device + "\n").utf8), to: devicePath)
        return device
    }

    /// What people call this machine: as they said, else the name of the host.
    func deviceName() throws -> String {
        if let name = try? String(contentsOfFile: deviceNamePath, encoding: .utf8), Self.isDeviceName(name) {
            return name
        }
        let device = try device()
        return device.lastIndex(of: "-").map { String(device[..<$0]) } ?? device
    }

    /// Calls this machine something else, on nodes that hear of it from here on.
    public func setDeviceName(_ name: String) throws {
        try make()
        try write(Data(name.utf8), to: deviceNamePath)
    }

    /// Whether a text may be the name of a machine: one line, up to 64 bytes.
    public static func isDeviceName(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count) && name.unicodeScalars.allSatisfy { $0.value >= 0x20 }
    }

    /// The folders, in the order in which they were added.
    ///
    /// - Throws: `AgentError.listUnreadable`.
    public func folders() throws -> [FolderRecord] {
        guard let data = FileManager.default.contents(atPath: listPath) else { return [] }
        do {
            return try JSONDecoder().decode([FolderRecord].self, from: data)
        } catch { throw AgentError.listUnreadable(listPath, reason: "\(error)") }
    }

    /// Writes the list in the place of the one before.
    public func setFolders(_ folders: [FolderRecord]) throws {
        try make()
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try write(try encoder.encode(folders), to: listPath)
    }

    /// Changes the list, with nobody else doing so meanwhile.
    public func changeFolders<R>(_ body: (inout [FolderRecord]) throws -> R) throws -> R {
        try make()
        let lock = open(path + "/folders.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw AgentError.system("open", path, errno) }
        defer { close(lock) }
        while flock(lock, LOCK_EX) != 0 {
            guard errno == EINTR else { throw AgentError.system("lock", path, errno) }
        }
        var folders = try self.folders()
        let result = try body(&folders)
        try setFolders(folders)
        return result
    }

    private func lastRunPath(of folder: String) -> String { stateDirectory(of: folder) + "/last.json" }

    /// How a folder was when it was synced last; `nil` if it never was.
    func lastRun(of folder: FolderRecord) -> FolderReport.LastRun? {
        // What cannot be read is known no more: nothing depends on it.
        FileManager.default.contents(atPath: lastRunPath(of: folder.id)).flatMap {
            try? JSONDecoder().decode(FolderReport.LastRun.self, from: $0)
        }
    }

    /// Keeps how a folder is at the end of a run, for those who ask when none is under way.
    func setLastRun(_ report: FolderReport, of folder: FolderRecord) {
        guard report.state != "not-running", report.state != "starting" else { return }
        let now = MachineClock.wallNanoseconds() / 1_000_000
        let run = FolderReport.LastRun(
            state: report.state, detail: report.detail, pending: report.pending, ended: now,
            settled: report.settledAgo.map { now - $0 } ?? lastRun(of: folder)?.settled,
            counters: report.counters)
        guard let data = try? JSONEncoder().encode(run) else { return }
        // It is told to people, and nothing depends on it.
        try? write(data, to: lastRunPath(of: folder.id))
    }

    private func runPath(of folder: String) -> String { stateDirectory(of: folder) + "/run.json" }

    /// Writes down how a folder is that a process has which cannot be asked; `nil` when it has it no more. It is
    /// told to people while the process is there, and may be lost with it.
    func setRun(_ report: FolderReport?, of folder: FolderRecord) {
        let path = runPath(of: folder.id)
        guard let report else {
            unlink(path)
            return
        }
        guard let data = try? JSONEncoder().encode(report) else { return }
        // The directory is made by the first run, for the user alone.
        try? data.write(to: URL(fileURLWithPath: path), options: .atomic)
    }

    /// What the process that has a folder wrote down of it; `nil` where there is none.
    private func run(of folder: FolderRecord) -> FolderReport? {
        let data = FileManager.default.contents(atPath: runPath(of: folder.id))
        guard let data, let report = try? JSONDecoder().decode(FolderReport.self, from: data),
            let process = report.run?.process, process > 0, kill(process, 0) == 0 || errno == EPERM
        else { return nil }
        return report
    }

    /// A folder that no process syncs at the moment.
    public func report(of folder: FolderRecord) -> FolderReport {
        var report = FolderReport(folder)
        report.last = lastRun(of: folder)
        if let settled = report.last?.settled {
            report.settledAgo = max(0, MachineClock.wallNanoseconds() / 1_000_000 - settled)
        }
        do {
            if let resting = try RestingFolder(folder, home: self) {
                try resting.describe(&report)
                try resting.close()
            }
        } catch SyncStateError.inUse {
            if let run = run(of: folder) { return run }
            report.detail = "a process that cannot be asked has it at the moment"
        } catch {
            report.detail = String(describing: error)
        }
        return report
    }

    /// Writes a file in the place of the one before, for the user alone. It is on the disk when this returns:
    /// after a power cut there is the one or the other, and no empty one, which would be folders and keys
    /// that are lost.
    private func write(_ data: Data, to file: String) throws {
        let temporary = file + ".\(getpid()).new"
        unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw AgentError.system("write", file, errno) }
        do {
            defer { close(descriptor) }
            var rest = data[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { throw failure("write", file, removing: temporary) }
                rest = rest.dropFirst(count)
            }
            guard fsync(descriptor) == 0 else { throw failure("sync", file, removing: temporary) }
        }
        guard rename(temporary, file) == 0 else { throw failure("write", file, removing: temporary) }
        // The directory is synced too: without it the rename itself can be lost.
        let directory = open(
            NSString(string: file).deletingLastPathComponent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw AgentError.system("open", file, errno) }
        defer { close(directory) }
        guard fsync(directory) == 0 else { throw AgentError.system("sync", file, errno) }
    }

    /// The error of the last call; what was written stays nowhere.
    private func failure(_ operation: String, _ file: String, removing temporary: String) -> AgentError {
        let code = errno
        unlink(temporary)
        return .system(operation, file, code)
    }
}

/// A folder that is kept equal with a namespace.
public struct FolderRecord: Codable, Hashable, Sendable {
    /// Stands in the marker within the folder.
    public var id: String
    /// Absolute.
    public var path: String
    /// The address of the node; `nil` for the node of a data directory on this machine.
    public var node: String?
    public var dataDirectory: String?
    public var token: String?
    public var authorities: String?
    /// The id of the namespace, which it keeps when it is renamed.
    public var namespace: String
    /// What it was called when the folder was added.
    public var namespaceName: String
    /// The id of the namespace's root directory.
    public var root: String
    /// Whether the namespace takes names for one that differ by case.
    public var ignoresCase: Bool
    /// `two-way`, `pull-only` or `push-only`.
    public var mode: String
    public var isPaused = false
    /// Paths within the folder that are synced; all if there are none.
    public var only: [String] = []
    /// Bytes a second; 0 for no limit.
    public var uploadLimit = 0
    /// Bytes a second; 0 for no limit.
    public var downloadLimit = 0
    /// Bytes on the disk for what other devices are sending; 0 to read nothing ahead, `nil` for 512 MiB.
    public var prefetchBytes: Int?
    /// Milliseconds for which a file must be quiet before it is sent.
    public var quietMilliseconds = FolderRecord.quietMilliseconds
    /// ``quietMilliseconds`` where nothing is said.
    public static let quietMilliseconds = 2000

    public init(
        id: String, path: String, node: String?, dataDirectory: String?, token: String?,
        authorities: String?, namespace: String, namespaceName: String, root: String,
        ignoresCase: Bool, mode: String
    ) {
        self.root = root
        self.ignoresCase = ignoresCase
        self.id = id
        self.path = path
        self.node = node
        self.dataDirectory = dataDirectory
        self.token = token
        self.authorities = authorities
        self.namespace = namespace
        self.namespaceName = namespaceName
        self.mode = mode
    }

    /// Whether a path is that of the folder: another spelling of the same letters is another directory.
    public func isAt(_ path: String) -> Bool { ExactPath(self.path) == ExactPath(path) }
}

/// Why the agent cannot do something.
public enum AgentError: Error, Equatable, Sendable {
    case listUnreadable(String, reason: String)
    case system(String, String, Int32)
    /// Another process runs the folders.
    case running
    case notRunning
    case unknownFolder(String)
    case folderAbsent(String)
    case fileAbsent(String)
    case notDirectory(String)
    /// Neither the folder nor the namespace is there.
    case nothingThere(String, namespace: String)
    /// There is nothing to receive from.
    case namespaceAbsent(String)
    case folderWithin(String, other: String)
    case folderKnown(String, namespace: String)
    /// The address that a folder is to have its node at leads to no node with its namespace.
    case otherNode(String, node: String, namespace: String)
    /// A key or an address is not taken over for a folder.
    case accessNotTaken(String, reason: SyncServerError)
    case folderOwn(String, own: String)
    case badMode(String)
    /// A path that is not one within a folder.
    case badSelection(String)
    case badAnswer(String)
    case nodeAbsent(String)
    case socketPathTooLong(String)
}

extension AgentError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .listUnreadable(let path, let reason):
            "\(path) cannot be read: \(reason); mend it, or remove it and add the folders again"
        case .system(let operation, let path, let code):
            "cannot \(operation) \(path): \(String(cString: strerror(code)))"
        case .running:
            "another process syncs folders already: `nacre sync status` asks it, `nacre sync DIR` has it take a "
                + "folder over; end it first to run all of them here"
        case .notRunning: "nothing is synced at the moment: start `nacre sync --daemon`"
        case .unknownFolder(let path):
            "\(path) is not synced; `nacre sync status` lists what is, `nacre sync DIR NAMESPACE` adds it"
        case .folderAbsent(let path): "there is no directory \(path)"
        case .fileAbsent(let path): "there is no file \(path)"
        case .notDirectory(let path): "\(path) is no directory; a folder is synced, with what is in it"
        case .nothingThere(let path, let namespace):
            "there is neither a directory \(path) nor a namespace \(namespace); --create makes both, and "
                + "`nacre sync --help` lists the verbs, if one was meant"
        case .namespaceAbsent(let name):
            "there is no namespace \(name) to receive from; `nacre ns ls` lists those there are"
        case .folderWithin(let path, let other):
            "\(path) and \(other), which is synced already, are within one another"
        case .folderOwn(let path, let own):
            "\(path) and \(own), where Nacre keeps its own data, have one in the other: choose another folder"
        case .folderKnown(let path, let namespace):
            "\(path) is synced with \(namespace) already, and a folder has one namespace: `nacre sync rm` "
                + "ends that, and leaves its files"
        case .otherNode(let path, let node, let namespace):
            "\(node) is another node, or the key is not for it: the namespace \(namespace) that \(path) is synced "
                + "with is not there. The folder keeps the address and the key that it has; to sync it with another "
                + "node, `nacre sync rm \(path)` and add it again, which compares everything"
        case .accessNotTaken(let path, let reason):
            "\(reason). \(path) keeps the address and the key that it has"
        case .badMode(let text): "\(text) is no mode; use two-way, pull-only or push-only"
        case .badSelection(let text):
            "“\(text)” is no path within the folder; --only takes one without `..` that is relative to the "
                + "folder, such as soups/2026"
        case .badAnswer(let text): "the running process answered what cannot be understood: \(text)"
        case .nodeAbsent(let directory):
            "no node runs with the data directory \(directory): start `nacre serve`, or name one by --node"
        case .socketPathTooLong(let path):
            "\(path) is too long for a socket: set NACRE_SYNC_HOME to a shorter path"
        }
    }
}
