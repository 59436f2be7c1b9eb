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

/// How long blocks that came wait for others before they are stored.
private let storePause = Duration.milliseconds(250)

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
        func tooMany(_ count: Int) -> SyncMessageError {
            .tooMany("the CAR", count: count, maximum: SyncLimits.maximumStoreBlocks)
        }
        if let announced, announced > SyncLimits.maximumStoreBlocks { throw tooMany(announced) }
        var reader = RequestBodyReader(try content(), limit: Int64(SyncLimits.maximumStoreBytes))
        var stream = CARStream(options: CARReadingOptions(verification: .none)) { try reader.read(into: $0) }
        var (stored, failed) = (0, [CID]())
        var batch: [Block] = []
        var bytes = 0
        var last = ContinuousClock.now
        func flush() throws {
            let taken = batch
            // What is refused is not tried again at the end.
            (batch, bytes) = ([], 0)
            last = .now
            let bad = try service.store(taken, for: namespace)
            stored += taken.count - bad.count
            failed += bad
        }
        do {
            _ = try stream.header()
            while let section = try stream.next() {
                let before = stored + failed.count + batch.count
                guard before < SyncLimits.maximumStoreBlocks else { throw tooMany(before + 1) }
                batch.append(section.block)
                bytes += section.block.bytes.count
                // What comes slowly is not kept from those who wait for it.
                if bytes >= 8 * 1024 * 1024 || ContinuousClock.now - last >= storePause { try flush() }
            }
        } catch {
            // What came before stands, also if the client is gone: who asks `have` again sees it.
            try flush()
            guard let error = error as? CARError else { throw error }
            throw SyncFailure.badRequest("the CAR ends or breaks after \(stored) blocks: \(error)")
        }
        try flush()
        if let count = announced, count != stored + failed.count {
            throw SyncFailure.badRequest(
                "\(count) blocks were announced and \(stored + failed.count) came: send the rest")
        }
        return try answer(
            .map([
                IPLDEntry(key: "stored", value: .integer(Int128(stored))),
                IPLDEntry(
                    key: "failed",
                    value: .list(
                        failed.map { cid in
                            .map([
                                IPLDEntry(key: "cid", value: .string(cid.description)),
                                IPLDEntry(
                                    key: "code",
                                    value: .string(
                                        (cid.mayNameLeaf ? SyncCode.hashMismatch : .weakHash).rawValue)),
                            ])
                        })),
            ]))
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
