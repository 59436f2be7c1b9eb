import Multiformats

extension FuzzTarget {
    /// Varints one after the other, up to the first that is refused.
    static let varint = FuzzTarget("varint") { input in
        checkRoundTrip(input)
        let bytes = input.span.bytes
        var offset = 0
        while offset < input.count {
            let start = offset
            let value: UInt64
            do {
                value = try Varint.decode(bytes, at: &offset)
            } catch {
                require(offset == start, "a refused varint moves nothing")
                throw error
            }
            require((1...Varint.maximumBytes).contains(offset - start), "a varint has one to nine bytes")
            var again: [UInt8] = []
            Varint.append(value, to: &again)
            require(again[...] == input[start..<offset], "a varint has one form")
            require(Varint.size(of: value) == again.count, "the size is known beforehand")
            for end in start..<offset {
                var place = start
                let cut = bytes.extracting(0..<end)
                do throws(VarintError) {
                    _ = try Varint.decode(cut, at: &place)
                    require(false, "a varint that is cut off is refused")
                } catch {
                    require(error == .truncated, "a varint that is cut off is truncated")
                }
            }
        }
    }

    /// The input as a number goes there and back.
    private static func checkRoundTrip(_ input: [UInt8]) {
        let number = input.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) } & (1 << 63 - 1)
        var bytes: [UInt8] = []
        Varint.append(number, to: &bytes)
        var offset = 0
        let span = bytes.span.bytes
        let back = try? Varint.decode(span, at: &offset)
        require(back == number && offset == bytes.count, "every number of 63 bits goes there and back")
    }
}
