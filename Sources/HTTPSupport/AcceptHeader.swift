/// The media types of an `Accept` header, best first. Spec: RFC 9110 section 12.5.1.
public struct AcceptHeader: Sendable {
    public let choices: [Choice]

    /// One media range.
    public struct Choice: Equatable, Sendable {
        /// `type/subtype` in lower case, either may be `*`.
        public let type: String
        /// In lower case, without `q`.
        public let parameters: [String: String]
        /// In thousandths.
        public let quality: Int
    }

    /// Media ranges that are wrong are passed over; at most ``maximumChoices`` are looked at.
    public init(_ header: String) {
        var choices: [Choice] = []
        for part in header.split(separator: ",").prefix(Self.maximumChoices) {
            let fields = part.split(separator: ";").map(\.trimmed)
            guard let type = fields.first?.lowercased(), type.contains("/") else { continue }
            var parameters: [String: String] = [:]
            var quality = 1000
            for field in fields.dropFirst() {
                let pair = field.split(separator: "=", maxSplits: 1).map(\.trimmed)
                guard pair.count == 2 else { continue }
                let (name, value) = (pair[0].lowercased(), pair[1].lowercased().filter { $0 != "\"" })
                if name == "q" {
                    quality = Double(value).map { Int((min(max($0, 0), 1) * 1000).rounded()) } ?? 0
                } else {
                    parameters[name] = value
                }
            }
            choices.append(Choice(type: type, parameters: parameters, quality: quality))
        }
        // The order within one quality is the client's.
        self.choices = choices.enumerated()
            .sorted { ($1.element.quality, $0.offset) < ($0.element.quality, $1.offset) }
            .map(\.element).filter { $0.quality > 0 }
    }

    static let maximumChoices = 64

    /// Whether a type is named by itself, not by `*`.
    public func names(_ type: String) -> Bool { choices.contains { $0.type == type } }
}
