import ContentCoding
import HTTPSupport
import HTTPTypes
import IPLD
import NodeCore
import NodeService
import SyncProtocol

extension SyncAPI {
    static let generalRoutes: [SyncRoute] = [
        SyncRoute(.get, "/hello", requiring: .nothing) { call in
            try call.answer(hello(call.service.rates, time: call.service.time))
        },
        SyncRoute(.get, "/ns") { call in
            let infos = try call.service.list()
            return try call.answer(
                .map([IPLDEntry(key: "namespaces", value: .list(infos.map { $0.value(call.form) }))]))
        },
        SyncRoute(.post, "/ns") { call in
            let request = try NamespaceRequest(try call.message())
            return try call.answer(try call.service.create(request).value(call.form), .created)
        },
        SyncRoute(.get, "/ns/{ns}") { call in
            try call.answer(try call.service.info(call.namespace).value(call.form))
        },
        SyncRoute(.patch, "/ns/{ns}") { call in
            let request = try NamespaceChangeRequest(try call.message())
            return try call.answer(try call.service.change(call.namespace, request).value(call.form))
        },
        SyncRoute(.delete, "/ns/{ns}") { call in
            try call.answer(try call.service.remove(call.namespace).value(call.form))
        },
        SyncRoute(.post, "/ns/{ns}/verify") { call in
            let stream = VerificationStream(try call.service.verification(of: call.namespace), call.form)
            return DoorResponse(
                .ok,
                fields: [
                    .contentType: VerificationStream.mediaType(call.form), .cacheControl: "no-store",
                    .contentTypeOptions: "nosniff",
                ], body: .stream(stream, length: nil))
        },
        SyncRoute(.post, "/ns/{ns}/rebuild") { call in
            try call.answer(try call.service.rebuild(call.namespace).value(call.form))
        },
        SyncRoute(.get, "/status") { call in
            try call.answer(try call.service.report().value(call.form))
        },
        SyncRoute(.get, "/events", isStream: true) { call in
            // Where there is nobody to keep it open: what would be refused is.
            _ = try call.service.watchable(try EventRequest(call.request).namespaces)
            return DoorResponse(.noContent, fields: [.cacheControl: "no-store"])
        },
        SyncRoute(.post, "/wait", waits: true) { call in
            let answer = try call.service.changed(try WaitRequest(try call.message()))
            if answer.isEmpty { return DoorResponse(.noContent, fields: [.cacheControl: "no-store"]) }
            return try call.answer(answer.value(call.form))
        },
    ]

    static let treeRoutes: [SyncRoute] = [
        SyncRoute(.post, "/ns/{ns}/commit", requiring: .device, isUpload: true) { call in
            let request = try CommitRequest(try call.message())
            let answer = try call.service.take(request, to: call.namespace)
            return try call.answer(answer.value(call.form, to: request.operations))
        },
        SyncRoute(.post, "/ns/{ns}/list") { call in
            let request = try ListRequest(try call.message())
            return try call.answer(
                try call.service.changes(request, of: call.namespace).value(call.form))
        },
        SyncRoute(.post, "/ns/{ns}/snapshot") { call in
            let request = try SnapshotRequest(try call.message())
            return try call.answer(
                try call.service.snapshot(request, of: call.namespace).value(call.form))
        },
        SyncRoute(.post, "/ns/{ns}/leaves") { call in
            let request = try LeavesRequest(try call.message())
            return try call.answer(
                try call.service.leaves(request, of: call.namespace).value(call.form))
        },
    ]

    /// What the node speaks, and its limits.
    private static func hello(_ rates: DeviceRates.Limits, time: Int64) -> IPLDValue {
        func number(_ key: String, _ value: Int) -> IPLDEntry {
            IPLDEntry(key: key, value: .integer(Int128(value)))
        }
        return .map([
            IPLDEntry(key: "server", value: .string("Nacre " + NacreVersion.text)),
            IPLDEntry(key: "versions", value: .list([.string("1")])),
            // Nothing is deleted because a journal is another one.
            IPLDEntry(key: "epoch_policy", value: .string("compare")),
            IPLDEntry(key: "time", value: .integer(Int128(time))),
            IPLDEntry(
                key: "features",
                value: .list(features.map { .string($0) })),
            IPLDEntry(
                key: "limits",
                value: .map([
                    number("burst", rates.burst),
                    number("block_bytes", SyncLimits.maximumLeafBytes),
                    number("commit_bytes", SyncLimits.maximumMessageBytes),
                    number("commit_ops", SyncLimits.maximumOperations),
                    number("have_cids", SyncLimits.maximumBlocks),
                    number("inflight_bytes", SyncLimits.minimumInflightBytes),
                    number("inflight_files", SyncLimits.maximumInflight),
                    number("inflight_seconds", rates.inflightSeconds),
                    number("inline_bytes", SyncLimits.maximumInlineBytes),
                    number("list_entries", SyncLimits.maximumEntries),
                    number("requests_per_second", rates.requestsPerSecond),
                    number("retrieve_bytes", SyncLimits.maximumBlockBytes),
                    number("retrieve_cids", SyncLimits.maximumBlocks),
                    number("store_blocks", SyncLimits.maximumStoreBlocks),
                    number("store_bytes", SyncLimits.maximumStoreBytes),
                    number("streams", rates.streams),
                    number("wait_seconds", SyncLimits.maximumWaitSeconds),
                ])),
        ])
    }

    private static let features =
        [
            "cbor", "devices", "events", "history", "inflight", "inline", "leases", "snapshot", "splice",
            "status", "wait",
        ] + ContentCoding.allCases.map(\.rawValue)
}
