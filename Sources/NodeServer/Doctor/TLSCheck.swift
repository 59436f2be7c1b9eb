public import NodeCore

/// The certificate and its key, as the node would load them.
public struct TLSCheck: Sendable {
    private let directory: String
    private let configuration: Configuration

    /// - Parameter directory: the data directory, which paths of files are relative to.
    public init(directory: String, configuration: Configuration) {
        self.directory = directory
        self.configuration = configuration
    }

    /// What is to be said of them; nothing for a node without TLS.
    public func findings() -> [Finding] {
        guard let address = ListenAddress(configuration[.listen]) else { return [] }
        do throws(TLSError) {
            var options = ServerOptions(address: address)
            options.tlsCertificate = file(.tlsCertificate)
            options.tlsKey = file(.tlsKey)
            guard let files = try options.tlsFiles() else { return [] }
            let problems = files.problems()
            guard problems.isEmpty else { return problems.map(finding) }
            let warnings = try files.load().warnings
            guard !warnings.isEmpty else {
                return [.ok("tls", "\(files.certificate) and its key can be used")]
            }
            return warnings.map(finding)
        } catch {
            return [finding(error)]
        }
    }

    private func finding(_ error: TLSError) -> Finding {
        .fail("tls", "\(error)", advice: "mend the files, or tls.certificate and tls.key")
    }

    /// The path of a setting, which may be relative to the data directory.
    private func file(_ key: ConfigurationKey) -> String? {
        let path = configuration[key]
        guard !path.isEmpty else { return nil }
        return path.hasPrefix("/") ? path : directory + "/" + path
    }

    private func finding(_ warning: TLSFiles.Warning) -> Finding {
        switch warning {
        case .ended: .fail("tls", "\(warning)", advice: "renew it (certbot renew)")
        case .endsSoon: .warn("tls", "\(warning)", advice: "look at what renews it (certbot renew --dry-run)")
        case .keyIsReadByOthers: .warn("tls", "\(warning)", advice: "and think of the key as known to them")
        }
    }
}
