import TestKit
import Testing

@testable import Catalog

/// The seal of a row against FNV-1a, byte by byte as its definition has it.
@Suite struct RowSealTests {
    private func reference(_ bytes: [UInt8]) -> Int64 {
        var state: UInt64 = 14_695_981_039_346_656_037
        for byte in bytes { state = (state ^ UInt64(byte)) &* 1_099_511_628_211 }
        return Int64(bitPattern: state)
    }

    private func encoded(_ field: SQLValue) -> [UInt8] {
        func eight(_ number: UInt64) -> [UInt8] {
            (0..<8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
        }
        return switch field {
        case .null: [0]
        case .integer(let number): [1] + eight(UInt64(bitPattern: number))
        case .real(let number): [2] + eight(number.bitPattern)
        case .text(let text): [3] + eight(UInt64(text.utf8.count)) + Array(text.utf8)
        case .blob(let bytes): [4] + eight(UInt64(bytes.count)) + bytes
        }
    }

    /// Of "foobar", from the authors' test vectors (isthe.com/chongo/src/fnv, test_fnv.c): 85944171f73967e8.
    @Test func theReferenceIsFNV1a() {
        #expect(UInt64(bitPattern: reference(Array("foobar".utf8))) == 0x8594_4171_F739_67E8)
    }

    @Test func numbersOfEveryLengthAreAsByteByByte() {
        var numbers: [Int64] = [0, 1, -1, .min, .max]
        for shift in 0..<63 { numbers += [1 << shift, (1 << shift) - 1, -(1 << shift), 0x55 << shift] }
        for number in numbers {
            let row: [SQLValue] = [.integer(number), .null, .real(Double(number)), .integer(7)]
            #expect(RowSeal.over(row) == reference(row.flatMap(encoded)), "\(number)")
        }
    }

    @Test(arguments: SeededRandom.seeds(20)) func rowsAreAsByteByByte(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for _ in 0..<50 {
            let row: [SQLValue] = (0..<random.number(0..<12)).map { _ in
                switch random.number(0..<5) {
                case 0: .null
                case 1: .integer(Int64(bitPattern: random.next() >> UInt64(random.number(0..<64))))
                case 2: .real(Double(bitPattern: random.next()))
                case 3: .text(String(repeating: "é", count: random.number(0..<300)))
                default:
                    .blob((0..<random.number(0..<300)).map { _ in UInt8(truncatingIfNeeded: random.next()) })
                }
            }
            #expect(RowSeal.over(row) == reference(row.flatMap(encoded)))
        }
    }
}
