import HTTPTypes

/// Which trace a request belongs to, and its own place in it.
///
/// Spec: W3C Trace Context, section 3.2 (`traceparent`).
struct TraceContext: Equatable, Sendable {
    /// 32 and 16 hexadecimal digits, not all zero.
    let trace: String
    let span: String
    /// The span of whoever asked.
    let parent: String?
    /// Whether the span is told of.
    let isSampled: Bool

    /// Continues the trace of a request, or begins one.
    ///
    /// - Parameters:
    ///   - traceparent: the field of the request; what is not of the form is passed over.
    ///   - share: how many of the traces that begin here are told of, from 0 to 1.
    init(continuing traceparent: String?, share: Double, _ random: inout some RandomNumberGenerator) {
        span = Self.digits(random.next())
        if let (trace, parent, flags) = traceparent.flatMap(Self.parse) {
            (self.trace, self.parent) = (trace, parent)
            isSampled = flags & 1 == 1
        } else {
            trace = Self.digits(random.next()) + Self.digits(random.next())
            parent = nil
            isSampled = share >= 1 || Double.random(in: 0..<1, using: &random) < share
        }
    }

    private static func parse(_ text: String) -> (trace: String, parent: String, flags: UInt8)? {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count >= 4, parts[0].utf8.count == 2, parts[0] != "ff", isHexadecimal(parts[0]),
            // What later versions append is not known; of this one nothing is.
            parts[0] != "00" || parts.count == 4,
            parts[1].utf8.count == 32, isHexadecimal(parts[1]), parts[1].contains(where: { $0 != "0" }),
            parts[2].utf8.count == 16, isHexadecimal(parts[2]), parts[2].contains(where: { $0 != "0" }),
            parts[3].utf8.count == 2, isHexadecimal(parts[3]), let flags = UInt8(parts[3], radix: 16)
        else { return nil }
        return (String(parts[1]), String(parts[2]), flags)
    }

    private static func isHexadecimal(_ text: Substring) -> Bool {
        text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    /// Never all zero, which means none.
    private static func digits(_ number: UInt64) -> String {
        let digits = String(number == 0 ? 1 : number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
