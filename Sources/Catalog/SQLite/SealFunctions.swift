import GRDB
import GRDBSQLite

/// Functions of SQL that make and check the seals of rows where the rows are, so that a change of a hundred
/// thousand of them does not carry each value here and back.
///
/// - `row_seal(field, …)`: the seal of these fields.
/// - `is_sealed(table, field, …, seal)`: 1; the statement fails as on a damaged file if the seal is
///   another.
enum SealFunctions {
    static func register(in database: Database) throws {
        let flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS
        let handle = database.sqliteConnection
        let codes = [
            sqlite3_create_function_v2(
                handle, "row_seal", -1, flags, nil,
                { context, count, values in
                    let seal = SealFunctions.seal(values, 0..<Int(count))
                    sqlite3_result_int64(context, seal)
                }, nil, nil, nil),
            sqlite3_create_function_v2(
                handle, "is_sealed", -1, flags, nil,
                { context, count, values in SealFunctions.check(context, Int(count), values) },
                nil, nil, nil),
        ]
        for code in codes where code != SQLITE_OK {
            throw DatabaseError(resultCode: ResultCode(rawValue: code))
        }
    }

    private static func check(
        _ context: OpaquePointer?, _ count: Int, _ values: UnsafeMutablePointer<OpaquePointer?>?
    ) {
        guard let values, count >= 2 else {
            sqlite3_result_error(context, "is_sealed takes a table, fields and a seal", -1)
            return
        }
        guard seal(values, 1..<count - 1) != sqlite3_value_int64(values[count - 1]) else {
            sqlite3_result_int(context, 1)
            return
        }
        let table = sqlite3_value_text(values[0]).map { String(cString: $0) } ?? ""
        sqlite3_result_error(context, "a row of \(table) is not as it was written", -1)
        sqlite3_result_error_code(context, SQLITE_CORRUPT)
    }

    private static func seal(_ values: UnsafeMutablePointer<OpaquePointer?>?, _ range: Range<Int>) -> Int64 {
        var seal = RowSeal()
        guard let values else { return seal.value }
        for index in range {
            let value = values[index]
            switch sqlite3_value_type(value) {
            case SQLITE_INTEGER: seal.add(integer: sqlite3_value_int64(value))
            case SQLITE_FLOAT: seal.add(real: sqlite3_value_double(value))
            case SQLITE_TEXT:
                // First the bytes, then how many: the other way round the count may be of another encoding.
                let start = sqlite3_value_text(value)
                let count = Int(sqlite3_value_bytes(value))
                seal.add(text: UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count))
            case SQLITE_BLOB:
                let start = sqlite3_value_blob(value)
                let count = Int(sqlite3_value_bytes(value))
                seal.add(blob: UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count))
            default: seal.addNull()
            }
        }
        return seal.value
    }
}
