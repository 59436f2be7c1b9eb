import Glibc
import NIOSSL
import NodeCore

/// A certificate with its key, as PEM files that somebody else renews.
struct TLSFiles: Hashable, Sendable {
    let certificate: String
    let key: String

    /// What tells one state of the files from the next without reading them.
    struct Stamp: Hashable, Sendable {
        private let values: [Int64]

        fileprivate init(_ files: [String]) {
            values = files.flatMap { file -> [Int64] in
                var status = stat()
                // A file that is away for a moment is a state like any other: reading it says so.
                guard stat(file, &status) == 0 else { return [-1] }
                return [
                    Int64(bitPattern: UInt64(status.st_ino)), Int64(status.st_size),
                    Int64(status.st_mtim.tv_sec), Int64(status.st_mtim.tv_nsec),
                ]
            }
        }
    }

    var stamp: Stamp { Stamp([certificate, key]) }

    /// Something that works and should be known all the same.
    enum Warning: Equatable, Sendable {
        case keyIsReadByOthers(String)
        case ended(certificate: String)
        case endsSoon(certificate: String, days: Int)
    }

    /// Reads both files and checks that they belong together. Blocks on the disk.
    func load() throws(TLSError) -> (context: NIOSSLContext, warnings: [Warning]) {
        let chain = try certificates()
        let key = try privateKey()
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["h2", "http/1.1"]
        do {
            return (try NIOSSLContext(configuration: configuration), warnings(chain))
        } catch {
            throw .notAPair(certificate: certificate, key: self.key, reason: Self.reason(error))
        }
    }

    /// What is wrong with each of the files alone.
    func problems() -> [TLSError] {
        var problems: [TLSError] = []
        do throws(TLSError) { _ = try certificates() } catch { problems.append(error) }
        do throws(TLSError) { _ = try privateKey() } catch { problems.append(error) }
        return problems
    }

    private func certificates() throws(TLSError) -> [NIOSSLCertificate] {
        let bytes = try Self.read(certificate)
        let chain: [NIOSSLCertificate]
        do {
            chain = try NIOSSLCertificate.fromPEMBytes(bytes)
        } catch NIOSSLError.failedToLoadCertificate {
            throw .noCertificate(file: certificate)
        } catch {
            throw .badCertificate(file: certificate, reason: Self.reason(error))
        }
        guard !chain.isEmpty else { throw .noCertificate(file: certificate) }
        return chain
    }

    private func privateKey() throws(TLSError) -> NIOSSLPrivateKey {
        let bytes = try Self.read(key)
        do {
            return try NIOSSLPrivateKey(bytes: bytes, format: .pem)
        } catch {
            throw .badKey(file: key, reason: Self.reason(error))
        }
    }

    private func warnings(_ chain: [NIOSSLCertificate]) -> [Warning] {
        var warnings: [Warning] = []
        var status = stat()
        if stat(key, &status) == 0, status.st_mode & mode_t(S_IROTH | S_IWOTH) != 0 {
            warnings.append(.keyIsReadByOthers(key))
        }
        if let leaf = chain.first {
            let left = Int64(leaf.notValidAfter) - Int64(time(nil))
            if left < 0 {
                warnings.append(.ended(certificate: certificate))
            } else if left < Self.renewalSeconds {
                warnings.append(.endsSoon(certificate: certificate, days: Int(left / 86_400)))
            }
        }
        return warnings
    }

    /// Whoever renews automatically has done so by then.
    private static let renewalSeconds: Int64 = 14 * 86_400

    private static func read(_ file: String) throws(TLSError) -> [UInt8] {
        let bytes: [UInt8]?
        do {
            bytes = try SmallFile.read(Array(file.utf8))
        } catch let error as POSIXError {
            throw .unreadable(file: file, reason: String(cString: strerror(error.code)))
        } catch {
            throw .unreadable(file: file, reason: String(describing: error))
        }
        guard let bytes else { throw .unreadable(file: file, reason: "there is no such file") }
        return bytes
    }

    private static func reason(_ error: any Error) -> String {
        String(describing: error)
    }
}

extension TLSFiles.Warning: CustomStringConvertible {
    var description: String {
        switch self {
        case .keyIsReadByOthers(let key): "everybody on this machine may read \(key): chmod 600 it"
        case .ended(let certificate): "the certificate in \(certificate) has ended: clients will refuse it"
        case .endsSoon(let certificate, let days):
            "the certificate in \(certificate) ends in \(days) days and was not renewed"
        }
    }
}

extension ServerOptions {
    /// - Returns: `nil` for a node that speaks HTTP.
    func tlsFiles() throws(TLSError) -> TLSFiles? {
        switch (tlsCertificate, tlsKey) {
        case (nil, nil): return nil
        case (let certificate?, let key?): return TLSFiles(certificate: certificate, key: key)
        case (nil, _): throw .incomplete(missing: "tls.certificate")
        case (_, nil): throw .incomplete(missing: "tls.key")
        }
    }
}
