/// One base of the multibase table: its prefix, alphabet and way of encoding.
public struct MultibaseEncoding: Hashable, Sendable {
    /// As in the table: `base32`, `base58btc`.
    public let name: String
    let prefix: [UInt8]
    let alphabet: [UInt8]
    let method: Method
    let padding: Bool
    /// The value of each character, 255 where it has none.
    let values: [UInt8]

    enum Method: Hashable, Sendable {
        /// Each character carries so many bits, most significant first.
        case bits(Int)
        /// The bytes are one large number.
        case radix
        case base45
        case base256Emoji
    }

    public static func == (a: MultibaseEncoding, b: MultibaseEncoding) -> Bool { a.prefix == b.prefix }
    public func hash(into hasher: inout Hasher) { hasher.combine(prefix) }

    /// The base of this name, if it is in the table.
    public init?(named name: String) {
        guard let found = Self.all.first(where: { $0.name == name }) else { return nil }
        self = found
    }

    /// The base whose prefix begins the text, if any.
    init?(beginning text: ArraySlice<UInt8>) {
        guard let found = Self.all.first(where: { text.starts(with: $0.prefix) }) else { return nil }
        self = found
    }

    private init(
        _ name: String, _ prefix: String, _ alphabet: String, _ method: Method, padding: Bool = false,
        anyCase: Bool = false
    ) {
        self.name = name
        self.prefix = Array(prefix.utf8)
        self.alphabet = Array(alphabet.utf8)
        self.method = method
        self.padding = padding
        var values = [UInt8](repeating: 255, count: 256)
        for (value, character) in self.alphabet.enumerated() {
            values[Int(character)] = UInt8(value)
            let isLetter = (character | 0x20) >= 0x61 && (character | 0x20) <= 0x7A
            if anyCase && isLetter { values[Int(character ^ 0x20)] = UInt8(value) }
        }
        self.values = values
    }

    public static let base2 = MultibaseEncoding("base2", "0", "01", .bits(1))
    public static let base8 = MultibaseEncoding("base8", "7", "01234567", .bits(3))
    public static let base10 = MultibaseEncoding("base10", "9", digits, .radix)
    public static let base16 = MultibaseEncoding("base16", "f", digits + "abcdef", .bits(4), anyCase: true)
    public static let base16Upper = MultibaseEncoding(
        "base16upper", "F", digits + "ABCDEF", .bits(4), anyCase: true)
    public static let base32 = MultibaseEncoding("base32", "b", letters + "234567", .bits(5), anyCase: true)
    public static let base32Upper = MultibaseEncoding(
        "base32upper", "B", upperLetters + "234567", .bits(5), anyCase: true)
    public static let base32Pad = MultibaseEncoding(
        "base32pad", "c", letters + "234567", .bits(5), padding: true, anyCase: true)
    public static let base32PadUpper = MultibaseEncoding(
        "base32padupper", "C", upperLetters + "234567", .bits(5), padding: true, anyCase: true)
    public static let base32Hex = MultibaseEncoding(
        "base32hex", "v", digits + "abcdefghijklmnopqrstuv", .bits(5), anyCase: true)
    public static let base32HexUpper = MultibaseEncoding(
        "base32hexupper", "V", digits + "ABCDEFGHIJKLMNOPQRSTUV", .bits(5), anyCase: true)
    public static let base32HexPad = MultibaseEncoding(
        "base32hexpad", "t", digits + "abcdefghijklmnopqrstuv", .bits(5), padding: true, anyCase: true)
    public static let base32HexPadUpper = MultibaseEncoding(
        "base32hexpadupper", "T", digits + "ABCDEFGHIJKLMNOPQRSTUV", .bits(5), padding: true, anyCase: true)
    public static let base32Z = MultibaseEncoding(
        "base32z", "h", "ybndrfg8ejkmcpqxot1uwisza345h769", .bits(5))
    public static let base36 = MultibaseEncoding("base36", "k", digits + letters, .radix, anyCase: true)
    public static let base36Upper = MultibaseEncoding(
        "base36upper", "K", digits + upperLetters, .radix, anyCase: true)
    public static let base45 = MultibaseEncoding("base45", "R", digits + upperLetters + " $%*+-./:", .base45)
    public static let base58BTC = MultibaseEncoding(
        "base58btc", "z", "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", .radix)
    public static let base58Flickr = MultibaseEncoding(
        "base58flickr", "Z", "123456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ", .radix)
    public static let base64 = MultibaseEncoding(
        "base64", "m", upperLetters + letters + digits + "+/", .bits(6))
    public static let base64Pad = MultibaseEncoding(
        "base64pad", "M", upperLetters + letters + digits + "+/", .bits(6), padding: true)
    public static let base64URL = MultibaseEncoding(
        "base64url", "u", upperLetters + letters + digits + "-_", .bits(6))
    public static let base64URLPad = MultibaseEncoding(
        "base64urlpad", "U", upperLetters + letters + digits + "-_", .bits(6), padding: true)
    public static let base256Emoji = MultibaseEncoding("base256emoji", "🚀", "", .base256Emoji)

    /// Every base of the table that encodes bytes, in the order of the table.
    public static let all: [MultibaseEncoding] = [
        base2, base8, base10, base16, base16Upper, base32Hex, base32HexUpper, base32HexPad, base32HexPadUpper,
        base32, base32Upper, base32Pad, base32PadUpper, base32Z, base36, base36Upper, base45, base58BTC,
        base58Flickr, base64, base64Pad, base64URL, base64URLPad, base256Emoji,
    ]

    /// The prefix as a person sees it.
    public var prefixText: String { String(decoding: prefix, as: UTF8.self) }

    private static let digits = "0123456789"
    private static let letters = "abcdefghijklmnopqrstuvwxyz"
    private static let upperLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
}
