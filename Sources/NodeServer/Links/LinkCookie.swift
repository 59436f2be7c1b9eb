import Access
import HTTPSupport
import HTTPTypes

/// The cookie by which a browser that gave the password of a link opens it again for some hours. It is sent
/// to that link alone.
enum LinkCookie {
    private static let name = "nacre_link"

    /// What a request shows; of several the first that a browser sends, whose path is the longest.
    static func value(in fields: HTTPFields) -> String? {
        for pair in fields[values: .cookie].joined(separator: ";").split(separator: ";") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, parts[0].filter({ $0 != " " && $0 != "\t" }) == name else { continue }
            return String(parts[1].filter { $0 != " " && $0 != "\t" })
        }
        return nil
    }

    /// The field that gives a browser its pass.
    static func field(_ pass: LinkPass, token: String, now: Int64, scheme: String) -> String {
        let seconds = max(0, (pass.expires - now) / 1000)
        let secure = scheme == "https" ? "; Secure" : ""
        // Lax: whoever comes from a page of somebody else is still let in, and no such page can send files.
        return "\(name)=\(pass.text); Path=/c/\(token)/; Max-Age=\(seconds); HttpOnly; SameSite=Lax" + secure
    }
}

/// What a request shows of a link besides the token in its path.
extension DoorRequest {
    /// The token that stands in a path `/c/TOKEN/…`.
    var linkToken: String {
        target.encodedSegments.dropFirst().first.map(String.init) ?? ""
    }

    /// The password of `Authorization: Basic`, whatever the name. Spec: RFC 7617.
    var basicPassword: String? {
        guard let header = fields[.authorization] else { return nil }
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "basic", parts[1].utf8.count <= 8192,
            let bytes = Base64Text.decode(parts[1]), let text = String(validating: bytes, as: UTF8.self),
            let colon = text.firstIndex(of: ":")
        else { return nil }
        return String(text[text.index(after: colon)...])
    }

    /// Whether it was asked for by a page of the same link on the same host.
    var isFromOwnLink: Bool {
        guard let referrer = fields[.referer] else { return false }
        return referrer.hasPrefix("\(scheme)://\(authority)/c/\(linkToken)/")
    }
}

/// Base64 with padding or without. Spec: RFC 4648 section 4.
enum Base64Text {
    static func decode(_ text: Substring) -> [UInt8]? {
        var bytes: [UInt8] = []
        var (bits, count) = (UInt32(0), 0)
        for byte in text.utf8 {
            let value: UInt32
            switch byte {
            case 0x41...0x5A: value = UInt32(byte - 0x41)
            case 0x61...0x7A: value = UInt32(byte - 0x61) + 26
            case 0x30...0x39: value = UInt32(byte - 0x30) + 52
            case 0x2B: value = 62
            case 0x2F: value = 63
            case 0x3D: continue
            default: return nil
            }
            bits = bits << 6 | value
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
                bits &= (1 << UInt32(count)) - 1
            }
        }
        return bytes
    }
}
