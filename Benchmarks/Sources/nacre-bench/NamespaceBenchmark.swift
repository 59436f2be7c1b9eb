import Catalog
import Digests
import Foundation
import Harness
import Multiformats
import Namespaces
import TreeValues

/// What does it cost to bring a tree of many files back to an earlier version?
enum NamespaceBenchmark {
    static func run(_ settings: Settings, _ report: inout Report) throws {
        let directory = settings.directory + "/namespaces"
        try? FileManager.default.removeItem(atPath: directory)
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let count = settings.isQuick ? 10_000 : 100_000
        let catalog = try CatalogDatabase(path: directory + "/catalog.sqlite")
        defer { try? catalog.close() }
        try restore(count, NamespaceStore(catalog: catalog), &report)
    }

    private static func restore(_ count: Int, _ store: NamespaceStore, _ report: inout Report) throws {
        let author = ChangeAuthor(user: "bench", device: "bench")
        let root = try store.create("files", project: .default).root
        let folders = try (0..<100).map { number in
            let place = JournalEntry.Place(parent: root, name: "folder \(number)")
            return try done(.makeDirectory(at: place, node: nil, .init()), store, author)
        }
        var nodes: [TreeNode] = []
        try change(count, store, author, { nodes.append($0) }) { number in
            let place = JournalEntry.Place(parent: folders[number % 100].id, name: "file \(number).txt")
            return .put(.init(try content(number), place: place))
        }
        let before = try store.namespace("files")
        try change(count, store, author, { _ in }) { number in
            let node = nodes[number]
            return .put(.init(try content(count + number), node: node.id, base: node.contentRevision))
        }
        let start = ContinuousClock().now
        let result = try store.restore(before.id, asOf: before.head, author: author)
        let seconds = (ContinuousClock().now - start).inSeconds
        let after = try store.namespace("files")
        guard result.entries == count, after.bytes == before.bytes, after.nodes == before.nodes,
            try store.node(nodes[count / 2].id, in: after)?.content == nodes[count / 2].content
        else { throw BenchmarkError.wrongResult }
        let reach = count == 100_000 ? 1 : 0.1
        report.addValue(
            "namespaces", "restore of \(count) files to an earlier version", seconds, unit: "s",
            reach: "under \(reach)", isReached: seconds < reach)
    }

    /// Makes so many changes, a thousand in each transaction.
    private static func change(
        _ count: Int, _ store: NamespaceStore, _ author: ChangeAuthor, _ body: (TreeNode) -> Void,
        _ make: (Int) throws -> TreeChange
    ) throws {
        let id = try store.namespace("files").id
        for start in stride(from: 0, to: count, by: 1000) {
            let operations = try (start..<min(start + 1000, count)).map { TreeOperation(try make($0)) }
            for outcome in try store.commit(operations, to: id, author: author).outcomes {
                guard case .done(let node, _) = outcome else { throw BenchmarkError.wrongResult }
                body(node)
            }
        }
    }

    private static func done(
        _ change: TreeChange, _ store: NamespaceStore, _ author: ChangeAuthor
    ) throws -> TreeNode {
        let id = try store.namespace("files").id
        let outcome = try store.commit([TreeOperation(change)], to: id, author: author).outcomes.first
        guard case .done(let node, _)? = outcome else { throw BenchmarkError.wrongResult }
        return node
    }

    private static func content(_ number: Int) throws -> NodeContent {
        let bytes = withUnsafeBytes(of: number.littleEndian) { Array($0) }
        return .file(try CID(hashing: bytes, codec: .raw), bytes: Int64(bytes.count))
    }
}
