import Digests
import Multiformats
import SyncProtocol
import TreeValues

@testable import SyncClient

/// Some devices and a server through a random afternoon, then a quiet evening in which all become equal.
struct Simulation {
    /// What may happen.
    struct Weather {
        var crashes = true
        var losses = true
        var races = true
        var fullDisks = true
        var missingFolders = true
        var restoredServers = true
        var clockJumps = true
        var oddDisks = true
        /// Whether passes are ended early now and then, as a pause does.
        var stops = true
        /// Whether people are asked before much is removed.
        var guards = true
        var devices = 2...4
        var steps = 5...18

        static let calm = Weather(
            crashes: false, losses: false, races: false, fullDisks: false, missingFolders: false,
            restoredServers: false, clockJumps: false, oddDisks: false, stops: false,
            guards: false)
        static let wild = Weather()
    }

    struct Failure: Error, CustomStringConvertible {
        let seed: UInt64
        let text: String
        var description: String { "seed \(seed): \(text)" }
    }

    let seed: UInt64
    let weather: Weather
    let random: SimulationRandom
    /// Of its own: how much room there is changes nothing else of an afternoon.
    private let quotas: SimulationRandom
    let clock = SimulatedClock()
    let server: ModelServer
    let contents = WrittenContents()
    private(set) var devices: [SimulatedDevice] = []
    private var backups: [ModelServer.Namespace] = []
    private var epoch: Int64 = 1
    /// Whether people are asked before much is removed.
    private var isGuarded = false
    /// Prints what happens.
    var isLoud = false

    init(seed: UInt64, weather: Weather = .wild) throws {
        self.seed = seed
        self.weather = weather
        random = SimulationRandom(seed: seed &* 0x9E37_79B9 &+ 12345)
        quotas = SimulationRandom(seed: seed &* 0x85EB_CA6B &+ 54321)
        var disks: [VirtualDisk.Names] = []
        for _ in 0..<random.number(weather.devices) {
            let isOdd = weather.oddDisks && random.oneIn(3)
            disks.append(isOdd ? random.pick(VirtualDisk.Names.allCases) : .bytes)
        }
        // Where all disks tell case apart, a namespace may do so too.
        let ignoresCase = disks.contains { $0 != .bytes } || !random.oneIn(3)
        server = ModelServer(root: NodeID(bits: 1), ignoresCase: ignoresCase)
        for (index, names) in disks.enumerated() {
            devices.append(
                try SimulatedDevice(
                    name: "d\(index)", server: server, names: names, canExchange: !random.oneIn(3),
                    maximumUnnamed: random.pick([0, 2, 50]), clock: clock,
                    clockLead: weather.clockJumps ? random.pick([0, 0, -7, 3600]) * 1_000_000_000 : 0,
                    random: random,
                    batch: random.pick([2, 5, 50])))
        }
        isGuarded = weather.guards && random.oneIn(2)
        guard isGuarded else { return }
        let free = random.number(1...4)
        server.guardRemovals(beyond: free, now: { [clock] in clock.steady() })
        for device in devices {
            device.options.freeRemovals = free
            // It takes them over when it is started.
            device.stop()
        }
    }

    /// Some files that all devices have, so that there is something to change.
    private func begin() throws {
        for _ in 0..<(isGuarded ? 24 : 8) { user(of: devices[0]).act() }
        for _ in 0..<2 { for device in devices { try device.synchronize() } }
    }

    mutating func run() throws {
        if isGuarded || random.oneIn(2) { try begin() }
        for _ in 0..<random.number(weather.steps) {
            try step()
            clock.advance(milliseconds: Int64(random.pick([10, 1000, 60_000])))
        }
        try becomeQuiet()
        try check()
    }

    private func user(of device: SimulatedDevice, editsUnseen: Bool = true) -> SimulatedUser {
        var user = SimulatedUser(
            disk: device.disk, name: device.name, random: random, contents: contents, server: server,
            clock: clock)
        user.editsUnseen = editsUnseen
        return user
    }

    private mutating func step() throws {
        if weather.fullDisks, quotas.oneIn(8) {
            server.set(quota: quotas.oneIn(2) ? nil : Int64(quotas.number(0...2000)))
        }
        let device = random.pick(devices)
        switch random.number(0...15) {
        case 0...4: for _ in 0...random.number(0...3) { user(of: device).act() }
        case 5...8: try synchronize(device)
        case 9:
            if weather.restoredServers, random.oneIn(2) {
                if random.oneIn(2) || backups.isEmpty {
                    backups.append(server.backup())
                } else {
                    restoreServer()
                }
            }
        case 10: if weather.races { server.undelete(random) }
        case 11:
            if weather.clockJumps { clock.jump(milliseconds: Int64(random.number(-100...100)) * 3_600_000) }
        case 12, 13: if weather.races { try removeInTwoPlaces(device, random.pick(devices)) }
        case 14: if isGuarded { user(of: device).removeMuch() }
        default: device.stop()
        }
    }

    /// Somebody removes something, and another device hears of it, where the same may be removed as well:
    /// before that, or after its disk did not let it go.
    private func removeInTwoPlaces(_ first: SimulatedDevice, _ second: SimulatedDevice) throws {
        guard let path = user(of: first).removeSomething() else { return }
        try synchronize(first)
        let order = random.number(0...2)
        if order == 1 { try synchronize(second, isReadOnly: true) }
        if order > 0 { user(of: second).remove(path) }
        try synchronize(second, isBusy: true)
    }

    private func synchronize(
        _ device: SimulatedDevice, isReadOnly: Bool = false, isBusy: Bool = false
    ) throws {
        let isLossy = weather.losses && random.oneIn(3)
        device.server.set(
            isDown: weather.losses && random.oneIn(8), lossOneIn: isLossy ? random.number(2...8) : 0)
        device.isPowerCut = !random.oneIn(3)
        if weather.crashes, random.oneIn(3) {
            if random.oneIn(2) {
                device.disk.crash(afterCalls: random.number(1...120))
            } else {
                device.state.crashIn = random.number(0...12)
            }
        }
        if weather.races, random.oneIn(3) {
            let user = user(of: device, editsUnseen: false)
            device.disk.interfere(afterCalls: random.number(1...100)) { user.act() }
        }
        if weather.races, random.oneIn(2) {
            let user = user(of: device)
            device.disk.interfereBeforeBarrier { user.editSome() }
        }
        if weather.stops, random.oneIn(4) { device.stopping.set(after: random.number(0...25)) }
        device.server.set(isBusy: isBusy || (weather.races && random.oneIn(2)))
        device.disk.set(
            unmounted: weather.missingFolders && random.oneIn(12),
            full: weather.fullDisks && random.oneIn(12),
            readOnly: isReadOnly || (weather.fullDisks && random.oneIn(20)))
        if weather.missingFolders {
            device.disk.set(unreadable: random.oneIn(10) ? random.pick(SimulatedUser.names) : nil)
        }
        let before = isLoud ? tell(device) : 0
        try device.synchronize()
        if isLoud { tell(device, since: before) }
        if random.oneIn(2) { try answer(device) }
        device.disk.crash(afterCalls: nil)
        device.disk.interfereBeforeBarrier(nil)
        device.state.crashIn = nil
        device.stopping.set(after: nil)
        if let violation = device.state.violation {
            throw Failure(seed: seed, text: "\(device.name): \(violation)")
        }
    }

    /// Has somebody answer about removals that are held, if there are any.
    private func answer(_ device: SimulatedDevice) throws {
        if device.server.hasSentUnanswered {
            throw Failure(seed: seed, text: "\(device.name): a removal went before anybody had answered")
        }
        guard device.engine?.status.removalsToConfirm != nil else { return }
        let answer: RemovalAnswer = random.oneIn(2) ? .agree : .decline
        let isHeldThere = try device.state.value(StateKey.heldRemovals) != nil
        let removed = device.state.base.contents.all.compactMap { states in
            states.local == nil && states.synced != nil ? states.remote?.content : nil
        }
        // In another process.
        if random.oneIn(3) { device.stop() }
        if isLoud { print("--", device.name, answer) }
        guard try device.answer(answer), answer == .decline, isHeldThere else { return }
        let roots = Set(removed)
        contents.keep(
            contents.all.filter { SimulatedUser.root(of: $0).map(roots.contains) == true }, by: device.name)
    }

    /// Prints what a device did since it had done so much, and what it has.
    @discardableResult
    private func tell(_ device: SimulatedDevice, since count: Int? = nil) -> Int {
        let events = device.events.count
        if let count { for event in device.events.all.suffix(events - count) { print("   ", event) } }
        print("--", device.name, device.paths.joined(separator: " | "))
        for states in device.state.base.contents.all { print("     ", describe(states)) }
        return events
    }

    private mutating func restoreServer() {
        let before = server.history
        epoch += 1
        server.restore(random.pick(backups), epoch: epoch)
        let after = server.history
        // What was only in the part of the history that is no more went with the server's disk.
        let onDisks = devices.reduce(into: Set<[UInt8]>()) { $0.formUnion((try? $1.contents()) ?? []) }
        for bytes in contents.all where !onDisks.contains(bytes) {
            guard let root = SimulatedUser.root(of: bytes), before.contains(root), !after.contains(root)
            else { continue }
            contents.giveUp(bytes)
        }
    }

    /// Nothing fails any more, and nobody works: all become equal within some rounds.
    private func becomeQuiet() throws {
        for device in devices {
            device.disk.set(unmounted: false, full: false, readOnly: false)
            device.disk.set(unreadable: nil)
            device.disk.crash(afterCalls: nil)
            device.disk.interfere(afterCalls: .max / 2) {}
            device.state.crashIn = nil
            device.server.set(isDown: false, lossOneIn: 0)
            device.server.set(isBusy: false)
        }
        server.deliverEverything()
        server.set(quota: nil)
        var quiet = 0
        for _ in 0..<40 {
            let head = server.head
            var isSettled = true
            for device in devices {
                clock.advance(milliseconds: 4_000_000)
                let before = isLoud ? tell(device) : 0
                try device.synchronize()
                if isLoud { tell(device, since: before) }
                try answer(device)
                if device.engine?.status.activity != .settled { isSettled = false }
            }
            quiet = isSettled && server.head == head ? quiet + 1 : 0
            // What the last round changed may be news to a scan.
            if quiet == 2 { return }
        }
        var text = "no end of it"
        for device in devices {
            guard let engine = device.engine else { continue }
            text += "\n\(device.name) \(device.disk.names) \(engine.status.activity) \(device.paths)"
            for item in engine.waitingItems() { text += "\n  \(item.path): \(item.reason)" }
            for id in device.state.base.unsettled(after: nil, limit: 20) {
                text += "\n  \(describe(device.state.base.states(of: id)))"
            }
            for event in device.events.all.suffix(8) { text += "\n    \(event)" }
        }
        throw Failure(seed: seed, text: text)
    }

    private func describe(_ entry: RemoteEntry) -> String {
        let states = NodeStates(id: entry.node.id, remote: entry.node, local: nil, synced: nil)
        return describe(states) + (entry.isDeleted ? " deleted" : "") + (entry.isRestored ? " restored" : "")
    }

    private func describe(_ states: NodeStates) -> String {
        func text(_ node: SyncNode?) -> String {
            guard let node else { return "-" }
            let content = node.content?.description.suffix(5) ?? node.target?[...] ?? "-"
            return
                "\(node.name) in \(node.parent.text.suffix(5)) \(content) \(node.modified) r\(node.revision)"
        }
        return "\(states.id.text.suffix(5)) R[\(text(states.remote))] "
            + "L[\(text(states.local))] S[\(text(states.synced))]"
    }

    private func check() throws {
        var expected: [String: FolderEntry] = [:]
        let blocks = server.backup()
        if isLoud { for entry in blocks.journal { print("   ", entry.device, describe(entry)) } }
        for (path, node) in server.tree() {
            let key = FolderPath.names(of: path).map { NameKey($0).text }.joined(separator: "/")
            switch node.kind {
            case .directory: expected[key] = .directory
            case .symlink: expected[key] = .symlink(node.target ?? "")
            case .file:
                let leaves = node.content.flatMap { cid in
                    blocks.blocks[cid].map { [$0] }
                        ?? blocks.leaves[cid]?.compactMap { blocks.blocks[$0.cid] }
                }
                expected[key] = .file(leaves?.flatMap { $0 } ?? [])
            }
        }
        for device in devices {
            let tree = try device.tree()
            let extra = tree.keys.filter { expected[$0] == nil }.sorted()
            let missing = expected.filter { tree[$0.key] != [$0.value] }.keys.sorted()
            guard extra.isEmpty, missing.isEmpty else {
                var text = "\(device.name) \(device.disk.names) differs from the server: here \(extra), "
                text += "there \(missing)"
                for path in missing.prefix(3) { text += "\n  \(path) here: \(tree[path] ?? [])" }
                for states in device.state.base.contents.all { text += "\n  \(describe(states))" }
                throw Failure(seed: seed, text: text)
            }
        }
        var live = try devices.reduce(into: Set<[UInt8]>()) { $0.formUnion(try $1.files()) }
        for device in devices { live.formUnion(try device.copiesInTrash()) }
        let missing = contents.untouched.subtracting(live)
        // Which of two versions is the newer one is not certain after a server went back: then the one that
        // is not in the tree is in the history, which is checked below.
        if epoch == 1, !missing.isEmpty {
            let texts = missing.map { String(decoding: $0.prefix(20), as: UTF8.self) }.sorted()
            throw Failure(seed: seed, text: "deleted, and nobody did: \(texts)")
        }
        let all = contents.all
        for (path, entry) in expected {
            guard case .file(let bytes) = entry, !all.contains(bytes) else { continue }
            throw Failure(seed: seed, text: "nobody wrote what is in \(path): \(bytes.count) bytes")
        }
        var found = devices.reduce(into: Set<[UInt8]>()) { $0.formUnion((try? $1.contents()) ?? []) }
        let history = server.history
        for bytes in contents.kept where !found.contains(bytes) {
            if let root = SimulatedUser.root(of: bytes), history.contains(root) { found.insert(bytes) }
        }
        let lost = contents.kept.subtracting(found)
        if !lost.isEmpty {
            let texts = lost.map { String(decoding: $0.prefix(20), as: UTF8.self) }.sorted()
            throw Failure(seed: seed, text: "lost: \(texts)")
        }
    }
}
