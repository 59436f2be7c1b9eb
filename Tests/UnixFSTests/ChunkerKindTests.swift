import Testing
import UnixFS

@Suite struct ChunkerKindTests {
    @Test(arguments: [
        ("size-262144", "size-262144"), ("size-1", "size-1"), ("size-2096896", "size-2096896"),
        ("buzhash", "buzhash"), ("rabin", "rabin-87381-262144-393216"),
        ("rabin-16384", "rabin-5461-16384-24576"),
        ("rabin-16-17-18", "rabin-16-17-18"), ("fastcdc-64-65-66", "fastcdc-64-65-66"),
        ("lines-4096", "lines-4096"), ("line", "line"),
    ])
    func textGivesAChunkerThatPrintsItsParameters(text: String, canonical: String) throws {
        let kind = try ChunkerKind(text: text)
        #expect(kind.description == canonical)
        #expect(try ChunkerKind(text: canonical) == kind)
    }

    @Test(arguments: ["fastcdc", "lines"])
    func shortFormsStandForValidDefaults(text: String) throws {
        let kind = try ChunkerKind(text: text)
        #expect(kind.description.hasPrefix(text + "-"))
        #expect(try ChunkerKind(text: kind.description) == kind)
    }

    @Test(arguments: [
        "", "size", "size-", "size-+1", "size--1", "size-1-2", "size-x", "size-99999999999999999999",
        "buzhash-1",
        "rabin-1-2", "rabin-1-2-3-4", "fastcdc-1", "fastcdc-64-128", "lines-1-2", "line-1", "Size-1",
        "default",
    ])
    func textThatIsNoChunkerIsRefused(text: String) {
        #expect(throws: ChunkerError.unknown(text)) { try ChunkerKind(text: text) }
    }

    @Test(arguments: ["size-0", "size-2096897", "size-9223372036854775807", "lines-0", "lines-2096896"])
    func sizesOutOfRangeAreRefused(text: String) {
        let error = #expect(throws: ChunkerError.self) { try ChunkerKind(text: text) }
        guard case .sizeOutOfRange = error else {
            Issue.record("expected sizeOutOfRange, got \(String(describing: error))")
            return
        }
    }

    @Test(arguments: [
        "rabin-15-32-64", "rabin-64-64-128", "rabin-64-128-128", "rabin-16-32-2096897", "rabin-47", "rabin-0",
        "rabin-9223372036854775807", "fastcdc-63-128-256", "fastcdc-128-128-256", "fastcdc-64-256-256",
        "fastcdc-64-128-2096897",
    ])
    func sizesThatDoNotRiseWithinLimitsAreRefused(text: String) {
        let error = #expect(throws: ChunkerError.self) { try ChunkerKind(text: text) }
        guard case .unorderedSizes = error else {
            Issue.record("expected unorderedSizes, got \(String(describing: error))")
            return
        }
    }
}
