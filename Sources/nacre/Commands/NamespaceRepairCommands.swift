import ArgumentParser
import NodeCore
import NodeMessages

extension NamespaceCommand {
    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Read and check everything that a namespace and its kept history need.",
            discussion: """
                Rows of the tree and the journal, and every block below them, whatever was verified \
                before. Exit code 7 if anything is damaged or missing; each finding is a line.
                """)

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var namespace: NamespaceArgument

        func run() throws {
            try global.withNode(.existing) { node in
                let bar = ProgressBar("verifying", unit: "blocks")
                let report = try node.verifyNamespace(namespace.namespaceText, bar.watch)
                bar.finish()
                var out = StandardOutput()
                try Self.write(report, json: output.json, to: &out)
                try out.flush()
                if !report.findings.isEmpty { throw SilentExit(status: .damaged) }
            }
        }

        private static func write(
            _ report: NamespaceVerificationMessage, json: Bool, to out: inout StandardOutput
        ) throws {
            if json { return try out.writeJSON(report) }
            for finding in report.findings {
                try out.write(line: PathText.printable(Array(finding.detail.utf8)))
            }
            if report.moreFindings > 0 { try out.write(line: "and \(report.moreFindings) more") }
            try out.write(
                line: "\(report.nodes) nodes, \(report.changes) changes, \(report.snapshots) snapshots, "
                    + "\(report.contents) contents, \(report.blocks) blocks with \(report.bytes) bytes: "
                    + (report.findings.isEmpty
                        ? "all right" : "\(report.missing) missing, \(report.damaged) damaged"))
        }
    }

    struct Rebuild: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let every machine that syncs compare its folder anew; prints `ID NAME VISIBILITY`.",
            discussion: """
                The namespace begins a new epoch. Nothing is lost or deleted, on either side: what a \
                machine has and the namespace has not is sent, the rest is fetched.
                """)

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var namespace: NamespaceArgument

        func run() throws {
            try NamespaceOutput.run(global, output) { node in
                try node.rebuildNamespace(namespace.namespaceText)
            }
        }
    }
}
