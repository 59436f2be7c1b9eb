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

    private mutating func add(number: UInt64) {
        for shift in stride(from: UInt64(0), to: 64, by: 8) {
            add(byte: UInt8(truncatingIfNeeded: number >> shift))
        }
    }

    private mutating func add(byte: UInt8) { state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
}
