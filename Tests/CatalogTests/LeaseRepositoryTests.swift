import Catalog
import Multiformats
import TestKit
import Testing
import TreeValues

/// Leases and conflicts in the catalog. On both engines alike.
@Suite struct LeaseRepositoryTests {
    private func namespace(_ catalog: CatalogDatabase) throws -> Namespace {
        try catalog.namespaces.add(name: "recipes", project: .default, visibility: .private, policy: "{}")
    }

    private func lease(
        _ namespace: Namespace, _ node: UInt128, _ device: String, _ mode: Lease.Mode = .exclusive,
        expires: Int64 = 9000
    ) -> Lease {
        Lease(
            namespace: namespace.number, node: NodeID(bits: node), project: .default, device: device,
            mode: mode, created: 5000, expires: expires)
    }

    @Test(arguments: Engine.all) func anExclusiveLeaseExcludesAllOthers(engine: Engine) throws {
        let catalog = try engine.catalog(at: 5000)
        let namespace = try namespace(catalog)
        _ = try catalog.leases.take(lease(namespace, 1, "laptop", .advisory))
        _ = try catalog.leases.take(lease(namespace, 1, "phone", .advisory))
        #expect(throws: CatalogError.leaseTaken(device: "phone")) {
            try catalog.leases.take(lease(namespace, 1, "laptop"))
        }
        #expect(
            try catalog.leases.end(
                of: NodeID(bits: 1), in: namespace, project: .default, device: "phone") == 1)
        let taken = try catalog.leases.take(lease(namespace, 1, "laptop"))
        #expect(try catalog.leases.list(of: namespace) == [taken])
        for mode in Lease.Mode.allCases {
            #expect(throws: CatalogError.leaseTaken(device: "laptop")) {
                try catalog.leases.take(lease(namespace, 1, "phone", mode))
            }
        }
        // Of another node, or of another namespace, it is another lease.
        _ = try catalog.leases.take(lease(namespace, 2, "phone"))
        let renewed = try catalog.leases.take(lease(namespace, 1, "laptop", expires: 9500))
        #expect(renewed.expires == 9500 && renewed.created == taken.created)
        #expect(try catalog.problems().isEmpty)
    }

    @Test(arguments: Engine.all) func aLeaseEndsWithItsTimeAndWithItsDevice(engine: Engine) throws {
        let catalog = try engine.catalog(at: 5000)
        let namespace = try namespace(catalog)
        _ = try catalog.leases.take(lease(namespace, 1, "laptop", expires: 5000))
        #expect(try catalog.leases.list(of: namespace).isEmpty)
        _ = try catalog.leases.take(lease(namespace, 1, "phone"))
        _ = try catalog.devices.put("phone", in: .default) { _ in
            var device = Device(
                project: .default, id: "phone", user: nil, grant: nil, name: "phone", created: 1)
            device.revoked = 2
            return device
        }
        #expect(try catalog.leases.list(of: namespace).isEmpty)
        _ = try catalog.leases.take(lease(namespace, 1, "laptop"))
        #expect(try catalog.leases.list(of: namespace).map(\.device) == ["laptop"])
        _ = try catalog.namespaces.change(namespace.id) { $0.deleted = 1 }
        #expect(try catalog.namespaces.removeDeleted(namespace.id))
        #expect(try catalog.leases.list(of: namespace).isEmpty)
    }

    @Test(arguments: Engine.all) func theNewestConflictsAreKeptAndEachOnce(engine: Engine) throws {
        let catalog = try engine.catalog(at: 5000)
        let namespace = try namespace(catalog)
        func conflict(_ number: Int) throws -> ConflictRecord {
            ConflictRecord(
                id: NodeID(bits: UInt128(number)), namespace: namespace.number, node: NodeID(bits: 7),
                reason: "stale", name: "Käse", base: 1, current: 2, content: try cid(1), size: 3,
                device: "laptop", time: Int64(number))
        }
        let most = ConflictRecord.maximumPerNamespace
        try catalog.conflicts.add((1...most).map(conflict))
        let resolved = try catalog.conflicts.resolve(NodeID(bits: 5), of: namespace, "both")
        #expect(resolved?.resolution == "both")
        try catalog.conflicts.add([conflict(5), conflict(most + 1)])
        let all = try catalog.conflicts.list(of: namespace, includingResolved: true)
        #expect(all.count == most && all.first?.time == Int64(most + 1) && all.last?.time == 2)
        #expect(try catalog.conflicts.openCount(of: namespace) == Int64(most - 1))
        #expect(try catalog.conflicts.conflict(NodeID(bits: 5), of: namespace)?.resolution == "both")
        #expect(try catalog.conflicts.resolve(NodeID(bits: 1), of: namespace, "both") == nil)
        #expect(try catalog.problems().isEmpty)
    }
}
