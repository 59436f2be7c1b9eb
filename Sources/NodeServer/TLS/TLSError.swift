/// Why the node cannot speak TLS with the files it was given.
public enum TLSError: Error, Equatable, Sendable {
    /// One of `tls.certificate` and `tls.key` is set, the other is not.
    case incomplete(missing: String)
    case unreadable(file: String, reason: String)
    case noCertificate(file: String)
    case badCertificate(file: String, reason: String)
    case badKey(file: String, reason: String)
    /// The library takes them one by one, not together.
    case notAPair(certificate: String, key: String, reason: String)
}

extension TLSError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .incomplete(let missing):
            "\(missing) is not set: TLS needs both tls.certificate and tls.key; set both, or none for HTTP"
        case .unreadable(let file, let reason):
            "cannot read \(file) for TLS (\(reason)): the user the node runs as must be able to read it"
        case .noCertificate(let file):
            "\(file) holds no certificate: tls.certificate is a PEM file with the certificate first, then "
                + "those that lead to its authority"
        case .badCertificate(let file, let reason): "\(file) is not a certificate in PEM form: \(reason)"
        case .badKey(let file, let reason):
            "\(file) is not a private key in PEM form without a password: \(reason); take the password off "
                + "with `openssl pkey -in FILE -out NEW`"
        case .notAPair(let certificate, let key, let reason):
            "the key in \(key) is not the one of the certificate in \(certificate): \(reason); both must "
                + "come from the same order"
        }
    }
}
