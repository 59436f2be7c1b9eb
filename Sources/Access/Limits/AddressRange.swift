/// A range of addresses: `10.0.0.0/8`, `2001:db8::/32`, or one address.
public struct AddressRange: Hashable, Sendable {
    /// The first address.
    public let base: IPAddress
    /// How many of the 128 bits are fixed.
    let length: Int

    /// Reads an address, or an address with the length of its prefix.
    ///
    /// - Throws: `invalidAddressRange`, also where bits behind the prefix are set: then something else was meant.
    public init(text: String) throws(AccessError) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let base = parts.first.flatMap({ IPAddress(String($0)) }) else {
            throw .invalidAddressRange(String(text.prefix(64)))
        }
        let isIPv4 = base.isIPv4 && !parts[0].contains(":")
        var length = 128
        if parts.count == 2 {
            guard parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), parts[1].utf8.count <= 3,
                let given = Int(parts[1]), given <= (isIPv4 ? 32 : 128)
            else { throw .invalidAddressRange(String(text.prefix(64))) }
            length = isIPv4 ? given + 96 : given
        }
        guard base.prefix(length) == base else { throw .invalidAddressRange(String(text.prefix(64))) }
        self.base = base
        self.length = length
    }

    /// Whether the address lies in the range.
    public func contains(_ address: IPAddress) -> Bool { address.prefix(length) == base }

    /// Whether every address of `other` lies in the range.
    public func contains(_ other: AddressRange) -> Bool { other.length >= length && contains(other.base) }
}

extension AddressRange: CustomStringConvertible {
    /// The form that is read, always with a length unless it is one address.
    public var description: String {
        if length == 128 { return base.description }
        return base.isIPv4 && length >= 96 ? "\(base)/\(length - 96)" : "\(base)/\(length)"
    }
}
