import ArgumentParser
import Foundation
import NodeCore
import SyncAgent
import SyncClient

/// Where the folders of the user are written down, and how their nodes are reached.
enum SyncPlace {
    static var home: AgentHome { .standard(ProcessInfo.processInfo.environment) }

    /// Absolute, without symlinks.
    ///
    /// - Throws: `AgentError.folderAbsent`.
    static func path(_ text: String) throws -> String {
        guard let resolved = realpath(text, nil) else { throw AgentError.folderAbsent(text) }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// The same, also for a folder that is synced and is not there, or not mounted.
    ///
    /// - Throws: `AgentError.unknownFolder` for what is neither there nor synced.
    static func path(ofKnown text: String) throws -> String {
        do { return try path(text) } catch {
            let lexical = URL(fileURLWithPath: text).standardizedFileURL.path
            guard try home.folders().contains(where: { $0.isAt(lexical) }) else {
                throw AgentError.unknownFolder(text)
            }
            return lexical
        }
    }

    /// The same, also for one that is not there yet.
    ///
    /// - Throws: `AgentError.notDirectory` for anything else that is there.
    static func path(ofNew text: String) throws -> String {
        var missing: [String] = []
        var url = URL(fileURLWithPath: text).standardizedFileURL
        var found = try? path(text)
        while found == nil {
            missing.append(url.lastPathComponent)
            url.deleteLastPathComponent()
            found = try? path(url.path)
        }
        guard let found else { throw AgentError.folderAbsent(text) }
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: found, isDirectory: &isDirectory), isDirectory.boolValue
        else { throw AgentError.notDirectory(found) }
        return missing.reversed().reduce(found) { $0 + ($0 == "/" ? "" : "/") + $1 }
    }

    /// Absolute, without symlinks.
    ///
    /// - Throws: `AgentError.fileAbsent`.
    static func path(ofFile text: String) throws -> String {
        do { return try path(text) } catch { throw AgentError.fileAbsent(text) }
    }

    /// An address without the slash at its end.
    static func trimmed(_ url: String) -> String { url.hasSuffix("/") ? String(url.dropLast()) : url }

    /// Where the node of a folder is at this moment.
    static func options(for folder: FolderRecord) throws -> HTTPSyncServer.Options {
        if let node = folder.node {
            var options = HTTPSyncServer.Options(node: node, token: folder.token)
            options.authorities = folder.authorities
            return options
        }
        return try options(
            holding: folder.dataDirectory
                ?? GlobalOptions.defaultDirectory(ProcessInfo.processInfo.environment),
            token: folder.token)
    }

    /// The node that has a data directory open.
    static func options(holding directory: String, token: String?) throws -> HTTPSyncServer.Options {
        guard let target = try RemoteChoice.target(holding: directory, token: token) else {
            throw AgentError.nodeAbsent(directory)
        }
        var options = HTTPSyncServer.Options(node: target.url, token: target.token)
        options.trustsAnyCertificate = target.url.hasPrefix("https")
        return options
    }

    /// Asks the running node that the options mean, as nobody's device: also a machine that was shut out
    /// may look.
    ///
    /// - Throws: `AgentError.nodeAbsent` where none runs.
    static func withNode<R>(
        _ global: GlobalOptions, namespace: String = "",
        _ body: (HTTPSyncServer) throws -> R
    ) throws -> R {
        var options: HTTPSyncServer.Options
        if let remote = try RemoteChoice(global).named() {
            options = HTTPSyncServer.Options(node: remote.url, token: remote.token ?? global.token)
            options.authorities = remote.authorities
        } else {
            options = try Self.options(holding: global.dataDirectory, token: global.token)
        }
        let server = try HTTPSyncServer(options, namespace: namespace, device: "")
        defer { server.close() }
        return try body(server)
    }

    /// Gives the machine its name on the node of a folder. A node that does not know it yet is told with the
    /// first question.
    static func tellName(_ name: String, ofMachineWith folder: FolderRecord) {
        guard let options = try? options(for: folder), let device = try? home.device(),
            let server = try? HTTPSyncServer(options, namespace: folder.namespace, device: device)
        else { return }
        defer { server.close() }
        _ = try? server.renameDevice(device, to: name)
    }

    /// Warns of selected paths that are neither here nor on the node.
    static func tellAbsentPaths(of folder: FolderRecord) {
        guard let options = try? options(for: folder),
            let server = try? HTTPSyncServer(options, namespace: folder.namespace, device: "")
        else { return }
        defer { server.close() }
        SyncOutput.tellAbsent(folder, asking: server)
    }

    /// Asks the process that runs the folders.
    static func ask(
        _ verb: String, _ folder: FolderRecord? = nil, id: String? = nil
    ) throws -> [FolderReport] {
        let answer = try ControlClient(home).ask(ControlRequest(verb: verb, folder: folder?.id, id: id))
        if let error = answer.error { throw AgentError.badAnswer(error) }
        return answer.folders ?? []
    }

    /// Tells the process that runs a folder, if any does, that files in it were changed in one step: it need
    /// not wait whether more comes, and sees by itself what it cannot be told.
    static func tellFinished(_ paths: [String], in directory: String) {
        guard let folder = try? FolderRegistration(home).folder(at: directory) else { return }
        let request = ControlRequest(verb: "take", folder: folder.id, paths: paths)
        _ = try? ControlClient(home).ask(request)
    }

    /// Whether a process runs the folders.
    static var isRunning: Bool { (try? ask("status")) != nil }
}

/// Which folder is meant.
struct FolderArgument: ParsableArguments {
    @Argument(help: ArgumentHelp("The folder.", valueName: "dir"), completion: .directory)
    var directory: String

    /// A folder that is not there any more is known by its path all the same.
    var path: String { get throws { try SyncPlace.path(ofKnown: directory) } }
}
