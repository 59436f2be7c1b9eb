import IPNS
import Multiformats

extension FuzzTarget {
    /// The first byte chooses: a record, a key, a moment, a path, a domain.
    static let ipns = FuzzTarget("ipns") { bytes in
        var input = FuzzInput(bytes)
        let choice = input.byte() % 5
        let rest = Array(input.rest)
        switch choice {
        case 0: try checkRecord(rest)
        case 1: try checkKey(rest)
        case 2: checkTime(rest)
        case 3: try checkPath(rest)
        default: checkDomain(String(decoding: rest, as: UTF8.self))
        }
    }

    private static func checkRecord(_ bytes: [UInt8]) throws {
        let record = try IPNSRecord(decoding: bytes)
        require(record.bytes == bytes, "a record is kept as it came")
        require(bytes.count <= IPNSRecord.maximumBytes, "a record is within limits")
        require(record.ttl >= .zero, "no time to live is negative")
        let end = record.validUntil
        require(record.remainingTTL(at: end) == .zero, "nothing is cached beyond the end")
        require(!record.isNewer(than: record), "no record is newer than itself")
        if let key = record.publicKey, let name = try? key.peerID {
            do throws(IPNSRecordError) {
                try record.validate(for: name, at: end)
                require(false, "a record is not valid at its end")
            } catch {
                require(!error.description.isEmpty, "a refusal has words")
            }
        }
    }

    private static func checkKey(_ bytes: [UInt8]) throws {
        let key = try PublicKey(protobuf: bytes)
        require((try? PublicKey(protobuf: key.protobuf)) == key, "a key is read back")
        let name = must("a key that is read has a name") { try key.peerID }
        require((try? PeerID(text: name.ipnsName)) == name, "the name of a key is read back")
        require((try? key.isValidSignature([0], of: bytes)) != true, "one byte is no signature")
    }

    private static func checkTime(_ bytes: [UInt8]) {
        guard let time = IPNSTime(text: bytes) else { return }
        let whole = IPNSTime(seconds: time.seconds)
        require(IPNSTime(text: Array(time.description.utf8)) == whole, "a moment is read back")
    }

    private static func checkPath(_ bytes: [UInt8]) throws {
        let path = try ContentPath(bytes)
        let again = must("the text of a path is read back") { try ContentPath(text: path.description) }
        require(again == path, "a path has one form")
    }

    private static func checkDomain(_ text: String) {
        guard let domain = DomainName(text) else { return }
        require(DomainName(domain.text) == domain, "a domain has one form")
        guard let label = domain.inlinedLabel else { return }
        require(label.utf8.count <= DomainName.maximumLabel, "a label is within limits")
        require(DomainName(inlinedLabel: label) == domain, "a domain comes back from its label")
    }
}
