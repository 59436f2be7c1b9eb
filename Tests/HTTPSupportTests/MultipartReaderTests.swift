import HTTPSupport
import TestKit
import Testing

/// Forms: RFC 7578.
@Suite struct MultipartReaderTests {
    /// A body in pieces that are cut anywhere.
    private final class Pieces: RequestBytes, @unchecked Sendable {
        // Proof of Sendable: used by one thread of one test.
        private var rest: [ArraySlice<UInt8>]
        init(_ bytes: [UInt8], _ size: Int) {
            rest = stride(from: 0, to: bytes.count, by: size).map { bytes[$0..<min($0 + size, bytes.count)] }
        }
        func next() -> ArraySlice<UInt8>? { rest.isEmpty ? nil : rest.removeFirst() }
    }

    private static let type = "multipart/form-data; boundary=\"x-y\""

    private func read(
        _ text: String, piece: Int = 7, type: String = type
    ) throws -> [(part: MultipartReader.Part, bytes: [UInt8])] {
        var reader = try MultipartReader(
            RequestBodyReader(Pieces(Array(text.utf8), piece)), contentType: type)
        var parts: [(MultipartReader.Part, [UInt8])] = []
        while let part = try reader.nextPart() {
            var bytes: [UInt8] = []
            while let piece = try reader.nextBytes() { bytes += piece }
            parts.append((part, bytes))
        }
        return parts
    }

    private static let form = """
        preamble\r
        --x-y\r
        Content-Disposition: form-data; name="a"\r
        \r
        one\r
        --x-y\r
        content-disposition: form-data; name="f"; filename="dir/b \\"c.txt"\r
        Content-Type: text/plain\r
        \r
        two\r
        --x-\r
        --x\r
        \r
        --x-y\r
        Content-Disposition: form-data; name=empty; filename=""\r
        \r
        \r
        --x-y--\r
        epilogue
        """

    @Test(arguments: Array(1...40) + [1000]) func partsAreTheSameHoweverTheyAreCut(piece: Int) throws {
        let parts = try read(Self.form, piece: piece)
        #expect(parts.map(\.part.name) == ["a", "f", "empty"])
        #expect(parts.map(\.part.filename) == [nil, "dir/b \"c.txt", ""])
        #expect(parts.map(\.part.contentType) == [nil, "text/plain", nil])
        #expect(
            parts.map { String(decoding: $0.bytes, as: UTF8.self) } == ["one", "two\r\n--x-\r\n--x\r\n", ""])
    }

    @Test func aPartThatIsNotReadIsPassedOver() throws {
        var reader = try MultipartReader(
            RequestBodyReader(Pieces(Array(Self.form.utf8), 11)), contentType: Self.type)
        var names: [String] = []
        while let part = try reader.nextPart() { names.append(part.name) }
        #expect(names == ["a", "f", "empty"])
    }

    @Test(arguments: [
        ("multipart/form-data", MultipartError.noBoundary),
        ("multipart/form-data; boundary=" + String(repeating: "b", count: 71), .noBoundary),
    ])
    func aFormWithoutABoundaryIsRefused(type: String, expected: MultipartError) {
        #expect(throws: expected) { try read(Self.form, type: type) }
    }

    /// Cut off at every byte but within the epilogue, a form never looks whole.
    @Test func aFormThatIsCutOffIsNeverWhole() throws {
        let end = try #require(Self.form.utf8.indices.count > 20 ? Self.form.utf8.count - 10 : nil)
        for count in 0..<(end - 2) {
            let text = String(decoding: Array(Self.form.utf8.prefix(count)), as: UTF8.self)
            #expect(throws: MultipartError.self, "\(count)") { try read(text) }
        }
    }

    @Test func whatHasNoNameOrAHeadWithoutEndIsRefused() {
        #expect(throws: MultipartError.noName) {
            try read("--x-y\r\nContent-Type: a/b\r\n\r\nx\r\n--x-y--")
        }
        let long = String(repeating: "A: b\r\n", count: 5000)
        #expect(throws: MultipartError.headTooLarge) { try read("--x-y\r\n" + long) }
    }

    @Test func moreThanTheLimitIsRefused() throws {
        let body = RequestBodyReader(Pieces(Array(Self.form.utf8), 10), limit: 100)
        var reader = try MultipartReader(body, contentType: Self.type)
        #expect(throws: RequestBodyError.tooLarge(limit: 100)) {
            while try reader.nextPart() != nil {}
        }
    }
}
