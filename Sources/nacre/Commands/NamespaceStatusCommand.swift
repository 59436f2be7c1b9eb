import ArgumentParser
import SyncAgent
import SyncProtocol

extension NamespaceCommand {
    struct Status: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Tell how far namespaces are on the running node, and what it did since its start.",
            discussion: """
                A line `NAME VERSION NODES BYTES` for each namespace. The figures of the node are shown to \
                who may read its metrics.
                """)

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: ArgumentHelp("Only this one, by name or id.", valueName: "namespace"))
        var namespaceText: String?

        func run() throws {
            var report = try SyncPlace.withNode(global) { try $0.report() }
            if let text = namespaceText {
                report.namespaces.removeAll { $0.info.name != text && $0.info.id != text }
                guard !report.namespaces.isEmpty else {
                    throw CommandError(
                        .notFound, "there is no namespace “\(text)” to be seen; `nacre ns ls` lists them")
                }
            }
            var out = StandardOutput()
            try SyncReportOutput.write(report, json: output.json, to: &out)
            try out.flush()
        }
    }
}
