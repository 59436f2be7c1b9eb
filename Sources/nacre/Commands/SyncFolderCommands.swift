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
        @Argument(help: ArgumentHelp("All if it is left out.", valueName: "dir"), completion: .directory)
        var directory: String?

        func run() throws { try SyncOutput.setPaused(true, directory) }
    }

    struct Resume: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Go on with a folder, or all; what waits is tried at once.")

        @OptionGroup var global: GlobalOptions
        @Argument(help: ArgumentHelp("All if it is left out.", valueName: "dir"), completion: .directory)
        var directory: String?

        func run() throws { try SyncOutput.setPaused(false, directory) }
    }

    struct Rescan: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Look at every file again, and try at once what waits.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var folder: FolderArgument

        func run() throws {
            let folder = try FolderRegistration(SyncPlace.home).require(folder.path)
            _ = try SyncPlace.ask("rescan", folder)
            Terminal.note("every file of \(SyncOutput.shown(folder.path)) is looked at again")
        }
    }

    struct Conflicts: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List conflict copies: a line `PATH` for each.",
            discussion: """
                Where a file was changed on two machines at once, one version keeps the name, and the other \
                is beside it as `name (conflict DATE TIME DEVICE).ext`. Both are synced like any file.
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
        @Argument(help: ArgumentHelp("The conflict copy.", valueName: "copy"), completion: .file())
        var copy: String
        @Option(
            name: .long, help: ArgumentHelp("copy, file or both.", valueName: "which"),
            completion: .list(["copy", "file", "both"]))
        var keep: ConflictCopies.Choice

        func run() throws {
            var out = StandardOutput()
            try out.write(line: SyncOutput.shown(try ConflictCopies.resolve(copy, keeping: keep)))
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
        @OptionGroup var folder: FolderArgument
        @Argument(help: ArgumentHelp("Patterns; without any, those there are.", valueName: "pattern"))
        var patterns: [String] = []

        func run() throws {
            let file = try FolderRegistration(SyncPlace.home).require(try folder.path).path + "/.syncignore"
            let known = FileManager.default.contents(atPath: file) ?? Data()
            var out = StandardOutput()
            if patterns.isEmpty {
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
            Terminal.note("\(SyncOutput.shown(file)) has \(patterns.joined(separator: " ")) as well")
        }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rm", abstract: "Stop syncing a folder. Files stay, here and on the node.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var folder: FolderArgument

        func run() throws {
            let removed = try FolderRegistration(SyncPlace.home).remove(try folder.path)
            if SyncPlace.isRunning { _ = try SyncPlace.ask("reload") }
            Terminal.note("\(removed.path) is not synced any more")
        }
    }
}
