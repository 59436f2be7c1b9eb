import Foundation

/// What two names have in common that may not stand in one directory: the NFC form, and on file systems and
/// in namespaces that do not tell them apart, the case.
public struct NameKey: Hashable, Sendable {
    public let text: String

    /// - Parameter ignoringCase: as the folder's file system and the namespace do.
    public init(_ name: String, ignoringCase: Bool = false) {
        // Nearly all names are ASCII and their own NFC form, most without capitals.
        var (isASCII, hasCapitals) = (true, false)
        for byte in name.utf8 {
            if byte >= 0x80 { isASCII = false }
            if byte >= UInt8(ascii: "A"), byte <= UInt8(ascii: "Z") { hasCapitals = true }
        }
        let composed = isASCII ? name : name.precomposedStringWithCanonicalMapping
        text = ignoringCase && (hasCapitals || !isASCII) ? composed.lowercased() : composed
    }

    public static func == (a: Self, b: Self) -> Bool { ExactPath(a.text) == ExactPath(b.text) }
    public func hash(into hasher: inout Hasher) { ExactPath(text).hash(into: &hasher) }
}
