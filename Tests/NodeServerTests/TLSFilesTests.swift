import Foundation
import Logging
import TestKit
import Testing

@testable import NodeServer

@Suite struct TLSFilesTests {
    private func files(_ certificate: String, _ key: String) -> TLSFiles {
        TLSFiles(
            certificate: Vectors.url("tls/" + certificate).path, key: Vectors.url("tls/" + key).path)
    }

    @Test func aPairIsTaken() throws {
        let (_, warnings) = try files("one.pem", "one-key.pem").load()
        // The files of a checkout may be read by all; nothing else is to be said of them.
        #expect(warnings.allSatisfy { if case .keyIsReadByOthers = $0 { true } else { false } })
    }

    @Test func aCertificateThatHasEndedIsTakenWithAWarning() throws {
        let (_, warnings) = try files("ended.pem", "one-key.pem").load()
        #expect(warnings.contains(.ended(certificate: Vectors.url("tls/ended.pem").path)))
    }

    @Test(arguments: [
        ("absent.pem", "one-key.pem", "absent.pem"), ("one-key.pem", "one-key.pem", "no certificate"),
        ("one.pem", "one.pem", "not a private key"),
        ("one.pem", "one-key-with-password.pem", "take the password off"),
        ("one.pem", "two-key.pem", "not the one of the certificate"),
        ("SOURCE.md", "one-key.pem", "SOURCE.md"),
    ])
    func whatCannotBeUsedIsNamedWithWhatToDo(certificate: String, key: String, text: String) {
        let files = files(certificate, key)
        #expect { try files.load() } throws: { error in
            error is TLSError && String(describing: error).contains(text)
        }
    }

    @Test func oneOfTheTwoSettingsIsNotEnough() {
        var options = ServerOptions(address: ListenAddress(host: "127.0.0.1", port: 0))
        options.tlsKey = "/key.pem"
        #expect(throws: TLSError.incomplete(missing: "tls.certificate")) { try options.tlsFiles() }
        options = ServerOptions(address: options.address)
        options.tlsCertificate = "/certificate.pem"
        #expect(throws: TLSError.incomplete(missing: "tls.key")) { try options.tlsFiles() }
    }

    @Test func changedFilesAreFollowedAndBadOnesChangeNothing() throws {
        let directory = try TemporaryDirectory()
        let files = TLSFiles(certificate: directory.path("c.pem"), key: directory.path("k.pem"))
        func install(_ name: String, key: String? = nil) throws {
            for (from, to) in [(name + ".pem", files.certificate), ((key ?? name) + "-key.pem", files.key)] {
                // Renamed into place, as those do who renew: a new file each time.
                try Data(Vectors.bytes("tls/" + from)).write(
                    to: URL(fileURLWithPath: to), options: .atomic)
            }
        }
        try install("one")
        let identity = try TLSIdentity(files, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let first = identity.context
        identity.refresh()
        #expect(identity.context === first, "nothing has changed")
        try install("two", key: "one")
        identity.refresh()
        #expect(identity.context === first, "they are no pair")
        try FileManager.default.removeItem(atPath: files.certificate)
        identity.refresh()
        #expect(identity.context === first, "there is none")
        try install("two")
        identity.refresh()
        #expect(identity.context !== first)
        let second = identity.context
        identity.refresh(TLSFiles(certificate: "/absent", key: files.key))
        #expect(identity.context === second)
    }
}
