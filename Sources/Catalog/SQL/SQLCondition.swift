/// A `WHERE` clause that grows: terms joined by `AND`, values numbered as they come.
package struct SQLCondition {
    package private(set) var values: [SQLValue]
    private var terms: [String] = []

    /// - Parameter values: what `$1` and following stand for already.
    package init(values: [SQLValue] = []) { self.values = values }

    /// Takes a value and returns its placeholder.
    package mutating func bind(_ value: SQLValue) -> String {
        values.append(value)
        return "$\(values.count)"
    }

    /// Adds a term, in which `?` stands for the value.
    package mutating func require(_ term: String, _ value: SQLValue) {
        let placeholder = bind(value)
        terms.append(
            term.split(separator: "?", omittingEmptySubsequences: false).joined(separator: placeholder))
    }

    /// Adds `column IN (…)`; no value at all means no row.
    package mutating func require(_ column: String, in choices: [SQLValue]) {
        let placeholders = choices.map { bind($0) }.joined(separator: ", ")
        terms.append(choices.isEmpty ? "1 = 0" : "\(column) IN (\(placeholders))")
    }

    /// Adds the condition that the text in `column` begins with `prefix`, as a range that an index serves.
    package mutating func require(_ column: String, startsWith prefix: String) {
        guard !prefix.isEmpty else { return }
        require("\(column) >= ?", .text(prefix))
        if let end = Self.firstText(after: prefix) { require("\(column) < ?", .text(end)) }
    }

    /// The clause with a leading space, or nothing.
    package var clause: String { terms.isEmpty ? "" : " WHERE " + terms.joined(separator: " AND ") }

    /// The first text, in the order of UTF-8 bytes, that is greater than every text with this prefix.
    static func firstText(after prefix: String) -> String? {
        var scalars = Array(prefix.unicodeScalars)
        while let last = scalars.popLast() {
            // Surrogates are no scalars: what follows U+D7FF is U+E000.
            let next = last.value == 0xD7FF ? 0xE000 : last.value + 1
            guard let scalar = Unicode.Scalar(next) else { continue }
            scalars.append(scalar)
            var text = String.UnicodeScalarView()
            text.append(contentsOf: scalars)
            return String(text)
        }
        return nil
    }
}
