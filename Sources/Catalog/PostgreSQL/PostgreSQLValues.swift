import CPostgreSQL

/// Values as the binary forms of PostgreSQL, and back.
///
/// Spec: PostgreSQL 15, 55.2.3 "Extended Query"; the forms themselves are those of the `*_send` functions.
enum PostgreSQLType {
    static let boolean: Oid = 16
    static let bytea: Oid = 17
    static let name: Oid = 19
    static let int8: Oid = 20
    static let int2: Oid = 21
    static let int4: Oid = 23
    static let text: Oid = 25
    static let oid: Oid = 26
    static let float4: Oid = 700
    static let float8: Oid = 701
    static let blankPadded: Oid = 1042
    static let varchar: Oid = 1043
    static let numeric: Oid = 1700
    static let void: Oid = 2278
}

/// Parameters of one statement, laid out for libpq: all bytes in one buffer.
struct PostgreSQLParameters {
    private var bytes: [UInt8] = []
    private var ranges: [Range<Int>?] = []
    private(set) var types: [Oid] = []

    init(_ values: [SQLValue]) {
        ranges.reserveCapacity(values.count)
        types.reserveCapacity(values.count)
        for value in values { append(value) }
    }

    var count: Int { ranges.count }

    private mutating func append(_ value: SQLValue) {
        let start = bytes.count
        switch value {
        case .null:
            ranges.append(nil)
            // The server finds the type by where the value stands.
            types.append(0)
            return
        case .integer(let number):
            withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
            types.append(PostgreSQLType.int8)
        case .real(let number):
            withUnsafeBytes(of: number.bitPattern.bigEndian) { bytes.append(contentsOf: $0) }
            types.append(PostgreSQLType.float8)
        case .text(let text):
            bytes.append(contentsOf: text.utf8)
            types.append(PostgreSQLType.text)
        case .blob(let blob):
            bytes.append(contentsOf: blob)
            types.append(PostgreSQLType.bytea)
        }
        ranges.append(start..<bytes.count)
        // An empty value needs an address as well, which null has not.
        if start == bytes.count { bytes.append(0) }
    }

    /// Gives the arrays that libpq takes to `body`: addresses, lengths, formats (all binary).
    func withPointers<R>(
        _ body: (UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?, UnsafePointer<Int32>?) -> R
    ) -> R {
        bytes.withUnsafeBytes { buffer in
            let addresses = ranges.map { range in
                range.flatMap { buffer.baseAddress?.advanced(by: $0.lowerBound) }?
                    .assumingMemoryBound(to: CChar.self)
            }
            let lengths = ranges.map { Int32(clamping: $0?.count ?? 0) }
            let formats = [Int32](repeating: 1, count: ranges.count)
            return addresses.withUnsafeBufferPointer { addresses in
                lengths.withUnsafeBufferPointer { lengths in
                    formats.withUnsafeBufferPointer { formats in
                        body(addresses.baseAddress, lengths.baseAddress, formats.baseAddress)
                    }
                }
            }
        }
    }
}

extension SQLRow {
    /// Row `row` of a result in binary form.
    ///
    /// - Throws: `unexpectedColumn` for a type that no statement of the catalog gives.
    init(_ result: OpaquePointer, row: Int32) throws(CatalogError) {
        var values: [SQLValue] = []
        let columns = PQnfields(result)
        values.reserveCapacity(Int(columns))
        for column in 0..<columns {
            guard PQgetisnull(result, row, column) == 0, let start = PQgetvalue(result, row, column) else {
                values.append(.null)
                continue
            }
            let bytes = UnsafeRawBufferPointer(start: start, count: Int(PQgetlength(result, row, column)))
            guard let value = SQLValue(postgreSQL: PQftype(result, column), bytes) else {
                throw .unexpectedColumn(Int(column), expected: "of a type that the catalog knows")
            }
            values.append(value)
        }
        self.init(values)
    }
}

extension SQLValue {
    /// The value of these bytes, if the type is known and they have its length.
    init?(postgreSQL type: Oid, _ bytes: UnsafeRawBufferPointer) {
        switch type {
        case PostgreSQLType.int8:
            guard let number = Self.number(bytes, Int64.self) else { return nil }
            self = .integer(number)
        case PostgreSQLType.int4:
            guard let number = Self.number(bytes, Int32.self) else { return nil }
            self = .integer(Int64(number))
        case PostgreSQLType.int2:
            guard let number = Self.number(bytes, Int16.self) else { return nil }
            self = .integer(Int64(number))
        case PostgreSQLType.oid:
            guard let number = Self.number(bytes, UInt32.self) else { return nil }
            self = .integer(Int64(number))
        case PostgreSQLType.boolean:
            guard bytes.count == 1 else { return nil }
            self = .integer(bytes[0] == 0 ? 0 : 1)
        case PostgreSQLType.float8:
            guard let bits = Self.number(bytes, UInt64.self) else { return nil }
            self = .real(Double(bitPattern: bits))
        case PostgreSQLType.float4:
            guard let bits = Self.number(bytes, UInt32.self) else { return nil }
            self = .real(Double(Float(bitPattern: bits)))
        case PostgreSQLType.bytea: self = .blob(Array(bytes))
        case PostgreSQLType.text, PostgreSQLType.varchar, PostgreSQLType.name, PostgreSQLType.blankPadded:
            self = .text(String(decoding: bytes, as: UTF8.self))
        case PostgreSQLType.numeric:
            guard let number = Self.wholeNumber(bytes) else { return nil }
            self = .integer(number)
        case PostgreSQLType.void: self = .null
        default: return nil
        }
    }

    private static func number<N: FixedWidthInteger>(_ bytes: UnsafeRawBufferPointer, _: N.Type) -> N? {
        guard bytes.count == MemoryLayout<N>.size else { return nil }
        return N(bigEndian: bytes.loadUnaligned(as: N.self))
    }

    /// A `numeric` without a fraction, which is what sums of integers are. Four fields of 16 bits (digits,
    /// weight of the first, sign, scale), then digits to the base of 10,000.
    private static func wholeNumber(_ bytes: UnsafeRawBufferPointer) -> Int64? {
        guard bytes.count >= 8, bytes.count % 2 == 0 else { return nil }
        func field(_ index: Int) -> Int {
            Int(Int16(bigEndian: bytes.loadUnaligned(fromByteOffset: index * 2, as: Int16.self)))
        }
        let (count, weight, sign) = (field(0), field(1), field(2))
        guard count >= 0, bytes.count == 8 + count * 2, weight >= count - 1, weight <= 4,
            sign == 0 || sign == 0x4000
        else { return count == 0 && sign == 0 ? 0 : nil }
        var result: Int64 = 0
        for place in 0..<(count == 0 ? 0 : weight + 1) {
            let digit = Int64(place < count ? field(4 + place) : 0)
            let (shifted, overflow) = result.multipliedReportingOverflow(by: 10_000)
            let (sum, carried) = shifted.addingReportingOverflow(sign == 0 ? digit : -digit)
            guard !overflow, !carried else { return nil }
            result = sum
        }
        return result
    }
}
