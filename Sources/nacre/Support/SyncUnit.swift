import Foundation
import Glibc

/// The systemd unit of a user that runs `nacre sync --daemon`.
///
/// `packaging/systemd/nacre-sync.service` is this text with the program at /usr/local/bin/nacre.
struct SyncUnit {
    static let name = "nacre-sync.service"

    /// Absolute.
    let program: String
    /// What the user set of where folders are written down.
    private let settings: [(name: String, value: String)]

    init(program: String, environment: [String: String]) {
        self.program = program
        settings = ["NACRE_SYNC_HOME", "XDG_STATE_HOME"].compactMap { name in
            environment[name].flatMap { $0.isEmpty ? nil : (name, $0) }
        }
    }

    /// The program that runs, as the kernel has it.
    static func runningProgram() throws -> String {
        let path = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        // The kernel says ` (deleted)` behind one that was replaced since it was started.
        guard access(path, X_OK) == 0 else {
            throw CommandError(.failed, "\(path) is not there any more: start the `nacre` that is to be run")
        }
        return path
    }

    /// Where systemd looks for a unit of the user.
    static func path(_ environment: [String: String]) throws -> String {
        if let home = environment["XDG_CONFIG_HOME"], home.hasPrefix("/") {
            return home + "/systemd/user/" + name
        }
        guard let home = environment["HOME"], home.hasPrefix("/") else {
            throw CommandError(.failed, "HOME is not set: print the unit, and put it where systemd looks")
        }
        return home + "/.config/systemd/user/" + name
    }

    /// - Throws: `CommandError` for a path that no unit can name.
    var text: String {
        get throws {
            let environment = try settings.map {
                "Environment=\(try Self.word("\($0.name)=\(try Self.absolute($0.value))"))\n"
            }.joined()
            return """
                # Keeps the folders of a user equal with their namespaces: ~/.config/systemd/user/\(Self.name)
                # `nacre sync unit --install` writes it there, with the path of the program.
                [Unit]
                Description=Nacre sync
                Documentation=man:nacre(1)

                [Service]
                # READY=1 comes when the folders are loaded; `systemctl --user status` shows how they are.
                Type=notify
                NotifyAccess=main
                ExecStart=\(try Self.word(program)) sync --daemon
                \(environment)Restart=on-failure
                RestartSec=5
                # A folder ends at its next step: a block that is on its way may take a while under a limit.
                TimeoutStopSec=45
                UMask=0077
                Nice=5

                # What works without the rights of root, and leaves every directory to be synced.
                NoNewPrivileges=yes
                LockPersonality=yes
                MemoryDenyWriteExecute=yes
                RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
                RestrictNamespaces=yes
                RestrictRealtime=yes
                RestrictSUIDSGID=yes
                SystemCallArchitectures=native
                SystemCallFilter=@system-service
                SystemCallErrorNumber=EPERM

                [Install]
                WantedBy=default.target

                """
        }
    }

    /// The daemon has another working directory than the shell.
    private static func absolute(_ path: String) throws -> String {
        guard path.hasPrefix("/") else {
            return FileManager.default.currentDirectoryPath + "/" + path
        }
        return path
    }

    /// A text as one word of a line. Spec: systemd.syntax(7), "Quoting"; systemd.unit(5), "Specifiers".
    private static func word(_ text: String) throws -> String {
        guard !text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) else {
            throw CommandError(
                .failed, "\(SyncOutput.shown(text)) cannot be named in a unit: it has control characters")
        }
        let doubled = text.replacing("%", with: "%%")
        let plain = CharacterSet.alphanumerics.union(CharacterSet(charactersIn: "/._-+=%@:"))
        if doubled.unicodeScalars.allSatisfy({ plain.contains($0) }) { return doubled }
        return "\"" + doubled.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}
