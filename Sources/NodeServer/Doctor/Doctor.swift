import NodeCore

/// Looks at the machine, the data directory and the configuration, and says what to mend.
///
/// Nothing is changed: no directory is made, no schema is brought up to date, no lock is taken. A running
/// node on the same directory is not disturbed.
public struct Doctor: Sendable {
    private let directory: String
    private let environment: [String: String]

    /// - Parameters:
    ///   - directory: the data directory, which need not exist.
    ///   - environment: as the node would be started with.
    public init(directory: String, environment: [String: String]) {
        self.directory = directory
        self.environment = environment
    }

    /// Runs every check, in an order in which the first failure explains those behind it.
    ///
    /// - Parameter report: is told each finding as it is made.
    public func examine(_ report: (Finding) throws -> Void) throws {
        let holder = LockHolder(directory: directory)
        var configuration = Configuration()
        do {
            configuration = try Configuration.load(dataDirectory: directory, environment: environment)
            let changed = configuration.values.values.count { $0.origin != .default }
            try report(.ok("configuration", "right; settings that differ from the default: \(changed)"))
        } catch {
            try report(
                .fail(
                    "configuration", "\(error)",
                    advice: "mend it; `nacre config default` prints every setting"))
        }
        for stray in Configuration.strayVariables(in: environment) {
            try report(
                .warn("environment", "\(stray)", advice: "correct the name of the variable, or remove it"))
        }
        let checks: [() -> [Finding]] = [
            { DataDirectoryChecks(directory: directory, configuration: configuration).findings() },
            { [HolderCheck(directory: directory, holder: holder).finding()] },
            { SecretsChecks(directory: directory).findings() },
            { [CatalogCheck(directory: directory, configuration: configuration).finding()] },
            { DamageCheck(directory: directory, configuration: configuration).findings() },
            { MachineChecks(directory: directory).findings() },
            { ListenerChecks(configuration: configuration, holder: holder).findings() },
            { TLSCheck(directory: directory, configuration: configuration).findings() },
            { NameChecks(configuration: configuration).findings() },
        ]
        for check in checks {
            for finding in check() { try report(finding) }
        }
        if let holder, holder.address != nil { try report(readiness(of: holder)) }
    }

    /// Asks the running node whether it is ready, and nothing else.
    public func askReadiness() -> Finding {
        guard let holder = LockHolder(directory: directory) else {
            return .fail("node", "no node runs on \(directory)", advice: "start it: `nacre serve`")
        }
        return readiness(of: holder)
    }

    private func readiness(of holder: LockHolder) -> Finding {
        guard let address = holder.address else {
            return .fail(
                "node", "process \(holder.processID) has \(directory) open and serves nothing",
                advice: "wait until it has started, or ended")
        }
        switch ReadinessProbe.ask(address) {
        case .success: return .ok("node", "the node at \(address) is ready")
        case .failure(let failure):
            return .fail("node", "the node at \(address) \(failure)", advice: "look at its log")
        }
    }
}
