/// The path and query of a request, as they came and in parts.
///
/// Spec: RFC 9110 section 4, RFC 3986 section 3.3. Segments are decoded once; what they decode to is bytes,
/// since a name in a DAG can be any.
public struct RequestTarget: Hashable, Sendable {
    /// Percent-encoded, beginning with a slash.
    public let path: String
    /// Percent-encoded, without the question mark; `nil` if there is none.
    public let query: String?

    /// - Throws: `notAPath` for anything but `/…[?…]`, `tooLong` beyond ``maximumBytes``.
    public init(_ text: String) throws(RequestTargetError) {
        guard text.utf8.count <= Self.maximumBytes else { throw .tooLong(maximum: Self.maximumBytes) }
        guard text.utf8.first == UInt8(ascii: "/"), !text.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F })
        else {
            throw .notAPath
        }
        if let mark = text.firstIndex(of: "?") {
            path = String(text[..<mark])
            query = String(text[text.index(after: mark)...])
        } else {
            path = text
            query = nil
        }
    }

    /// The most bytes of a path with its query.
    public static let maximumBytes = 16 * 1024

    /// The segments behind the first slash, still encoded; a slash at the end leaves an empty last one.
    public var encodedSegments: [Substring] {
        path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
    }

    /// Whether the path ends in a slash.
    public var hasTrailingSlash: Bool { path.utf8.last == UInt8(ascii: "/") }

    /// The values of a query parameter, in order, decoded; what is not UTF-8 is left out.
    public func values(of name: String) -> [String] {
        queryItems.compactMap { $0.name == name ? $0.value : nil }
    }

    /// The first value of a query parameter.
    public func value(of name: String) -> String? { values(of: name).first }

    /// Whether a parameter is there with a value that means yes.
    public func isSet(_ name: String) -> Bool {
        value(of: name).map { ["true", "1", "yes", ""].contains($0.lowercased()) } ?? false
    }

    /// Names and values, decoded; `+` is a space, as in forms.
    public var queryItems: [(name: String, value: String)] {
        guard let query else { return [] }
        return query.split(separator: "&").compactMap { part in
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = PercentCoding.formText(pair[0]),
                let value = PercentCoding.formText(pair.count > 1 ? pair[1] : "")
            else { return nil }
            return (name, value)
        }
    }
}

/// Why a request target cannot be worked on.
public enum RequestTargetError: Error, Equatable, Sendable {
    case notAPath
    /// A host that cannot be one, or two that differ.
    case badHost
    case tooLong(maximum: Int)
    /// A `%` without two hexadecimal digits behind it.
    case badEscape(String)
}

extension RequestTargetError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .notAPath: "the request does not name a path"
        case .badHost: "the request must name one host, as a name or an address, in one place"
        case .tooLong(let maximum): "a path with its query may have \(maximum) bytes"
        case .badEscape(let text): "\"\(text)\" has a % without two hexadecimal digits behind it"
        }
    }
}
