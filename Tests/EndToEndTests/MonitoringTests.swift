import Foundation
import TestKit
import Testing

/// What is shipped for Prometheus and Grafana asks for what the node exports, and for nothing else.
@Suite struct MonitoringTests {
    static let folder = Vectors.packageRoot.appendingPathComponent("packaging/monitoring")

    private func text(_ name: String) throws -> String {
        try String(contentsOf: Self.folder.appendingPathComponent(name), encoding: .utf8)
    }

    @Test func everyMetricThatIsAskedForIsExported() throws {
        let directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        let node = try ServedNode(
            NacreProcess(data: directory.path("data")), settings: ["NACRE_METRICS_PUBLIC": "true"])
        _ = try node.get("/health/live")
        let page = try node.get("/metrics")
        try node.stop()
        var exported: Set<Substring> = ["up"]
        for line in page.split(separator: "\r\n").flatMap({ $0.split(separator: "\n") }) {
            let words = line.split(separator: " ")
            guard words.count == 4, words[0] == "#", words[1] == "TYPE" else { continue }
            exported.insert(words[2])
            guard words[3] == "histogram" else { continue }
            for suffix in ["_bucket", "_sum", "_count"] { exported.insert(words[2] + suffix) }
        }
        #expect(exported.count > 15, "\(page)")
        let name = /\b(?:nacre|process)_[a-z_]+\b/
        for file in ["alerts.yml", "grafana/dashboards/nacre.json"] {
            let asked = Set(try text(file).matches(of: name).map(\.output))
            #expect(asked.count > 5)
            #expect(asked.subtracting(exported).isEmpty, "\(file): \(asked.subtracting(exported))")
        }
        let documented = try String(
            contentsOf: Vectors.packageRoot.appendingPathComponent("docs/how-to/monitoring.md"),
            encoding: .utf8)
        for metric in exported where metric.hasPrefix("nacre_") && page.contains("# TYPE \(metric) ") {
            #expect(documented.contains(metric), "docs/how-to/monitoring.md does not have \(metric)")
        }
    }

    @Test func theDashboardIsADashboard() throws {
        let object = try JSONSerialization.jsonObject(
            with: Data(try text("grafana/dashboards/nacre.json").utf8))
        let dashboard = try #require(object as? [String: Any])
        let panels = try #require(dashboard["panels"] as? [[String: Any]])
        #expect(panels.count > 10 && dashboard["title"] as? String == "Nacre")
        #expect(Set(panels.compactMap { $0["id"] as? Int }).count == panels.count)
    }

    @Test func theRulesPassTheirTests() throws {
        guard Tool.areHere("promtool") else { return }
        for arguments in [["check", "rules", "alerts.yml"], ["test", "rules", "alerts-test.yml"]] {
            let words = arguments.dropLast() + [Self.folder.appendingPathComponent(arguments[2]).path]
            let outcome = try Tool.run(["promtool"] + words)
            #expect(outcome.status == 0, "\(outcome.output)")
        }
    }
}
