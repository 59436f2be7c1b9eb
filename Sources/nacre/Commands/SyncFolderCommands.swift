import ArgumentParser
import Foundation
import NodeCore
import SyncAgent
import SyncClient

/// The verbs about folders that are synced.
extension SyncCommand {
    struct Pause: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Leave a folder, or all, alone until `resume`.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: ArgumentHelp("All if it is left out.", valueName: "dir"), completion: .directory)
        var directory: String?

        func run() throws { try SyncCommand.setPaused(true, directory, output) }
    }

    struct Resume: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Go on with a folder, or all; what waits is tried at once.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: ArgumentHelp("All if it is left out.", valueName: "dir"), completion: .directory)
        var directory: String?

        func run() throws { try SyncCommand.setPaused(false, directory, output) }
    }

    /// A folder that was paused, or goes on, as JSON.
    private struct PausedFolder: Encodable {
        let path: String
        let namespace: String
        let paused: Bool
        /// Whether a process syncs folders at the moment.
        let running: Bool
    }

    fileprivate static func setPaused(
        _ isPaused: Bool, _ directory: String?, _ output: OutputOptions
    ) throws {
        let registration = FolderRegistration(SyncPlace.home)
        let chosen =
            try directory.map { [try registration.require(try SyncPlace.path(ofKnown: $0))] }
            ?? SyncPlace.home.folders()
        var out = StandardOutput()
        for folder in chosen {
            _ = try registration.change(folder.path) { $0.isPaused = isPaused }
            let isRunning = SyncPlace.isRunning
            if isRunning { _ = try SyncPlace.ask(isPaused ? "pause" : "resume", folder) }
            if output.json {
                try out.writeJSON(
                    PausedFolder(
                        path: folder.path, namespace: folder.namespaceName, paused: isPaused,
                        running: isRunning))
                continue
            }
            Terminal.note(
                "\(SyncOutput.shown(folder.path)) is \(isPaused ? "paused" : "synced again")"
                    + (isRunning || isPaused ? "" : " as soon as `nacre sync` runs"))
        }
        try out.flush()
        if chosen.isEmpty, !output.json { SyncOutput.tellNoFolder() }
    }

    struct Rescan: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Look at every file again, and try at once what waits.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var folder: FolderArgument

        func run() throws {
            let folder = try FolderRegistration(SyncPlace.home).require(folder.path)
            let reports = try SyncPlace.ask("rescan", folder)
            if output.json {
                var out = StandardOutput()
                for report in reports { try out.writeJSON(report) }
                return try out.flush()
            }
            Terminal.note("every file of \(SyncOutput.shown(folder.path)) is looked at again")
        }
    }

    struct Conflicts: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List conflict copies: a line `PATH` for each.",
            discussion: """
                Where a file was changed on two machines at once, one version keeps the name, and the other \
                is beside it as `name (conflict DATE TIME DEVICE).ext`. Both are synced like any file, \
                until `nacre sync resolve COPY --keep copy|file|both` decides.
                """)

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var folder: FolderArgument

        func run() throws {
            let path = try folder.path
            _ = try FolderRegistration(SyncPlace.home).require(path)
            var out = StandardOutput()
            try ConflictCopies.forEach(in: path) { copy in
                try Interruption.cancellation.check()
                if output.json { return try out.writeJSON(copy) }
                try out.write(line: SyncOutput.shown(copy.path))
            }
            try out.flush()
        }
    }

    struct Resolve: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Decide about a conflict copy.",
            discussion: """
                --keep copy puts the copy in the place of the file, --keep file removes the copy, --keep \
                both gives the copy a name of its own. What goes is in the trash of the folder \
                (.nacre/trash) for 30 days.
                """)

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: ArgumentHelp("The conflict copy.", valueName: "copy"), completion: .file())
        var copy: String
        @Option(
            name: .long, help: ArgumentHelp("copy, file or both.", valueName: "which"),
            completion: .list(["copy", "file", "both"]))
        var keep: ConflictCopies.Choice

        private struct Resolved: Encodable {
            /// Of the file that is left.
            let path: String
            /// What was kept.
            let keep: String
        }

        func run() throws {
            let path = try ConflictCopies.resolve(copy, keeping: keep)
            var out = StandardOutput()
            if output.json {
                try out.writeJSON(Resolved(path: path, keep: keep.rawValue))
            } else {
                try out.write(line: SyncOutput.shown(path))
            }
            try out.flush()
        }
    }

    struct Ignore: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Leave files out: adds patterns to DIR/.syncignore, or lists them.",
            discussion: """
                Patterns are those of .gitignore: `*.tmp`, `build/`, `/only-here`, `!keep.tmp`; (?i) in \
                front ignores case. The file is itself synced. What is ignored stays where it is, on every \
                machine. Files that editors and browsers leave behind are left out by patterns that stand in \
                no file; they are listed behind those of the folder, and `!*~` takes such files in.
                """)

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var folder: FolderArgument
        @Argument(help: ArgumentHelp("Patterns; without any, those there are.", valueName: "pattern"))
        var patterns: [String] = []

        private struct Rules: Encodable {
            /// Of the list of the folder.
            let path: String
            /// Its lines.
            let patterns: [String]
            /// Those that were added now.
            let added: [String]
            /// What stands in no file, and counts for every folder.
            let defaults = IgnoreList.defaultPatterns
        }

        private func write(_ text: String, of file: String, adding added: [String]) throws {
            var out = StandardOutput()
            let lines = text.unicodeScalars.split(separator: "\n").map { String(Substring($0)) }
            try out.writeJSON(Rules(path: file, patterns: lines, added: added))
            try out.flush()
        }

        func run() throws {
            let file = try FolderRegistration(SyncPlace.home).require(try folder.path).path + "/.syncignore"
            let known = FileManager.default.contents(atPath: file) ?? Data()
            var out = StandardOutput()
            if patterns.isEmpty {
                if output.json {
                    return try write(String(decoding: known, as: UTF8.self), of: file, adding: [])
                }
                var text = String(decoding: known, as: UTF8.self)
                if !text.isEmpty, !text.hasSuffix("\n") { text += "\n" }
                text += "# left out of every folder, unless `!PATTERN` takes it in again:\n"
                text += IgnoreList.defaultPatterns.map { "# \($0)\n" }.joined()
                try out.write(text)
                return try out.flush()
            }
            for pattern in patterns where pattern.contains("\n") || pattern.isEmpty {
                throw ValidationError("a pattern is one line, and not empty")
            }
            var text = String(decoding: known, as: UTF8.self)
            if !text.isEmpty, !text.hasSuffix("\n") { text += "\n" }
            // By bytes: two forms of one name are not one pattern.
            let lines = Set(text.utf8.split(separator: UInt8(ascii: "\n")).map(Array.init))
            // A line that begins with # says nothing.
            let fresh = patterns.map { $0.utf8.first == UInt8(ascii: "#") ? "\\" + $0 : $0 }
                .filter { !lines.contains(Array($0.utf8)) }
            text += fresh.map { $0 + "\n" }.joined()
            try Data(text.utf8).write(to: URL(fileURLWithPath: file), options: .atomic)
            if output.json { return try write(text, of: file, adding: fresh) }
            Terminal.note("\(SyncOutput.shown(file)) has \(patterns.joined(separator: " ")) as well")
        }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rm", abstract: "Stop syncing a folder. Files stay, here and on the node.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var folder: FolderArgument

        private struct Removed: Encodable {
            let path: String
            let namespace: String
            let removed = true
        }

        func run() throws {
            let removed = try FolderRegistration(SyncPlace.home).remove(try folder.path)
            if SyncPlace.isRunning { _ = try SyncPlace.ask("reload") }
            if output.json {
                var out = StandardOutput()
                try out.writeJSON(Removed(path: removed.path, namespace: removed.namespaceName))
                return try out.flush()
            }
            Terminal.note("\(removed.path) is not synced any more")
        }
    }
}
