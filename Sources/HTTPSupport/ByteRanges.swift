/// A byte range of a `Range` header. Spec: RFC 9110 section 14.1.2.
public enum ByteRangeSpec: Hashable, Sendable {
    /// `first-last`, both included; `last` is `nil` for an open end.
    case from(UInt64, through: UInt64?)
    /// `-length`: the last so many bytes.
    case suffix(UInt64)

    /// The bytes of a representation of a size; `nil` if there are none of them.
    public func range(in size: UInt64) -> Range<UInt64>? {
        switch self {
        case .from(let first, let last):
            guard first < size else { return nil }
            return first..<(last.map { min($0, size - 1) + 1 } ?? size)
        case .suffix(let length):
            guard length > 0, size > 0 else { return nil }
            return (size - min(length, size))..<size
        }
    }

    /// The bytes that some ranges name of a representation of a size, in the order asked for; empty if there
    /// are none of them.
    ///
    /// Ranges that overlap or meet become one, at the place of the first: nobody gets a byte twice.
    public static func ranges(_ specs: [ByteRangeSpec], in size: UInt64) -> [Range<UInt64>] {
        var ranges: [Range<UInt64>] = []
        for spec in specs {
            guard var range = spec.range(in: size) else { continue }
            var place = ranges.count
            // What has grown may meet others in turn.
            while let index = ranges.firstIndex(where: {
                $0.lowerBound <= range.upperBound && range.lowerBound <= $0.upperBound
            }) {
                let other = ranges.remove(at: index)
                range =
                    min(range.lowerBound, other.lowerBound)..<max(range.upperBound, other.upperBound)
                place = min(place, index)
            }
            ranges.insert(range, at: min(place, ranges.count))
        }
        return ranges
    }

    /// The value of `Content-Range` for a range that is not empty.
    public static func contentRange(_ range: Range<UInt64>, size: UInt64) -> String {
        "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(size)"
    }

    /// The ranges of a header; `nil` if it is to be ignored: another unit, a syntax that is wrong, or more
    /// than ``maximumCount`` of them.
    public static func parse(_ header: String) -> [ByteRangeSpec]? {
        guard header.utf8.count <= 1024, header.lowercased().hasPrefix("bytes=") else { return nil }
        var specs: [ByteRangeSpec] = []
        for part in header.dropFirst(6).split(separator: ",", omittingEmptySubsequences: false) {
            let text = part.trimmed
            if text.isEmpty { continue }
            guard specs.count < maximumCount, let dash = text.firstIndex(of: "-") else { return nil }
            let (first, last) = (text[..<dash], text[text.index(after: dash)...])
            if first.isEmpty {
                guard let length = number(last) else { return nil }
                specs.append(.suffix(length))
            } else {
                guard let start = number(first) else { return nil }
                guard !last.isEmpty else {
                    specs.append(.from(start, through: nil))
                    continue
                }
                guard let end = number(last), end >= start else { return nil }
                specs.append(.from(start, through: end))
            }
        }
        return specs.isEmpty ? nil : specs
    }

    /// A request for more ranges than this is answered as a whole.
    public static let maximumCount = 16

    /// Digits only; what is beyond 64 bits is as good as the largest number.
    private static func number(_ text: Substring) -> UInt64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return UInt64(text) ?? .max
    }
}

extension Substring {
    /// Without spaces and tabs at the ends.
    var trimmed: Substring {
        var text = self
        while let first = text.utf8.first, first == 0x20 || first == 0x09 { text = text.dropFirst() }
        while let last = text.utf8.last, last == 0x20 || last == 0x09 { text = text.dropLast() }
        return text
    }
}
