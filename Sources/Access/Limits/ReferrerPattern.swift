/// Pages that a request may come from: `https://example.org`, `https://*.example.org`, `https://example.org/shop/`.
///
/// `*.` stands for one or more labels. A path is a prefix in whole segments. What a browser sends can be trusted as
/// far as the browser; other programs send what they like.
public struct ReferrerPattern: Hashable, Sendable {
    private let scheme: String
    /// Without the `*.`.
    private let host: String
    private let hasWildcard: Bool
    private let port: Int
    private let path: [String]

    /// Reads a pattern.
    ///
    /// - Throws: `invalidReferrer`.
    public init(text: String) throws(AccessError) {
        guard let parts = WebAddress(text), !text.utf8.contains(UInt8(ascii: " ")) else {
            throw .invalidReferrer(String(text.prefix(256)))
        }
        hasWildcard = parts.host.hasPrefix("*.")
        host = hasWildcard ? String(parts.host.dropFirst(2)) : parts.host
        guard !host.contains("*"), !host.isEmpty else { throw .invalidReferrer(String(text.prefix(256))) }
        scheme = parts.scheme
        port = parts.port
        path = parts.path
    }

    /// Whether the value of a `Referer` header fits.
    public func matches(_ referrer: String) -> Bool {
        guard let parts = WebAddress(referrer), !parts.host.contains("*") else { return false }
        return scheme == parts.scheme && port == parts.port && matches(host: parts.host)
            && parts.path.starts(with: path)
    }

    /// Whether whatever fits `other` fits this.
    public func covers(_ other: ReferrerPattern) -> Bool {
        guard scheme == other.scheme, port == other.port, other.path.starts(with: path) else { return false }
        if other.hasWildcard { return hasWildcard && (host == other.host || matches(host: other.host)) }
        return matches(host: other.host)
    }

    private func matches(host other: String) -> Bool {
        hasWildcard ? other.hasSuffix("." + host) && other.utf8.count > host.utf8.count + 1 : other == host
    }
}

extension ReferrerPattern: CustomStringConvertible {
    public var description: String {
        let isUsual = port == WebAddress.usualPort(scheme)
        return "\(scheme)://\(hasWildcard ? "*." : "")\(host)\(isUsual ? "" : ":\(port)")"
            + path.map { "/" + $0 }.joined()
    }
}

/// The parts of an `http` or `https` address that say where a page is.
private struct WebAddress {
    let scheme: String
    let host: String
    let port: Int
    /// Segments without empty ones.
    let path: [String]

    /// - Returns: `nil` for anything unusual: user names, dot segments, other schemes, too long.
    init?(_ text: String) {
        guard text.utf8.count <= 2048, let colon = text.firstIndex(of: ":") else { return nil }
        scheme = text[..<colon].lowercased()
        let rest = text[text.index(after: colon)...]
        guard let usual = Self.usualPort(scheme), rest.hasPrefix("//") else { return nil }
        let behind = rest.dropFirst(2).prefix { $0 != "?" && $0 != "#" }
        let authority = behind.prefix { $0 != "/" }
        // A backslash is a slash to browsers, and a name before @ is none of the host.
        guard !behind.contains("\\"), !authority.contains("@") else { return nil }
        let parts = authority.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let name = parts.first?.lowercased(), !name.isEmpty, Self.isHost(name) else { return nil }
        host = name.hasSuffix(".") ? String(name.dropLast()) : name
        if parts.count == 2, !parts[1].isEmpty {
            guard let number = Int(parts[1]), (1...65535).contains(number) else { return nil }
            port = number
        } else {
            port = usual
        }
        path = behind.dropFirst(authority.count).split(separator: "/").map(String.init)
        let isRelative = path.contains { segment in
            let plain = segment.lowercased().replacing("%2e", with: ".")
            return plain == "." || plain == ".."
        }
        guard !isRelative else { return nil }
    }

    static func usualPort(_ scheme: String) -> Int? {
        switch scheme {
        case "https": 443
        case "http": 80
        default: nil
        }
    }

    private static func isHost(_ text: String) -> Bool {
        text.utf8.allSatisfy {
            (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || "-._*".utf8.contains($0)
        }
    }
}
