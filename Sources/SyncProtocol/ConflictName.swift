/// Names of conflict copies: `stem (conflict 2026-11-21 1925 laptop).ext`.
///
/// The tag is a date, a time and a device. Two copies made in the same minute are told apart by a number at
/// the end of the tag.
public struct ConflictName: Hashable, Sendable {
    /// Why there is a copy.
    public enum Reason: String, CaseIterable, Hashable, Sendable {
        /// Another version has the name.
        case content = "conflict"
        /// A name that differs by case only is taken.
        case letterCase = "case conflict"
        /// A name that differs by Unicode form only is taken: the two look alike.
        case unicodeForm = "unicode conflict"

        /// For programs.
        public var code: String {
            switch self {
            case .content: "content"
            case .letterCase: "case"
            case .unicodeForm: "unicode"
            }
        }
    }

    /// The most bytes of a name on common file systems and in a namespace.
    static let maximumBytes = 255

    public var stem: String
    /// With its dot; empty if there is none.
    public var suffix: String
    public var reason: Reason
    public var tag: String

    /// A copy of a file or a directory of that name. A conflict on a conflict copy is one of the original.
    public init(copyOf name: String, reason: Reason, tag: String) {
        if let known = ConflictName(name) {
            (stem, suffix) = (known.stem, known.suffix)
        } else {
            (stem, suffix) = Self.split(name)
        }
        self.reason = reason
        self.tag = tag
    }

    /// Reads a name; `nil` if it is none of a conflict copy.
    public init?(_ name: String) {
        let (head, suffix) = Self.split(name)
        guard head.hasSuffix(")") else { return nil }
        for reason in Reason.allCases {
            guard let start = Self.lastRange(of: " (" + reason.rawValue + " ", in: head) else { continue }
            let tag = head[start.upperBound...].dropLast()
            guard !tag.contains("("), !tag.contains(")") else { continue }
            self.stem = String(head[..<start.lowerBound])
            self.suffix = suffix
            self.reason = reason
            self.tag = String(tag)
            return
        }
        return nil
    }

    /// The name with the number of the copy, 1 for the first one; the stem is cut if it would be too long.
    public func text(number: Int = 1) -> String {
        let end = " (\(reason.rawValue) \(tag)\(number > 1 ? " \(number)" : ""))"
        let room = Self.maximumBytes - end.utf8.count
        var suffix = suffix
        // A suffix that fills the name by itself is none.
        if suffix.utf8.count > room / 2 { suffix = "" }
        var stem = stem
        while stem.utf8.count + suffix.utf8.count > max(room, 1), !stem.isEmpty { stem.removeLast() }
        return stem + end + suffix
    }

    /// What the file is called of which it is a copy.
    public var original: String { stem + suffix }

    /// When the copy was made, such as `2026-11-21T19:25Z`; `nil` where the tag is not one that Nacre makes.
    public var made: String? {
        let words = tag.split(separator: " ", maxSplits: 2)
        guard words.count == 3, Self.isDate(words[0]), words[1].utf8.count == 4,
            words[1].utf8.allSatisfy(Self.isDigit)
        else { return nil }
        return "\(words[0])T\(words[1].prefix(2)):\(words[1].suffix(2))Z"
    }

    private static func isDate(_ text: Substring) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        return parts.map(\.count) == [4, 2, 2] && parts.allSatisfy { $0.allSatisfy(isDigit) }
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    /// Whether the copy was made by a device, by what its tag says.
    public func isMade(by device: String) -> Bool {
        guard made != nil else { return false }
        // After a date and a time; a number may follow.
        let words = tag.split(separator: " ", maxSplits: 2)
        guard let maker = words.last, maker.hasPrefix(device.asConflictDevice) else { return false }
        let rest = maker.dropFirst(device.asConflictDevice.count)
        return rest.isEmpty || rest.first == " " && rest.dropFirst().utf8.allSatisfy(Self.isDigit)
    }

    private static func split(_ name: String) -> (stem: String, suffix: String) {
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return (name, "") }
        return (String(name[..<dot]), String(name[dot...]))
    }

    private static func lastRange(of part: String, in text: String) -> Range<String.Index>? {
        var end = text.endIndex
        while end > text.startIndex {
            let start = text.index(before: end)
            if text[start...].hasPrefix(part) { return start..<text.index(start, offsetBy: part.count) }
            end = start
        }
        return nil
    }
}

extension String {
    /// A name of a device as it may stand in a file name.
    public var asConflictDevice: String {
        let allowed = unicodeScalars.filter {
            $0.value >= 0x20 && !"/\\:*?\"<>|()".unicodeScalars.contains($0)
        }
        var text = String(String.UnicodeScalarView(allowed))
        while text.utf8.count > 40 { text.removeLast() }
        return text.isEmpty ? "device" : text
    }
}
