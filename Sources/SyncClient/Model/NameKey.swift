import Foundation

/// What two names have in common that may not stand in one directory: the NFC form, and on file systems and
/// in namespaces that do not tell them apart, the case.
public struct NameKey: Hashable, Sendable {
    public let text: String

    /// - Parameter ignoringCase: as the folder's file system and the namespace do.
    public init(_ name: String, ignoringCase: Bool = false) {
        // Nearly all names are ASCII and their own NFC form.
        let composed = name.utf8.allSatisfy { $0 < 0x80 } ? name : name.precomposedStringWithCanonicalMapping
        text = ignoringCase ? composed.lowercased() : composed
    }

    public static func == (a: Self, b: Self) -> Bool { a.text.utf8.elementsEqual(b.text.utf8) }
    public func hash(into hasher: inout Hasher) {
        for byte in text.utf8 { hasher.combine(byte) }
    }
}
