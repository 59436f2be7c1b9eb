import CAR
import HTTPSupport
import HTTPTypes
import IPLD
import Multiformats
import NodeService
import SyncProtocol

extension SyncAPI {
    static let blockRoutes: [SyncRoute] = [
        SyncRoute(.post, "/ns/{ns}/blocks/have") { call in
            let request = try BlockList(try call.message())
            let missing = try call.service.missing(request.cids, of: call.namespace)
            return try call.answer(BlockList(missing).value(call.form))
        },
        SyncRoute(.post, "/ns/{ns}/blocks/store", requiring: .device, isUpload: true) { call in
            try call.store()
        },
        SyncRoute(.post, "/ns/{ns}/blocks/retrieve") { call in
            let request = try BlockList(try call.message())
            let found = try call.service.retrieve(request.cids, of: call.namespace)
            var response = try DoorResponse.car(found.blocks)
            response.fields[.answeredCount] = String(found.answered)
            return response
        },
    ]
}

extension SyncRequest {
    /// Takes a CAR of blocks. Each stands for itself: a bad one is told of, the others are stored.
    fileprivate func store() throws -> DoorResponse {
        // Before a byte is read: whoever may not write sends nothing in vain.
        _ = try service.missing([], of: namespace)
        let announced = try request.fields[.blockCount].map { text in
            guard let count = Int(text), count >= 0 else {
                throw SyncFailure.badRequest("X-Block-Count is to be a number of blocks")
            }
            return count
        }
        try BlockIntake.checkCount(announced ?? 0)
        var intake = BlockIntake(service: service, namespace: namespace)
        do {
            try intake.take(from: try content())
        } catch let error as CARError {
            throw SyncFailure.badRequest("the CAR ends or breaks after \(intake.stored) blocks: \(error)")
        }
        if let announced, announced != intake.count {
            throw SyncFailure.badRequest(
                "\(announced) blocks were announced and \(intake.count) came: send the rest")
        }
        return try answer(intake.message)
    }
}

/// Blocks on their way into the store, some at a time.
private struct BlockIntake {
    let service: SyncService
    let namespace: String
    private(set) var stored = 0
    private var failed: [CID] = []
    /// Those that came and are not stored yet, and their bytes.
    private var waiting: [Block] = []
    private var waitingBytes = 0
    private var lastFlush = ContinuousClock.now

    /// How many bytes wait for more at most, and how long.
    private static let batchBytes = 8 * 1024 * 1024
    private static let pause = Duration.milliseconds(250)

    init(service: SyncService, namespace: String) { (self.service, self.namespace) = (service, namespace) }

    /// How many came.
    var count: Int { stored + failed.count + waiting.count }

    /// - Throws: `tooMany` for more than one call may bring.
    static func checkCount(_ count: Int) throws(SyncMessageError) {
        guard count <= SyncLimits.maximumStoreBlocks else {
            throw .tooMany("the CAR", count: count, maximum: SyncLimits.maximumStoreBlocks)
        }
    }

    /// Stores what is in a CAR. What came before it breaks stands, also if the client is gone: who asks `have`
    /// again sees it.
    mutating func take(from body: any RequestBytes) throws {
        var reader = RequestBodyReader(body, limit: Int64(SyncLimits.maximumStoreBytes))
        var stream = CARStream(options: CARReadingOptions(verification: .none)) { try reader.read(into: $0) }
        do {
            _ = try stream.header()
            while let section = try stream.next() {
                try Self.checkCount(count + 1)
                waiting.append(section.block)
                waitingBytes += section.block.bytes.count
                // What comes slowly is not kept from those who wait for it.
                if waitingBytes >= Self.batchBytes || ContinuousClock.now - lastFlush >= Self.pause {
                    try flush()
                }
            }
        } catch {
            try flush()
            throw error
        }
        try flush()
    }

    private mutating func flush() throws {
        let blocks = waiting
        // What is refused is not tried again at the end.
        (waiting, waitingBytes) = ([], 0)
        lastFlush = .now
        let bad = try service.store(blocks, for: namespace)
        stored += blocks.count - bad.count
        failed += bad
    }

    /// What became of them.
    var message: IPLDValue {
        let failures = failed.map { cid in
            let code: SyncCode = cid.mayNameLeaf ? .hashMismatch : .weakHash
            return IPLDValue.map([
                IPLDEntry(key: "cid", value: .string(cid.description)),
                IPLDEntry(key: "code", value: .string(code.rawValue)),
            ])
        }
        return .map([
            IPLDEntry(key: "stored", value: .integer(Int128(stored))),
            IPLDEntry(key: "failed", value: .list(failures)),
        ])
    }
}

extension DoorResponse {
    /// Blocks as a CAR, in their order.
    fileprivate static func car(_ blocks: [Block]) throws -> DoorResponse {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(blocks.reduce(1024) { $0 + $1.bytes.count + 64 })
        var writer = try CARWriter(roots: []) { bytes.append(contentsOf: $0) }
        for block in blocks { try writer.append(block) }
        _ = try writer.finish()
        return DoorResponse(
            .ok,
            fields: [
                .contentType: "application/vnd.ipld.car; version=1", .cacheControl: "no-store",
                .contentTypeOptions: "nosniff", .blockCount: String(blocks.count),
            ], body: .bytes(bytes))
    }
}
