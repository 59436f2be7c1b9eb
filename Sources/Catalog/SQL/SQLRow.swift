/// One row of a result. Columns are read by position, in the order of the `SELECT`.
package struct SQLRow: Sendable {
    package let values: [SQLValue]

    package init(_ values: [SQLValue]) { self.values = values }

    /// - Throws: `unexpectedColumn`, also for null.
    package func integer(_ column: Int) throws(CatalogError) -> Int64 {
        guard case .integer(let number) = values[column] else { throw unexpected(column, "an integer") }
        return number
    }

    /// - Throws: `unexpectedColumn` for anything but an integer or null.
    package func optionalInteger(_ column: Int) throws(CatalogError) -> Int64? {
        values[column] == .null ? nil : try integer(column)
    }

    /// - Throws: `unexpectedColumn`, also for null.
    package func text(_ column: Int) throws(CatalogError) -> String {
        guard case .text(let text) = values[column] else { throw unexpected(column, "a text") }
        return text
    }

    /// - Throws: `unexpectedColumn` for anything but a text or null.
    package func optionalText(_ column: Int) throws(CatalogError) -> String? {
        values[column] == .null ? nil : try text(column)
    }

    /// - Throws: `unexpectedColumn`, also for null.
    package func blob(_ column: Int) throws(CatalogError) -> [UInt8] {
        guard case .blob(let bytes) = values[column] else { throw unexpected(column, "bytes") }
        return bytes
    }

    /// - Throws: `unexpectedColumn` for anything but bytes or null.
    package func optionalBlob(_ column: Int) throws(CatalogError) -> [UInt8]? {
        values[column] == .null ? nil : try blob(column)
    }

    private func unexpected(_ column: Int, _ expected: String) -> CatalogError {
        .unexpectedColumn(column, expected: expected)
    }
}
