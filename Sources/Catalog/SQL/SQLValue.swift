/// A value that goes into a statement or comes out of a row.
package enum SQLValue: Hashable, Sendable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    case blob([UInt8])

    /// An integer, or null.
    package static func optional(_ number: Int64?) -> SQLValue { number.map { .integer($0) } ?? .null }

    /// A text, or null.
    package static func optional(_ text: String?) -> SQLValue { text.map { .text($0) } ?? .null }
}
