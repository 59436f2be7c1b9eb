/// A checksum over the fields of a row, kept in the row.
///
/// SQLite checks the shape of its pages, not their contents: a flipped bit in a root CID would otherwise
/// come back as another root. 64-bit FNV-1a: any change within one byte is found for certain, any other
/// but for one in 2^64. It guards against accidents, not against people.
package struct RowSeal {
    private var state: UInt64 = 0xCBF2_9CE4_8422_2325

    package init() {}

    /// The seal of a row.
    package static func over(_ fields: [SQLValue]) -> Int64 {
        var seal = RowSeal()
        for field in fields { seal.add(field) }
        return Int64(bitPattern: seal.state)
    }

    /// The seal of what was added.
    package var value: Int64 { Int64(bitPattern: state) }

    private mutating func add(_ field: SQLValue) {
        switch field {
        case .null: addNull()
        case .integer(let number): add(integer: number)
        case .real(let number): add(real: number)
        case .text(var text): text.withUTF8 { add(text: UnsafeRawBufferPointer($0)) }
        case .blob(let bytes): bytes.withUnsafeBytes { add(blob: $0) }
        }
    }

    mutating func addNull() { add(byte: 0) }

    mutating func add(integer: Int64) {
        add(byte: 1)
        add(number: UInt64(bitPattern: integer))
    }

    mutating func add(real: Double) {
        add(byte: 2)
        add(number: real.bitPattern)
    }

    mutating func add(text: UnsafeRawBufferPointer) {
        // The length goes first, so that no two lists of fields read the same.
        add(byte: 3)
        add(number: UInt64(text.count))
        for byte in text { add(byte: byte) }
    }

    mutating func add(blob: UnsafeRawBufferPointer) {
        add(byte: 4)
        add(number: UInt64(blob.count))
        for byte in blob { add(byte: byte) }
    }

    /// Little-endian. Most numbers are small: each zero above takes part as one multiplication by the prime,
    /// and all of them as one by a power of it.
    private mutating func add(number: UInt64) {
        var rest = number
        var zeros = 8
        while rest != 0 {
            add(byte: UInt8(truncatingIfNeeded: rest))
            rest >>= 8
            zeros -= 1
        }
        state = state &* Self.powers[zeros]
    }

    /// The powers of the prime, from that to 0 on. As literals, so that nothing is asked before each use.
    private static let powers: InlineArray<9, UInt64> = [
        0x0000_0000_0000_0001, 0x0000_0100_0000_01B3, 0x0003_6600_0002_E329,
        0x08A9_7B00_04E7_FEAB, 0x9FFA_AC08_5635_BC91, 0x0CAE_E32A_7D4F_6A63,
        0xDC96_6432_EDF1_C639, 0xC552_7B8A_51D3_D2DB, 0x1EFA_C709_0AEF_4A21,
    ]

    private static let prime: UInt64 = 0x0000_0100_0000_01B3

    private mutating func add(byte: UInt8) { state = (state ^ UInt64(byte)) &* Self.prime }
}
