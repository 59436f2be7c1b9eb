import NodeClient
import NodeCore
import NodeMessages
import NodeServer

/// Looks at a node that was named: is it there, ready, of this version; its clock, its certificate, and
/// what the token is good for.
struct RemoteDoctor {
    let target: RemoteChoice.Target

    /// - Parameter report: is told each finding as it is made.
    func examine(_ report: (Finding) throws -> Void) throws {
        let connection = try NodeConnection(url: target.url, token: target.token, trust: target.trust)
        defer { try? connection.close() }
        let greeting: NodeConnection.Greeting
        do {
            greeting = try connection.greeting()
        } catch let failure as NodeFailure {
            try report(
                .fail("node", failure.detail, advice: "check the address (--node, NACRE_NODE) and the node"))
            for finding in certificate(connection) { try report(finding) }
            return
        }
        try report(.ok("node", "the node at \(target.url) answers"))
        try report(version(greeting.version))
        try report(Self.readiness(connection))
        if let seconds = greeting.secondsAhead { try report(clock(seconds)) }
        for finding in certificate(connection) { try report(finding) }
        for finding in token(connection) { try report(finding) }
    }

    /// Asks the node whether it is ready, and nothing else.
    func askReadiness() throws -> Finding {
        let connection = try NodeConnection(url: target.url, token: target.token, trust: target.trust)
        defer { try? connection.close() }
        return Self.readiness(connection)
    }

    private func version(_ text: String) -> Finding {
        guard text != NacreVersion.text else { return .ok("version", "\(text), as this program") }
        return .warn(
            "version", "the node has version \(text), this program \(NacreVersion.text)",
            advice: "use the same version on both sides")
    }

    private static func readiness(_ connection: NodeConnection) -> Finding {
        do {
            let (isReady, text) = try connection.readiness()
            if isReady { return .ok("health", "the node is ready") }
            return .fail("health", "the node is not ready: \(text)", advice: "look at its log")
        } catch {
            return .fail("health", "\(error)", advice: "look at its log")
        }
    }

    private func clock(_ seconds: Double) -> Finding {
        let away = Int(clamping: Int64(seconds.magnitude.rounded()))
        guard away > 2 else { return .ok("clock", "the clocks agree") }
        let text = "the clock of the node is \(away) s \(seconds > 0 ? "ahead of" : "behind") the one here"
        let advice = "keys and signed URLs end by the node's clock: let both follow NTP (`timedatectl`)"
        return away > 300 ? .fail("clock", text, advice: advice) : .warn("clock", text, advice: advice)
    }

    private func certificate(_ connection: NodeConnection) -> [Finding] {
        do {
            guard let end = try connection.certificateEnd() else { return [] }
            let days = (end - TimeText.now() / 1000) / 86400
            let date = TimeText.utc(seconds: end)
            if end * 1000 <= TimeText.now() {
                return [
                    .fail(
                        "certificate", "it ended at \(date)", advice: "renew it on the node (certbot renew)")
                ]
            }
            if days < 14 {
                return [
                    .warn(
                        "certificate", "it ends in \(days) days, at \(date)",
                        advice: "look at what renews it (certbot renew --dry-run)")
                ]
            }
            return [.ok("certificate", "it counts until \(date), \(days) days")]
        } catch {
            return [.fail("certificate", "\(error)", advice: "does the node speak TLS at this address?")]
        }
    }

    private func token(_ connection: NodeConnection) -> [Finding] {
        guard target.token != nil else {
            return [
                .warn(
                    "token", "no token is given: only what is public can be read",
                    advice: "give --token or NACRE_TOKEN")
            ]
        }
        do {
            let who = try connection.whoAsks()
            let name = who.name.map { "key \(PathText.printable($0.utf8))" } ?? who.source
            let allowed = who.operations.joined(separator: ", ")
            var findings: [Finding] = []
            if allowed.isEmpty {
                findings.append(
                    .fail("token", "\(name) allows nothing", advice: "ask for another key"))
            } else {
                findings.append(
                    .ok(
                        "token",
                        "good: \(name) allows \(allowed) in \(who.scope ?? "nothing"), until \(who.expires ?? "it is revoked")"
                    ))
            }
            if let end = who.expires.flatMap({ TimeText.milliseconds(utc: $0) }),
                end - TimeText.now() < 7 * 86400 * 1000
            {
                findings.append(
                    .warn(
                        "token-end", "the token ends at \(TimeText.utc(milliseconds: end))",
                        advice: "make another key in time (`nacre key create`)"))
            }
            return findings
        } catch {
            return [.fail("token", "\(error)", advice: "ask whoever runs the node for another key")]
        }
    }
}
