import ArgumentParser
import Foundation
import SyncAgent
import SyncProtocol

extension SyncCommand {
    struct Devices: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The machines that sync with a node.",
            discussion: """
                A machine makes itself known when it first syncs a folder, by its host name or what `nacre \
                sync DIR --device-name NAME` says. Shown are the machines of the key \
                that is used; whoever may administer the project sees all of it.
                """,
            subcommands: [Ls.self, Rename.self, Rm.self, Renew.self], defaultSubcommand: Ls.self)

        @OptionGroup var global: GlobalOptions
    }
}

/// Which machine is meant.
struct DeviceArgument: ParsableArguments {
    @Argument(help: ArgumentHelp("Its id, or its name.", valueName: "device"))
    var text: String

    /// - Throws: `CommandError` where there is none, or several of that name.
    func find(on server: HTTPSyncServer) throws -> DeviceInfo {
        let all = try server.devices()
        if let exact = all.first(where: { $0.id == text }) { return exact }
        let named = all.filter { $0.name == text && !$0.isRevoked }
        guard let found = named.first else {
            throw CommandError(
                .notFound, "there is no device “\(text)” to be seen; `nacre sync devices` lists them")
        }
        guard named.count == 1 else {
            throw CommandError(
                .wrongUsage, "\(named.count) devices are called “\(text)”: name one by its id")
        }
        return found
    }
}

extension SyncCommand.Devices {
    struct Ls: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List them: a line `ID NAME seen …, PLATFORM` for each.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions

        func run() throws {
            let devices = try SyncPlace.withNode(global) { try $0.devices() }
            let now = Int64(Date().timeIntervalSince1970 * 1000)
            var out = StandardOutput()
            for device in devices {
                try SyncReportOutput.write(device, now: now, json: output.json, to: &out)
            }
            try out.flush()
        }
    }

    struct Rename: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give a machine another name, for people.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var device: DeviceArgument
        @Argument(help: ArgumentHelp("What to call it.", valueName: "name"))
        var name: String

        func run() throws {
            try SyncPlace.withNode(global) { server in
                _ = try server.renameDevice(try device.find(on: server).id, to: name)
            }
        }
    }

    struct Rm: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shut a machine out: what it asks from here on is refused.",
            discussion: """
                Its folders keep what they have. Revoke the key that it has as well (`nacre key revoke`): \
                whoever has the key can come under another id.
                """)

        @OptionGroup var global: GlobalOptions
        @OptionGroup var device: DeviceArgument

        func run() throws {
            try SyncPlace.withNode(global) { server in
                _ = try server.removeDevice(try device.find(on: server).id)
            }
        }
    }

    struct Renew: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give this machine another id, after it was shut out by mistake.",
            discussion: """
                Prints the id. To nodes it is a new machine then; its folders go on with what is known of \
                them. The key that they have must still count.
                """)

        func run() throws {
            if SyncPlace.isRunning {
                throw CommandError(
                    .conflict, "the daemon has the id in use: stop it, and start it again afterwards")
            }
            var out = StandardOutput()
            try out.write(line: try SyncPlace.home.makeDevice())
            try out.flush()
        }
    }
}
