import Foundation
import Multiformats

/// Pins as rows of the table `pins`, and back.
enum PinRow {
    /// The columns in the order in which they are read and written.
    static let columns = """
        id, owner, root, name, visibility, status, created, updated, content_bytes, block_count, \
        block_bytes, import_parameters, meta, seal
        """
    static let placeholders = (1...14).map { "$\($0)" }.joined(separator: ", ")

    /// - Throws: `nameTooLong`, `nameContainsNUL`, `metaTooLarge`.
    static func values(_ pin: Pin) throws -> [SQLValue] {
        for name in [pin.name, pin.owner.rawValue] {
            guard name.utf8.count <= Pin.maximumNameBytes else {
                throw CatalogError.nameTooLong(bytes: name.utf8.count, maximum: Pin.maximumNameBytes)
            }
        }
        // PostgreSQL has no NUL in texts.
        for text in [pin.name, pin.owner.rawValue, pin.importParameters] where text.utf8.contains(0) {
            throw CatalogError.nameContainsNUL
        }
        let fields: [SQLValue] = [
            .text(pin.id.text), .text(pin.owner.rawValue), .blob(pin.root.bytes), .text(pin.name),
            .text(pin.visibility.rawValue), .text(pin.status.rawValue), .integer(pin.created),
            .integer(pin.updated), .optional(pin.figures.contentBytes), .optional(pin.figures.blockCount),
            .optional(pin.figures.blockBytes), .text(pin.importParameters), .text(try json(pin.meta)),
        ]
        return fields + [.integer(RowSeal.over(fields))]
    }

    /// - Throws: `damagedRow` if the fields do not fit the seal, or are none of a pin.
    static func pin(_ row: SQLRow) throws(CatalogError) -> Pin {
        guard row.values.last == .integer(RowSeal.over(Array(row.values.dropLast()))) else {
            throw damaged(row)
        }
        do {
            guard let visibility = PinVisibility(rawValue: try row.text(4)),
                let status = PinStatus(rawValue: try row.text(5))
            else { throw damaged(row) }
            return Pin(
                id: try PinID(text: row.text(0)), owner: ProjectID(rawValue: try row.text(1)),
                root: try CID(bytes: row.blob(2)), name: try row.text(3), visibility: visibility,
                status: status,
                created: try row.integer(6), updated: try row.integer(7),
                figures: PinFigures(
                    contentBytes: try row.optionalInteger(8), blockCount: try row.optionalInteger(9),
                    blockBytes: try row.optionalInteger(10)),
                importParameters: try row.text(11),
                meta: try JSONDecoder().decode([String: String].self, from: Data(try row.text(12).utf8)))
        } catch {
            // The seal was right, so the row was written like this; it is no use as a pin all the same.
            throw damaged(row)
        }
    }

    private static func damaged(_ row: SQLRow) -> CatalogError {
        .damagedRow(table: "pins", key: (try? row.text(0)) ?? "without an id")
    }

    private static func json(_ meta: [String: String]) throws -> String {
        guard !meta.isEmpty else { return "{}" }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let data = try encoder.encode(meta)
        guard data.count <= Pin.maximumMetaBytes else {
            throw CatalogError.metaTooLarge(bytes: data.count, maximum: Pin.maximumMetaBytes)
        }
        return String(decoding: data, as: UTF8.self)
    }
}
