import Multiformats

extension FuzzTarget {
    /// The input as a text of some base, and as bytes that go through all bases.
    static let multibase = FuzzTarget("multibase") { input in
        // There are two dozen bases; a few bytes reach all that encoding does.
        let some = Array(input.prefix(24))
        for base in MultibaseEncoding.all {
            let text = Multibase.encode(some, base)
            let (bytes, found) = must("what was encoded is read") { try Multibase.decode(text) }
            require(bytes == some && found == base, "bytes go there and back in every base")
        }
        guard let text = String(validating: input, as: UTF8.self) else { return }
        let (bytes, base) = try Multibase.decode(text)
        require(bytes.count <= text.utf8.count, "no text stands for more bytes than it has")
        let again = Array(Multibase.encode(bytes, base).utf8)
        if takesEitherCase(base) {
            require(lowercased(again) == lowercased(input), "only the case of letters may differ")
        } else {
            require(again == input, "bytes have one text in a base")
        }
        let (back, _) = must("what was encoded is read") {
            try Multibase.decode(Multibase.encode(bytes, base))
        }
        require(back == bytes, "what was read goes there and back")
    }

    private static func takesEitherCase(_ base: MultibaseEncoding) -> Bool {
        base != .base32Z && ["base16", "base32", "base36"].contains { base.name.hasPrefix($0) }
    }

    private static func lowercased(_ text: [UInt8]) -> [UInt8] {
        text.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
    }
}
