import ArgumentParser
import Foundation
import NodeCore
import NodeServer
import SyncAgent
import SyncClient

struct SyncCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sync",
        abstract: "Keep folders equal with namespaces of a node, on any number of machines.",
        discussion: """
            `nacre sync DIR` adds the folder with the namespace that is called like it, made if there is \
            none, and keeps both equal until Ctrl-C. `nacre sync --daemon` does so with all folders that \
            were added. What is removed or replaced here is kept in DIR/.nacre/trash for a while; the \
            namespace keeps every version.
            """,
        subcommands: [
            Run.self, Status.self, Pause.self, Resume.self, Rescan.self, Confirm.self, Decline.self,
            Conflicts.self, Resolve.self, Revert.self, Override.self, Ignore.self, Lock.self, Unlock.self,
            Devices.self, Unit.self, Remove.self,
        ],
        defaultSubcommand: Run.self)

    @OptionGroup var global: GlobalOptions
}

extension SyncCommand {
    struct Run: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "run", abstract: "Keep a folder equal with a namespace (what `nacre sync DIR` does)."
        )

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @Argument(
            help: ArgumentHelp("The folder; made if it is not there and the namespace is.", valueName: "dir"),
            completion: .directory)
        var directory: String?
        @Argument(
            help: ArgumentHelp(
                "Name or id; what the folder is called if it is left out.", valueName: "namespace"))
        var namespace: String?
        @Flag(name: .long, help: "Stop when both sides are equal.")
        var once = false
        @Flag(name: .long, help: "Keep every folder that was added equal, until SIGTERM.")
        var daemon = false
        @Option(
            name: .long, help: ArgumentHelp("two-way, pull-only or push-only.", valueName: "mode"),
            completion: .list(["two-way", "pull-only", "push-only"]))
        var mode: String?
        @Flag(name: .long, help: "Send what was written 50 ms ago instead of waiting 2 s for more.")
        var interactive = false
        @Option(
            name: .long,
            help: ArgumentHelp(
                "Send what was written so long ago, such as 500ms: 2s where nothing is said.",
                valueName: "duration"))
        var settle: String?
        @Option(
            name: .long,
            help: ArgumentHelp(
                "Sync only this path of the folder, in the place of those before; may be repeated.",
                valueName: "path"))
        var only: [String] = []
        @Flag(name: .long, help: "Sync all of the folder again, after --only.")
        var all = false
        @Flag(name: .long, help: "Make both the folder and the namespace where neither is there.")
        var create = false
        @Option(
            name: .long,
            help: ArgumentHelp("What people call this machine; its host name at first.", valueName: "name"))
        var deviceName: String?
        @Option(
            name: .long, parsing: .unconditional,
            help: ArgumentHelp("The most KiB a second that are sent; 0 for no limit.", valueName: "KiB"),
            transform: { try Self.rate($0, of: "--up") })
        var up: Int?
        @Option(
            name: .long, parsing: .unconditional,
            help: ArgumentHelp("The most KiB a second that are received; 0 for no limit.", valueName: "KiB"),
            transform: { try Self.rate($0, of: "--down") })
        var down: Int?
        @Option(
            name: .long, parsing: .unconditional,
            help: ArgumentHelp(
                "The most MiB that are read ahead of files which others are sending; 0 for none.",
                valueName: "MiB"),
            transform: {
                try Self.number($0, "--prefetch is 0 (for none) to 4000000 MiB, such as --prefetch 512")
            })
        var prefetch: Int?
        @Flag(name: .shortAndLong, help: "Tell of every file.")
        var verbose = false

        func validate() throws {
            if directory == nil, !daemon {
                throw ValidationError(
                    "which folder is to be synced? Name it, such as `nacre sync ~/Recipes`; `nacre sync --daemon` "
                        + "syncs all that were added")
            }
            if all, !only.isEmpty { throw ValidationError("--all and --only are not both possible") }
            if once, daemon { throw ValidationError("--once and --daemon are not both possible") }
            if let deviceName, !AgentHome.isDeviceName(deviceName) {
                throw ValidationError("a name of a machine is one line of 1 to 64 bytes")
            }
            if interactive, settle != nil {
                throw ValidationError("--interactive is --settle 50ms: give one")
            }
            if let settle, Self.quietMilliseconds(settle) == nil {
                throw ValidationError("--settle is 0 to 10min, such as 500ms")
            }
        }

        private static func rate(_ text: String, of flag: String) throws -> Int {
            try number(text, "\(flag) is 0 (for no limit) to 4000000 KiB a second, such as \(flag) 500")
        }

        /// - Throws: `ValidationError` with what is allowed.
        private static func number(_ text: String, _ allowed: String) throws -> Int {
            guard let number = Int(text), (0...4_000_000).contains(number) else {
                throw ValidationError(allowed)
            }
            return number
        }

        func run() throws {
            var folder: FolderRecord?
            if let mode { try FolderRegistration.check(mode: mode) }
            let selection = try FolderRegistration.selection(only)
            if let deviceName { try SyncPlace.home.setDeviceName(deviceName) }
            if let directory { folder = try added(directory, selection) }
            if let deviceName, let folder { SyncPlace.tellName(deviceName, ofMachineWith: folder) }
            if once, let folder { return try runOnce(folder) }
            if let folder, !selection.isEmpty { SyncPlace.tellAbsentPaths(of: folder) }
            if SyncPlace.isRunning {
                _ = try SyncPlace.ask("reload", folder)
                // Whoever starts a daemon waits for it, and none was started.
                if daemon { throw AgentError.running }
                Terminal.note(
                    "the process that syncs already takes the folder over; `nacre sync status` asks it")
                return
            }
            try runUntilStopped(daemon ? nil : folder.map { [$0.id] })
        }

        /// Whether anything is said of how the folder is synced.
        private var saysHow: Bool {
            mode != nil || quiet != nil || all || !only.isEmpty || up != nil || down != nil || prefetch != nil
        }

        /// After how long without writes a file is taken, in milliseconds; `nil` where nothing is said.
        private var quiet: Int? { interactive ? 50 : settle.flatMap(Self.quietMilliseconds) }

        private static func quietMilliseconds(_ text: String) -> Int? {
            guard let duration = DurationText.parse(text), duration <= .seconds(600) else { return nil }
            return Int(duration / .milliseconds(1))
        }

        /// The folder, added or changed as the options say.
        private func added(_ directory: String, _ selection: [String]) throws -> FolderRecord {
            let path = try SyncPlace.path(ofNew: directory)
            let registration = FolderRegistration(SyncPlace.home)
            if let known = try registration.folder(at: path) {
                if let namespace, namespace != known.namespace, namespace != known.namespaceName {
                    throw AgentError.folderKnown(path, namespace: known.namespaceName)
                }
                try takeOverAccess(of: known, registration)
                let folder = try registration.change(path) { take(options: &$0, selection) }
                if saysHow { SyncOutput.tellSettings(of: folder) }
                return folder
            }
            var request = FolderRegistration.Request(path: path)
            request.namespace = namespace
            let remote = try RemoteChoice(global).named()
            request.node = remote?.url
            request.token = remote?.token ?? global.token
            request.authorities = remote?.authorities
            request.dataDirectory = remote == nil ? global.dataDirectory : nil
            request.mode = mode ?? "two-way"
            request.only = selection
            request.createsBoth = create
            request.ownDirectories = [global.dataDirectory]
            if let quiet { request.quietMilliseconds = quiet }
            request.uploadLimit = (up ?? 0) * 1024
            request.downloadLimit = (down ?? 0) * 1024
            request.prefetchBytes = prefetch.map { $0 << 20 }
            let (node, token, authorities, data) = (
                request.node, request.token, request.authorities, global.dataDirectory
            )
            let (folder, isNew) = try registration.add(request) {
                guard let node else { return try SyncPlace.options(holding: data, token: token) }
                var options = HTTPSyncServer.Options(node: node, token: token)
                options.authorities = authorities
                return options
            }
            Terminal.note(
                "\(path) is synced with namespace \(folder.namespaceName)" + (isNew ? ", which was made" : "")
            )
            return folder
        }

        /// Gives a folder that is synced the key, and the address of its node, that are said now.
        ///
        /// What the environment has may be meant for anything else, unless the namespace is said too.
        private func takeOverAccess(of known: FolderRecord, _ registration: FolderRegistration) throws {
            guard namespace != nil || global.node != nil || global.token != nil || global.nodeCA != nil
            else { return }
            var wanted = known
            let remote = RemoteChoice(global)
            if let remote = try remote.named() {
                // An address is the same with and without a slash behind it.
                if known.node.map(SyncPlace.trimmed) != SyncPlace.trimmed(remote.url) {
                    (wanted.node, wanted.dataDirectory) = (remote.url, nil)
                }
                wanted.authorities = remote.authorities ?? known.authorities
            } else if let authorities = global.nodeCA {
                wanted.authorities = authorities
            }
            wanted.token = remote.token ?? known.token
            guard wanted != known else { return }
            let folder = try registration.takeOver(wanted) { [wanted] in try SyncPlace.options(for: wanted) }
            let what = folder.node == known.node ? "the new key" : "its node at \(folder.node ?? "")"
            Terminal.note(
                "\(SyncOutput.shown(folder.path)) goes on with \(what); what is known of it is kept")
        }

        private func take(options folder: inout FolderRecord, _ selection: [String]) {
            folder.mode = mode ?? folder.mode
            if let quiet { folder.quietMilliseconds = quiet }
            if all || !selection.isEmpty { folder.only = selection }
            if let up { folder.uploadLimit = up * 1024 }
            if let down { folder.downloadLimit = down * 1024 }
            if let prefetch { folder.prefetchBytes = prefetch << 20 }
        }

        private func runOnce(_ folder: FolderRecord) throws {
            let report = try SyncPlace.isRunning ? waitForOther(folder) : runHere(folder)
            ProgressBar.clearLine()
            var out = StandardOutput()
            try SyncOutput.write(summary: report, json: output.json, to: &out)
            try out.flush()
            // Of a folder that is done as well: what is left out for good, such as a pipe.
            if report.state != "offline" { SyncOutput.warn(ofItemsOf: report) }
            if let lead = report.clockLead { Terminal.warn(SyncOutput.clock(lead)) }
            switch report.state {
            case "settled": return SyncOutput.tellAbsent(folder)
            case "read_only" where report.pending == 0: return
            case "waiting", "working", "read_only":
                throw SilentExit(status: .partlyDone)
            default:
                throw CommandError(.failed, report.detail ?? "the folder is \(report.state)")
            }
        }

        private func runHere(_ folder: FolderRecord) throws -> FolderReport {
            let verbose = verbose
            let runner = FolderRunner(
                folder, home: SyncPlace.home, device: try SyncPlace.home.device(),
                dial: { try SyncPlace.options(for: folder) }, progress: { SyncOutput.show($0) }
            ) { folder, event in SyncOutput.tell(event, in: folder, isAlone: true, verbose: verbose) }
            return runner.runOnce()
        }

        /// Another process has the folder: it is asked to look at everything, and watched until it is done.
        private func waitForOther(_ folder: FolderRecord) throws -> FolderReport {
            _ = try SyncPlace.ask("reload", folder)
            var last = try SyncPlace.ask("status", folder).first ?? FolderReport(folder)
            // A scan that is under way may have passed by what changed last.
            let scans = (last.fullScans ?? 0) + (last.state == "working" ? 2 : 1)
            // Of all that the other process did, this is what it did since it was asked.
            let before = last.counters
            func sinceThen() -> FolderReport {
                last.counters = last.counters.since(before)
                return last
            }
            _ = try SyncPlace.ask("rescan", folder)
            var idle = 0
            for _ in 0..<18_000 {
                try Interruption.cancellation.check()
                Thread.sleep(forTimeInterval: 0.2)
                if let now = try SyncPlace.ask("status", folder).first { last = now }
                SyncOutput.show(last)
                switch last.state {
                case "working", "starting": idle = 0
                case "settled", "waiting", "read_only":
                    let isScanned = last.fullScans ?? 0 >= scans
                    // A file that was written a moment ago is taken once it is quiet, and one that is gone is
                    // removed once it has turned up nowhere else.
                    if isScanned, last.busy ?? 0 == 0, last.heldRemovals ?? 0 == 0 { return sinceThen() }
                    idle += 1
                    if !isScanned, idle % 10 == 0 { _ = try SyncPlace.ask("rescan", folder) }
                case "not-running":
                    // It was just added, or the process does not sync it.
                    idle += 1
                    if idle > 50 { return sinceThen() }
                default: return sinceThen()
                }
            }
            return sinceThen()
        }

        private func runUntilStopped(_ only: Set<String>?) throws {
            let verbose = verbose
            let agent = try FolderAgent(
                SyncPlace.home, only: only, dial: { try SyncPlace.options(for: $0) }
            ) { folder, event in SyncOutput.tell(event, in: folder, verbose: verbose) }
            let manager = ServiceManager(environment: Environment.current)
            try agent.start()
            manager.notify(.ready, .status(SyncOutput.states(agent.status)))
            defer {
                manager.notify(.stopping)
                agent.stop()
            }
            if agent.status.isEmpty { SyncOutput.tellNoFolder() }
            var told: [String: String] = [:]
            var summary = ""
            while !Interruption.cancellation.isCancelled, !agent.isAskedToStop {
                let reports = agent.status
                for report in reports {
                    let isAtWork = report.state == "working" || report.state == "starting"
                    // Work is told of when it begins, and when it has come to something.
                    let line = isAtWork ? "starting" : SyncOutput.state(report)
                    guard !isAtWork || told[report.id] == nil, told[report.id] != line else { continue }
                    told[report.id] = line
                    Terminal.note("\(SyncOutput.shown(report.path)): \(line)")
                }
                let states = SyncOutput.states(reports)
                if states != summary { manager.notify(.status(states)) }
                summary = states
                Thread.sleep(forTimeInterval: 0.1)
            }
        }
    }

    struct Status: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Tell how each folder is, and what waits for what.",
            discussion: """
                `starting` and `working` go over into `settled`, when both sides are equal, or `waiting`, \
                with what is not done and why. `offline`, `read_only`, `missing` and `stopped` say what to \
                do; `paused` is until `nacre sync resume`. `not-running` is how a folder was when `nacre \
                sync` ran last.
                """)

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: ArgumentHelp("Only this folder.", valueName: "dir"), completion: .directory)
        var directory: String?

        func run() throws {
            let registration = FolderRegistration(SyncPlace.home)
            let chosen = try directory.map { try registration.require(try SyncPlace.path(ofKnown: $0)) }
            let running = (try? SyncPlace.ask("status")) ?? []
            let folders = try SyncPlace.home.folders()
            if folders.isEmpty, !output.json { return SyncOutput.tellNoFolder() }
            var out = StandardOutput()
            for folder in folders where chosen == nil || folder.id == chosen?.id {
                let report = running.first { $0.id == folder.id } ?? SyncPlace.home.report(of: folder)
                try SyncOutput.write(report, json: output.json, to: &out)
            }
            try out.flush()
        }
    }
}
