import Access
import BlockStorage
import Catalog
import Foundation
import GatewayAPI
import Logging
import Multiformats
import NodeCore
import NodeServer
import Synchronization
import TestKit
import Testing

/// A server in this process, on a port of its own, over a node of its own that the test can reach into.
final class ServerLaboratory: Sendable {
    let directory: TemporaryDirectory
    let node: StorageNode
    let authority: Authority
    let port: UInt16

    private init(
        directory: TemporaryDirectory, node: StorageNode, authority: Authority, port: UInt16
    ) {
        self.directory = directory
        self.node = node
        self.authority = authority
        self.port = port
    }

    /// Runs a server for the time of `body`.
    static func serve(
        _ change: (inout ServerOptions) -> Void = { _ in },
        authority configure: (inout Authority.Options) -> Void = { _ in },
        _ body: @escaping @Sendable (ServerLaboratory) async throws -> Void
    ) async throws {
        let directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        let node = try StorageNode.open(directory.path("data"))
        var accessOptions = Authority.Options()
        configure(&accessOptions)
        let authority = try Authority.open(
            catalog: node.catalog, secrets: node.directory + "/" + Authority.directoryName,
            options: accessOptions)
        var options = ServerOptions(address: ListenAddress(host: "127.0.0.1", port: 0))
        options.metricsArePublic = true
        options.stopSeconds = 5
        change(&options)
        let (ports, listening) = AsyncStream.makeStream(of: UInt16.self)
        var logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        logger.logLevel = .info
        let server = try NodeServer(
            node: node, authority: authority, options: options, gateway: GatewayOptions(), logger: logger
        ) { listening.yield(UInt16($0.port)) }
        let outcome = try await withThrowingTaskGroup(of: Result<Void, any Error>?.self) { group in
            group.addTask {
                try await server.run()
                return nil
            }
            var iterator = ports.makeAsyncIterator()
            let port = try #require(await iterator.next())
            let laboratory = ServerLaboratory(
                directory: directory, node: node, authority: authority, port: port)
            group.addTask {
                do {
                    try await body(laboratory)
                    return .success(())
                } catch {
                    return .failure(error)
                }
            }
            while let result = try await group.next() {
                guard let result else { continue }
                group.cancelAll()
                while try await group.next() != nil {}
                return result
            }
            return .success(())
        }
        try authority.close()
        try node.close()
        try outcome.get()
    }

    /// Runs `body` with a connection, on a thread of its own: whoever waits for a socket must not hold up
    /// the tasks of the server, which run in the same process.
    func connect<R: Sendable>(
        receiveBuffer: Int32 = 0, _ body: @escaping @Sendable (HTTPConnection) throws -> R
    ) async throws -> R {
        let port = port
        return try await onThread { try body(HTTPConnection(port: port, receiveBuffer: receiveBuffer)) }
    }

    /// Runs what may wait for long on a thread of its own.
    func onThread<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
        }
    }

    /// Adds a file, for everybody to read unless it is said to be private; returns its root.
    func add(_ bytes: [UInt8], _ visibility: PinVisibility = .public) throws -> CID {
        var options = ImportOptions(threads: 1)
        options.scope = visibility == .public ? [.defaultProject, .public] : .defaultProject
        let importer = Importer(store: node.store, options: options)
        var rest = bytes[...]
        let entry = try importer.add(streamNamed: Array("file".utf8)) { buffer in
            let count = min(buffer.count, rest.count)
            buffer.copyBytes(from: rest.prefix(count))
            rest = rest.dropFirst(count)
            return count
        }
        try node.pin(entry.cid, name: "file", visibility: visibility)
        return entry.cid
    }

    /// How many answers were given from memory.
    func hotAnswers() async throws -> Int {
        let metrics = try await connect { try $0.get("/metrics").text }
        return metrics.split(separator: "\n").filter { $0.hasPrefix("nacre_http_hot_answers_total{") }
            .compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }.reduce(0, +)
    }

    /// Turns a byte of a stored block around, wherever its pack has it.
    func damage(_ bytes: ArraySlice<UInt8>) throws {
        let packs = directory.path("data/blocks/packs")
        for name in try FileManager.default.contentsOfDirectory(atPath: packs) {
            let url = URL(fileURLWithPath: packs + "/" + name)
            let contents = try Data(contentsOf: url)
            guard let range = contents.range(of: Data(bytes)) else { continue }
            let file = try FileHandle(forUpdating: url)
            try file.seek(toOffset: UInt64(range.lowerBound))
            try file.write(contentsOf: Data([~contents[range.lowerBound]]))
            try file.close()
            return
        }
        Issue.record("the block is in no pack")
    }
}

extension SeededRandom {
    static func bytes(seed: UInt64, count: Int) -> [UInt8] {
        var random = SeededRandom(seed: seed)
        return random.bytes(count)
    }
}
