import ContentCoding
import HTTPSupport
import HTTPTypes

/// A body that is unpacked as it is read: at most a piece of it is in memory, whatever it unpacks to. Who
/// reads it counts what comes.
final class UnpackedBody: RequestBytes, @unchecked Sendable {
    // Proof of Sendable: `next` alone touches the decompressor, and one thread calls it, as the protocol is
    // used.
    private let base: any RequestBytes
    private let decompressor: Decompressor

    init(_ base: any RequestBytes, _ coding: ContentCoding) throws {
        self.base = base
        decompressor = try Decompressor(coding)
    }

    func next() throws -> ArraySlice<UInt8>? {
        while true {
            if let piece = try decompressor.next() { return piece[...] }
            guard let more = try base.next() else {
                try decompressor.finish()
                return nil
            }
            decompressor.feed(more)
        }
    }
}

extension DoorResponse {
    /// The same answer, packed as the client accepts it, where that pays.
    func packed(accepting header: String?) -> DoorResponse {
        var response = self
        // What may be sent here; RFC 7694 section 3.
        response.fields[.acceptEncoding] = ContentCoding.accepted
        guard case .bytes(let bytes) = body, status.kind == .successful,
            let header, let coding = ContentCoding.best(accepting: header),
            bytes.count <= ContentCoding.shortBytes || !ContentCoding.prefersPlain(header),
            coding.pays(for: bytes),
            let packed = try? coding.compress(bytes), packed.count < bytes.count
        else { return response }
        response.body = .bytes(packed)
        response.fields[.contentEncoding] = coding.rawValue
        response.fields[.vary] = "Accept-Encoding"
        return response
    }
}
