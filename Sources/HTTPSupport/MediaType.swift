/// Which `Content-Type` a file gets: from its name, else from its first bytes.
public enum MediaType {
    /// The type of a file.
    ///
    /// - Parameters:
    ///   - name: the file's name; its extension decides if it is known.
    ///   - beginning: the first bytes of the content, 512 are enough.
    public static func of(name: String?, beginning: some Collection<UInt8>) -> String {
        if let known = name.flatMap({ of(name: $0) }) { return known }
        return sniff(Array(beginning.prefix(512)))
    }

    /// A type by what the content begins with. HTML and SVG count only with a name that says so: what a
    /// page may do is decided by who named it.
    private static func sniff(_ bytes: [UInt8]) -> String {
        for (magic, offset, type) in signatures where bytes.dropFirst(offset).starts(with: magic.utf8Bytes) {
            return type
        }
        guard isText(bytes) else { return "application/octet-stream" }
        let first = bytes.first { $0 > 0x20 }
        if first == UInt8(ascii: "{") || first == UInt8(ascii: "[") {
            return looksLikeJSON(bytes) ? "application/json" : plainText
        }
        return looksLikeHTML(bytes) ? "text/html; charset=utf-8" : plainText
    }

    /// The type by the extension of a name; `nil` if it has none that is known.
    public static func of(name: String) -> String? {
        name.lastIndex(of: ".").flatMap { byExtension[name[name.index(after: $0)...].lowercased()] }
    }

    public static let plainText = "text/plain; charset=utf-8"

    private static func isText(_ bytes: [UInt8]) -> Bool {
        guard !bytes.contains(where: { $0 < 0x09 || ($0 > 0x0D && $0 < 0x20 && $0 != 0x1B) || $0 == 0x7F })
        else {
            return false
        }
        // The sample may end within a character.
        return (0...min(3, bytes.count)).contains {
            String(validating: bytes.dropLast($0), as: UTF8.self) != nil
        }
    }

    private static func looksLikeJSON(_ bytes: [UInt8]) -> Bool {
        let rest = bytes.drop { $0 <= 0x20 }.dropFirst().drop { $0 <= 0x20 }
        guard let next = rest.first else { return false }
        return bytes.first { $0 > 0x20 } == UInt8(ascii: "{")
            ? next == UInt8(ascii: "\"") || next == UInt8(ascii: "}")
            : "\"{[]-0123456789tfn".utf8.contains(next)
    }

    private static func looksLikeHTML(_ bytes: [UInt8]) -> Bool {
        let text = String(decoding: bytes.drop { $0 <= 0x20 }.prefix(32), as: UTF8.self).lowercased()
        return ["<!doctype html", "<html", "<head", "<body", "<script", "<!--"].contains {
            text.hasPrefix($0)
        }
    }

    private static let signatures: [(Magic, Int, String)] = [
        ("\u{89}PNG\r\n\u{1A}\n", 0, "image/png"), ("\u{FF}\u{D8}\u{FF}", 0, "image/jpeg"),
        ("GIF87a", 0, "image/gif"), ("GIF89a", 0, "image/gif"), ("WEBP", 8, "image/webp"),
        ("%PDF-", 0, "application/pdf"),
        ("PK\u{03}\u{04}", 0, "application/zip"), ("\u{1F}\u{8B}", 0, "application/gzip"),
        ("\u{28}\u{B5}\u{2F}\u{FD}", 0, "application/zstd"), ("ID3", 0, "audio/mpeg"),
        ("OggS", 0, "audio/ogg"),
        ("fLaC", 0, "audio/flac"), ("WAVE", 8, "audio/wav"), ("ftyp", 4, "video/mp4"),
        ("\u{1A}\u{45}\u{DF}\u{A3}", 0, "video/webm"), ("wOF2", 0, "font/woff2"), ("wOFF", 0, "font/woff"),
        ("\u{00}asm", 0, "application/wasm"), ("ustar", 257, "application/x-tar"),
    ]

    private static let byExtension: [String: String] = [
        "html": "text/html; charset=utf-8", "htm": "text/html; charset=utf-8",
        "css": "text/css; charset=utf-8",
        "js": "text/javascript; charset=utf-8", "mjs": "text/javascript; charset=utf-8",
        "json": "application/json",
        "map": "application/json", "xml": "application/xml", "txt": plainText,
        "md": "text/markdown; charset=utf-8",
        "csv": "text/csv; charset=utf-8", "ics": "text/calendar; charset=utf-8", "svg": "image/svg+xml",
        "png": "image/png",
        "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp",
        "avif": "image/avif",
        "ico": "image/x-icon", "bmp": "image/bmp", "tif": "image/tiff", "tiff": "image/tiff",
        "mp3": "audio/mpeg",
        "m4a": "audio/mp4", "ogg": "audio/ogg", "opus": "audio/ogg", "flac": "audio/flac", "wav": "audio/wav",
        "mp4": "video/mp4", "m4v": "video/mp4", "webm": "video/webm", "mkv": "video/x-matroska",
        "mov": "video/quicktime",
        "avi": "video/x-msvideo", "pdf": "application/pdf", "epub": "application/epub+zip",
        "zip": "application/zip",
        "gz": "application/gzip", "tgz": "application/gzip", "zst": "application/zstd",
        "bz2": "application/x-bzip2",
        "xz": "application/x-xz", "7z": "application/x-7z-compressed", "tar": "application/x-tar",
        "car": "application/vnd.ipld.car", "wasm": "application/wasm", "woff": "font/woff",
        "woff2": "font/woff2",
        "ttf": "font/ttf", "otf": "font/otf", "webmanifest": "application/manifest+json",
        "yaml": "application/yaml",
        "yml": "application/yaml", "toml": "application/toml", "rss": "application/rss+xml",
        "atom": "application/atom+xml",
        "sh": plainText, "c": plainText, "h": plainText, "py": plainText, "rs": plainText, "go": plainText,
        "swift": plainText, "log": plainText, "bin": "application/octet-stream",
    ]

    /// Bytes of a signature: each scalar below 256 is one.
    private struct Magic: ExpressibleByStringLiteral, Sendable {
        let utf8Bytes: [UInt8]
        init(stringLiteral text: String) {
            utf8Bytes = text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
        }
    }
}
