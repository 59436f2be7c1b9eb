import ArgumentParser
import Foundation
import NodeCore
import SyncAgent

extension SyncCommand {
    struct Unit: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the systemd unit that keeps your folders synced, or install it.",
            discussion: """
                The unit runs this program, wherever it is, with the NACRE_SYNC_HOME that is set now. \
                --install writes it to ~/.config/systemd/user, or systemd/user in XDG_CONFIG_HOME, in the \
                place of one that is there, and says how it is started.
                """)

        @OptionGroup var global: GlobalOptions
        @Flag(name: .long, help: "Write it where systemd looks for it.")
        var install = false

        func run() throws {
            let environment = Environment.current
            let unit = SyncUnit(program: try SyncUnit.runningProgram(), environment: environment)
            let text = try unit.text
            guard install else {
                var out = StandardOutput()
                try out.write(text)
                return try out.flush()
            }
            let path = try SyncUnit.path(environment)
            try FileManager.default.createDirectory(
                atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
            Terminal.note(
                """
                wrote \(SyncOutput.shown(path)). To start it, now and whenever you log in:
                  systemctl --user daemon-reload
                  systemctl --user enable --now \(SyncUnit.name)
                and to have it run while you are not logged in:
                  loginctl enable-linger
                """)
        }
    }
}
