import Foundation
import Glibc
import SyncClient
import SyncProtocol
import TreeValues

/// Adds folders to the list of the user, and takes them off.
public struct FolderRegistration: Sendable {
    private let home: AgentHome

    public init(_ home: AgentHome) { self.home = home }

    /// The folder at a path, if it is synced.
    public func folder(at path: String) throws -> FolderRecord? {
        try home.folders().first { $0.isAt(path) }
    }

    /// The folder at a path.
    ///
    /// - Throws: `unknownFolder`.
    public func require(_ path: String) throws -> FolderRecord {
        guard let found = try folder(at: path) else { throw AgentError.unknownFolder(path) }
        return found
    }

    /// - Throws: `badMode` for a word that is no mode.
    public static func check(mode: String) throws { _ = try OpenFolder.mode(mode) }

    /// Paths that a person selected, as they are kept: names with one slash between them.
    ///
    /// - Throws: `badSelection` for one that is empty, absolute or leads out of the folder, and for the
    ///   folder's own `.nacre`.
    public static func selection(_ paths: [String]) throws(AgentError) -> [String] {
        var found: [String] = []
        var seen = PathSet()
        for path in paths {
            let names = FolderPath.names(of: path).filter { $0 != "." }
            guard path.utf8.first != UInt8(ascii: "/"), let first = names.first, !names.contains(".."),
                SyncNames.isPossible(first, inRoot: true), !path.utf8.contains(0)
            else { throw .badSelection(path) }
            let selected = names.joined(separator: "/")
            if seen.insert(selected) { found.append(selected) }
        }
        return found
    }

    /// What to sync a folder with.
    public struct Request: Sendable {
        /// Absolute, without symlinks.
        public var path: String
        /// Name or id; what the folder is called if it is left out.
        public var namespace: String?
        public var node: String?
        public var dataDirectory: String?
        public var token: String?
        public var authorities: String?
        public var mode = "two-way"
        public var only: [String] = []
        public var quietMilliseconds = FolderRecord.quietMilliseconds
        public var uploadLimit = 0
        public var downloadLimit = 0
        /// Whether a namespace is made where the folder is not there either.
        public var createsBoth = false
        /// See ``FolderRecord/prefetchBytes``.
        public var prefetchBytes: Int?
        /// Directories that no folder may be in, or have in it: those of nodes.
        public var ownDirectories: [String] = []

        public init(path: String) { self.path = path }
    }

    /// Adds a folder. Makes the namespace if there is none and the folder is there, or the folder if it is not
    /// there and the namespace is.
    ///
    /// - Returns: the folder, and whether the namespace was made.
    /// - Throws: `AgentError`, `SyncServerError`, `FileError`.
    public func add(
        _ request: Request, dial: @escaping @Sendable () throws -> HTTPSyncServer.Options
    ) throws -> (folder: FolderRecord, isNewNamespace: Bool) {
        _ = try OpenFolder.mode(request.mode)
        // Before a namespace is made for it.
        try checkPlace(request.path, among: home.folders())
        for own in [home.path] + request.ownDirectories { try checkApart(request.path, from: own) }
        try checkUsable(request.path)
        let name = request.namespace ?? Self.namespaceName(of: request.path)
        let device = try home.device()
        let (info, isNew) = try namespace(
            name, for: request, NodeDialer(namespace: name, device: device, dial: dial))
        try FileManager.default.createDirectory(atPath: request.path, withIntermediateDirectories: true)
        var record = FolderRecord(
            id: NodeIDGenerator().next(now: MachineClock.wallNanoseconds() / 1_000_000).text,
            path: request.path, node: request.node, dataDirectory: request.dataDirectory,
            token: request.token, authorities: request.authorities, namespace: info.id,
            namespaceName: info.name, root: info.root.text,
            ignoresCase: Self.ignoresCase(info.policy), mode: request.mode)
        record.only = request.only
        record.quietMilliseconds = request.quietMilliseconds
        record.uploadLimit = request.uploadLimit
        record.downloadLimit = request.downloadLimit
        record.prefetchBytes = request.prefetchBytes
        let added = try home.changeFolders { folders in
            try checkPlace(record.path, among: folders)
            try mark(record, device)
            folders.append(record)
            return record
        }
        return (added, isNew)
    }

    /// - Throws: `folderKnown`, `folderWithin`.
    private func checkPlace(_ path: String, among folders: [FolderRecord]) throws {
        for other in folders {
            if other.isAt(path) {
                throw AgentError.folderKnown(other.path, namespace: other.namespaceName)
            }
            guard !Self.isWithin(other.path, path), !Self.isWithin(path, other.path) else {
                throw AgentError.folderWithin(path, other: other.path)
            }
        }
    }

    /// A folder that is there has no marker yet, and takes one.
    ///
    /// - Throws: `SyncEngineError.otherFolder`; `FileError`.
    private func checkUsable(_ path: String) throws {
        guard FileManager.default.fileExists(atPath: path) else { return }
        let disk = try DiskFolder(path)
        defer { disk.releaseDescriptors() }
        try SyncEngine.checkUnmarked(disk)
        guard access(path, W_OK | X_OK) == 0 else {
            throw errno == EROFS ? FileError.readOnly(path) : FileError.denied(path)
        }
    }

    /// A folder with a node's data or with what is known of folders in it would send its own changes, and
    /// keys, without end.
    ///
    /// - Throws: `folderOwn`.
    private func checkApart(_ path: String, from own: String) throws {
        let own = URL(fileURLWithPath: own).resolvingSymlinksInPath().path
        guard path != own, !Self.isWithin(path, own), !Self.isWithin(own, path) else {
            throw AgentError.folderOwn(path, own: own)
        }
    }

    private func namespace(
        _ name: String, for request: Request, _ server: NodeDialer
    ) throws -> (NamespaceInfo, Bool) {
        defer { server.close() }
        do {
            return (try server.info(), false)
        } catch SyncServerError.refused(code: .unknownNamespace, _, _) {
            try checkMayMake(name, for: request)
            do throws(SyncServerError) {
                return (try server.create(NamespaceRequest(name: name)), true)
            } catch let taken {
                guard case .refused(code: .nameTaken, _, _) = taken else { throw taken }
                do {
                    // Another device was quicker.
                    return (try server.info(), false)
                } catch SyncServerError.refused(code: .unknownNamespace, _, _) {
                    // It is somebody else's.
                    throw taken
                }
            }
        }
    }

    /// A namespace that is not there is not made where its name may be mistyped.
    ///
    /// - Throws: `namespaceAbsent`, `nothingThere`.
    private func checkMayMake(_ name: String, for request: Request) throws {
        if request.mode == "pull-only" { throw AgentError.namespaceAbsent(name) }
        guard request.createsBoth || FileManager.default.fileExists(atPath: request.path) else {
            throw AgentError.nothingThere(request.path, namespace: name)
        }
    }

    /// Makes the marker within the folder, by which it is known to be mounted.
    private func mark(_ record: FolderRecord, _ device: String) throws {
        let server = NodeDialer(namespace: record.namespace, device: device) { throw AgentError.notRunning }
        let folder = try OpenFolder(
            record, home: home, device: device, server: server, isOnce: true,
            shouldStop: { false }, report: { _ in })
        defer { folder.close() }
        try folder.engine.addFolder()
    }

    /// Takes a folder off the list. Files stay on both sides.
    public func remove(_ path: String) throws -> FolderRecord {
        let removed = try home.changeFolders { folders in
            guard let index = folders.firstIndex(where: { $0.isAt(path) }) else {
                throw AgentError.unknownFolder(path)
            }
            return folders.remove(at: index)
        }
        try? FileManager.default.removeItem(atPath: home.stateDirectory(of: removed.id))
        try? FileManager.default.removeItem(atPath: removed.path + "/.nacre/folder")
        return removed
    }

    /// Gives a folder another key, or another address of its node, once the node was asked by them: what is
    /// known of the folder stays, since it is of the same namespace.
    ///
    /// A journal that was restored meanwhile is no other namespace: it is compared with, as it would be at the
    /// address before.
    ///
    /// - Parameter dial: says where the node of the folder is, as it is to be.
    /// - Returns: the folder as it is on the list then.
    /// - Throws: `otherNode`, `accessNotTaken`: then all is as it was; `unknownFolder`.
    public func takeOver(
        _ wanted: FolderRecord, dial: @escaping @Sendable () throws -> HTTPSyncServer.Options
    ) throws -> FolderRecord {
        let server = NodeDialer(namespace: wanted.namespace, device: try home.device(), dial: dial)
        defer { server.close() }
        let node = wanted.node ?? wanted.dataDirectory ?? ""
        let info: NamespaceInfo
        do throws(SyncServerError) {
            info = try server.info()
        } catch .refused(code: .unknownNamespace, _, _) {
            throw AgentError.otherNode(wanted.path, node: node, namespace: wanted.namespaceName)
        } catch {
            throw AgentError.accessNotTaken(wanted.path, reason: error)
        }
        guard info.id == wanted.namespace, info.root.text == wanted.root else {
            throw AgentError.otherNode(wanted.path, node: node, namespace: wanted.namespaceName)
        }
        return try change(wanted.path) { folder in
            folder.node = wanted.node
            folder.dataDirectory = wanted.dataDirectory
            folder.token = wanted.token
            folder.authorities = wanted.authorities
        }
    }

    /// Changes a folder on the list.
    public func change(_ path: String, _ body: (inout FolderRecord) -> Void) throws -> FolderRecord {
        try home.changeFolders { folders in
            guard let index = folders.firstIndex(where: { $0.isAt(path) }) else {
                throw AgentError.unknownFolder(path)
            }
            body(&folders[index])
            return folders[index]
        }
    }

    /// What the policy of a namespace says of case: docs/formats/namespaces.md, "Policy".
    private static func ignoresCase(_ policy: String) -> Bool {
        struct Policy: Decodable {
            var names: String?
            var `case`: String?
        }
        let policy = try? JSONDecoder().decode(Policy.self, from: Data(policy.utf8))
        return policy?.case != "sensitive" && policy?.names != "objects"
    }

    static func isWithin(_ path: String, _ other: String) -> Bool {
        FolderPath.isBelow(path, other)
    }

    /// What a folder is called, of characters that a namespace may have.
    static func namespaceName(of path: String) -> String {
        let name = (path as NSString).lastPathComponent
        let allowed = name.map { character -> Character in
            character.isASCII && (character.isLetter || character.isNumber || "-_.".contains(character))
                ? character : "-"
        }
        let trimmed = String(allowed.drop { $0 == "." || $0 == "-" }.prefix(63))
        return trimmed.isEmpty ? "folder" : trimmed
    }
}
