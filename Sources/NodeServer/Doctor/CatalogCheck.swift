import Catalog
import Glibc
import NodeCore

/// Whether the catalog can be opened, and whether this program knows its schema.
struct CatalogCheck {
    let directory: String
    let configuration: Configuration

    func finding() -> Finding {
        do {
            if let url = configuration.catalogURL { return try server(url) }
            guard access(directory + "/VERSION", F_OK) == 0 else {
                return .ok("catalog", "the first start makes it")
            }
            return try file(directory + "/" + CatalogDatabase.fileName)
        } catch {
            return .fail("catalog", "\(error)", advice: advice(for: error))
        }
    }

    private func file(_ path: String) throws -> Finding {
        guard let inspection = try CatalogDatabase.inspect(path: path) else {
            return .fail(
                "catalog", "\(path) is not there",
                advice: "put it back from a backup; docs/how-to/repair.md says what else can be done")
        }
        return .ok("catalog", "SQLite, " + Self.schema(inspection))
    }

    private func server(_ url: PostgreSQLURL) throws -> Finding {
        var options = PostgreSQLOptions()
        options.connectTimeout = .seconds(5)
        let inspection = try CatalogDatabase.inspect(server: url, options: options)
        return .ok("catalog", "PostgreSQL \(inspection.serverVersion ?? ""), " + Self.schema(inspection))
    }

    private static func schema(_ inspection: CatalogInspection) -> String {
        inspection.schema == inspection.newestSchema
            ? "schema \(inspection.schema)"
            : "schema \(inspection.schema), which the next start brings to \(inspection.newestSchema)"
    }

    private func advice(for error: any Error) -> String {
        switch error {
        case CatalogError.newerSchema: "install the version of Nacre that wrote it"
        case CatalogError.damaged, CatalogError.schemaIncomplete:
            "put it back from a backup; docs/how-to/repair.md says what else can be done"
        case CatalogError.cannotOpen where configuration.catalogURL != nil:
            "mend catalog.url, or start the server; docs/how-to/postgresql.md"
        default: "look at the file and its rights"
        }
    }
}
