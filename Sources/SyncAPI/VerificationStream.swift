import HTTPSupport
import IPLD
import NodeCore
import SyncProtocol

/// The answer to a request to verify a namespace: a message after each slice of the work, and the whole of
/// it at the end. JSON Lines, or a CBOR sequence.
///
/// The work is done while the answer is taken: a client that goes away ends it.
final class VerificationStream: BodyStream, @unchecked Sendable {
    // Proof of Sendable: the fields are touched by `next` alone, which the server calls one at a time, as
    // `BodyStream` says; what hands one call to the next thread orders their memory.
    private let verification: NamespaceVerification
    private let form: WireForm
    private var isDone = false
    private var told = 0

    init(_ verification: NamespaceVerification, _ form: WireForm) {
        self.verification = verification
        self.form = form
    }

    static func mediaType(_ form: WireForm) -> String {
        form == .cbor ? "application/cbor-seq" : "application/jsonl"
    }

    func next() throws -> BodyPiece? {
        guard !isDone else { return nil }
        isDone = try verification.advance(for: Self.slice)
        let report = verification.report
        var bytes: [UInt8] = []
        for finding in report.findings.dropFirst(told) {
            bytes += try line(
                VerificationFinding(
                    kind: finding.kind.rawValue, message: finding.description, block: finding.block,
                    path: finding.path, jid: finding.version
                ).value(form))
        }
        told = report.findings.count
        bytes += try line(
            VerificationProgress(
                nodes: report.nodes, changes: report.changes, snapshots: report.snapshots,
                contents: report.contents, blocks: report.blocks, bytes: report.bytes,
                missing: report.missing, damaged: report.damaged, findings: report.findingCount,
                isDone: isDone
            ).value(form))
        return .bytes(bytes[...])
    }

    private func line(_ value: IPLDValue) throws -> [UInt8] {
        try form.encode(value) + (form == .json ? [0x0A] : [])
    }

    /// How often the client hears of it.
    private static let slice = Duration.milliseconds(500)
}
