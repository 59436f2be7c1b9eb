/// Rows whose last column is the seal of the others.
enum SealedColumns {
    /// The fields with their seal behind them.
    static func values(_ fields: [SQLValue]) -> [SQLValue] { fields + [.integer(RowSeal.over(fields))] }

    /// `$1, $2, …` for so many columns.
    static func placeholders(_ count: Int) -> String {
        (1...count).map { "$\($0)" }.joined(separator: ", ")
    }

    /// Reads a row by `body`, after its seal was checked.
    ///
    /// - Parameter keyColumns: how many leading columns name the row in an error.
    /// - Throws: `damagedRow` if the seal does not fit, or if the fields make no value.
    static func read<Value>(
        _ row: SQLRow, table: String, keyColumns: Int = 1, _ body: (SQLRow) throws -> Value?
    ) throws(CatalogError) -> Value {
        if row.values.last == .integer(RowSeal.over(Array(row.values.dropLast()))),
            let value = try? body(row)
        {
            return value
        }
        let key = (0..<keyColumns).map { column in
            switch row.values.indices.contains(column) ? row.values[column] : .null {
            case .text(let text): text
            case .integer(let number): String(number)
            default: "?"
            }
        }
        throw .damagedRow(table: table, key: key.joined(separator: " "))
    }
}

/// What may stand in a column of text that people fill.
enum NameColumn {
    /// - Throws: `nameTooLong`, `nameContainsNUL`: PostgreSQL has no NUL in texts.
    static func check(_ text: String, maximumBytes: Int = 1024) throws(CatalogError) {
        guard text.utf8.count <= maximumBytes else {
            throw .nameTooLong(bytes: text.utf8.count, maximum: maximumBytes)
        }
        guard !text.utf8.contains(0) else { throw .nameContainsNUL }
    }

    /// With the letters A to Z as small ones: what `lower` makes of a column of texts, in any locale.
    static func caseless(_ text: String) -> String {
        String(decoding: text.utf8.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
    }
}
