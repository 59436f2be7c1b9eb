import ArgumentParser
import NodeCore
import NodeServer

struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Settings: flags over environment over nacre.toml over defaults.",
        subcommands: [Show.self, Check.self, Default.self])

    @OptionGroup var global: GlobalOptions
}

extension ConfigCommand {
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print every setting in force and where it comes from.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions

        func run() throws {
            let configuration = try Loader.load(global)
            var out = StandardOutput()
            for key in ConfigurationKey.all {
                guard let value = configuration.values[key.name] else { continue }
                let text = key.shown(value.text)
                if output.json {
                    let row = SettingJSON(key: key.name, value: text, origin: value.origin.description)
                    try out.write(bytes: JSONLine.encode(row))
                    try out.write("\n")
                } else {
                    try out.write(
                        line: Columns.padded("\(key.name) = \(text)", 40) + "# \(value.origin)")
                }
            }
            try out.flush()
        }
    }

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Check nacre.toml, the environment and the files of TLS; say all that is wrong and where.")
        @OptionGroup var global: GlobalOptions

        func run() throws {
            let (configuration, mistakes) = Configuration.examine(
                dataDirectory: global.dataDirectory, environment: Environment.current)
            let files = TLSCheck(directory: global.dataDirectory, configuration: configuration).findings()
            for mistake in mistakes { Terminal.fail("\(mistake)") }
            let strays = Configuration.strayVariables(in: Environment.current)
            for stray in strays { Terminal.warn("\(stray)") }
            for finding in files {
                switch finding.verdict {
                case .ok: break
                case .warn: Terminal.warn(finding.text)
                case .fail: Terminal.fail(finding.text)
                }
            }
            guard mistakes.isEmpty, !files.contains(where: { $0.verdict == .fail }) else {
                throw SilentExit(status: .wrongUsage)
            }
            var out = StandardOutput()
            try out.write(
                line: "the configuration is right"
                    + (strays.isEmpty ? "" : "; what was warned of sets nothing"))
            try out.flush()
        }
    }

    struct Default: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print a nacre.toml with every setting at its default.")
        @OptionGroup var global: GlobalOptions

        func run() throws {
            var out = StandardOutput()
            var section = ""
            for key in ConfigurationKey.all {
                if let name = key.section, name != section {
                    try out.write(line: "\n[\(name)]")
                    section = name
                }
                try out.write(line: "# \(key.help)")
                try out.write(line: "# \(key.environmentName)")
                try out.write(line: "\(key.nameInSection) = \(key.defaultInFile)")
            }
            try out.flush()
        }
    }

    private enum Loader {
        static func load(_ global: GlobalOptions) throws -> Configuration {
            try Configuration.load(dataDirectory: global.dataDirectory, environment: Environment.current)
        }
    }
}

private struct SettingJSON: Encodable {
    let key: String
    let value: String
    let origin: String
}
