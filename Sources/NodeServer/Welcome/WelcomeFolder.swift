import BlockStorage
import Catalog
public import Multiformats
public import NodeCore

/// A small published folder for a node that holds nothing yet, so that there is a link to open.
///
/// The same in every node of a version, and so with the same CID.
public enum WelcomeFolder {
    /// The name of its pin.
    public static let pinName = "welcome"

    /// Adds the folder and pins it as public, unless the node holds anything.
    ///
    /// - Returns: the root, or `nil` if it was not added.
    public static func add(to node: StorageNode) throws -> CID? {
        guard node.store.statistics().blocks == 0, try node.catalog.pins.counters().pins == 0 else {
            return nil
        }
        let lease = try node.beginLease()
        defer { lease.end() }
        var options = ImportOptions(threads: 1)
        options.scope.insert(.public)
        let importer = Importer(store: node.store, options: options)
        let notes = try importer.wrap(
            try [
                entry("first.txt", WelcomeText.firstNote, importer),
                entry("second.txt", WelcomeText.secondNote, importer),
            ])
        let root = try importer.wrap(
            try [
                entry("index.html", WelcomeText.page, importer),
                entry("pearl.svg", WelcomeText.pearl, importer),
                ImportedEntry(
                    name: Array("notes".utf8), kind: .directory, cid: notes.cid,
                    contentBytes: notes.contentBytes, dagBytes: notes.dagBytes),
            ])
        try node.store.commit()
        _ = try node.pin(root.cid, name: pinName, visibility: .public)
        return root.cid
    }

    private static func entry(_ name: String, _ text: String, _ importer: Importer) throws -> ImportedEntry {
        var rest = Array(text.utf8)[...]
        return try importer.add(streamNamed: Array(name.utf8)) { target in
            let part = rest.prefix(target.count)
            target.copyBytes(from: part)
            rest = rest.dropFirst(part.count)
            return part.count
        }
    }
}
