import Catalog
import TestKit
import Testing

/// Devices in the catalog. On both engines alike.
@Suite struct DeviceRepositoryTests {
    private func device(_ id: String, in project: ProjectID = .default) -> Device {
        Device(project: project, id: id, user: nil, grant: nil, name: id, created: 7)
    }

    @Test(arguments: Engine.all) func aDeviceIsKeptAsItWasPut(engine: Engine) throws {
        let catalog = try engine.catalog(at: 5000)
        var laptop = device("laptop")
        (laptop.platform, laptop.features, laptop.ignoresCase) = ("linux", ["cbor", "gzip"], true)
        _ = try catalog.devices.put("laptop", in: .default) { known in
            #expect(known == nil)
            return laptop
        }
        #expect(try catalog.devices.device("laptop", in: .default) == laptop)
        laptop.name = "Größe"
        laptop.revoked = 9
        let changed = try catalog.devices.put("laptop", in: .default) { known in
            #expect(known?.name == "laptop")
            return laptop
        }
        #expect(try changed == laptop && catalog.devices.list() == [laptop])
        #expect(try catalog.devices.device("laptop", in: ProjectID(rawValue: "other")) == nil)
        #expect(try catalog.problems().isEmpty)
    }

    @Test(arguments: Engine.all) func whatIsHeardOfItIsNotedUnlessItIsShutOut(engine: Engine) throws {
        let catalog = try engine.catalog(at: 5000)
        for id in ["laptop", "phone"] { _ = try catalog.devices.put(id, in: .default) { _ in device(id) } }
        let namespace = try catalog.namespaces.add(
            name: "recipes", project: .default, visibility: .private, policy: "{}")
        func ack(_ id: String, _ jid: Int64) -> DeviceAck {
            DeviceAck(
                namespace: namespace.number, project: .default, device: id, epoch: 1, jid: jid, seen: 50)
        }
        try catalog.devices.note(
            seen: [(.default, "laptop", 100), (.default, "nobody", 100)],
            acks: [ack("laptop", 3), ack("phone", 2), ack("nobody", 9)].filter { $0.device != "nobody" })
        #expect(try catalog.devices.device("laptop", in: .default)?.lastSeen == 100)
        // A note that comes late changes nothing.
        try catalog.devices.note(seen: [(.default, "laptop", 50)], acks: [ack("laptop", 4)])
        #expect(try catalog.devices.device("laptop", in: .default)?.lastSeen == 100)
        #expect(try catalog.devices.acks(of: namespace) == [ack("laptop", 4), ack("phone", 2)])
        _ = try catalog.devices.put("phone", in: .default) { known in
            var known = try #require(known)
            known.revoked = 1
            return known
        }
        try catalog.devices.note(seen: [(.default, "phone", 900)], acks: [ack("phone", 9)])
        #expect(try catalog.devices.device("phone", in: .default)?.lastSeen == 7)
        #expect(try catalog.devices.acks(of: namespace).last == ack("phone", 2))
        // They go with the namespace.
        _ = try catalog.namespaces.change(namespace.id) { $0.deleted = 1 }
        #expect(try catalog.namespaces.removeDeleted(namespace.id))
        #expect(try catalog.devices.acks(of: namespace).isEmpty)
        #expect(try catalog.problems().isEmpty)
    }

    /// All containers of one image have one host name.
    @Test(arguments: Engine.all) func aNewDeviceHasANameOfItsOwn(engine: Engine) throws {
        let catalog = try engine.catalog(at: 5000)
        func put(_ id: String, _ name: String, in project: ProjectID = .default) throws -> String {
            try catalog.devices.put(id, in: project) { known in
                var device = known ?? device(id, in: project)
                device.name = name
                return device
            }.name
        }
        #expect(try put("a", "debian") == "debian" && put("b", "debian") == "debian-2")
        #expect(try put("c", "debian") == "debian-3" && put("d", "debian-2") == "debian-2-2")
        #expect(try put("e", "debian", in: ProjectID(rawValue: "other")) == "debian")
        // What a person calls it counts, and a name that is free again is.
        #expect(try put("b", "debian") == "debian" && put("f", "debian") == "debian-2")
        for id in ["a", "b"] {
            _ = try catalog.devices.put(id, in: .default) { known in
                var known = try #require(known)
                known.revoked = 1
                return known
            }
        }
        #expect(try put("g", "debian") == "debian")
        let long = String(repeating: "ö", count: Device.maximumNameBytes / 2)
        #expect(try put("h", long) == long)
        #expect(try put("i", long) == String(long.dropLast()) + "-2")
        #expect(try catalog.problems().isEmpty)
    }

    @Test(arguments: Engine.all) func aProjectHasSoManyDevicesAndNoMore(engine: Engine) throws {
        let catalog = try engine.catalog(at: 5000)
        for number in 0..<Device.maximumPerProject {
            _ = try catalog.devices.put("d\(number)", in: .default) { _ in device("d\(number)") }
        }
        #expect(throws: CatalogError.tooManyDevices(maximum: Device.maximumPerProject)) {
            try catalog.devices.put("more", in: .default) { _ in device("more") }
        }
        let other = ProjectID(rawValue: "other")
        _ = try catalog.devices.put("more", in: other) { _ in device("more", in: other) }
        _ = try catalog.devices.put("d3", in: .default) { known in try #require(known) }
        #expect(try catalog.devices.list(project: other).map(\.id) == ["more"])
    }
}
