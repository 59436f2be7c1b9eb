import Catalog
import Multiformats
import TestKit
import Testing

/// Random changes on the catalog and on a dictionary, compared after each; then again after reopening.
@Suite struct PinModelTests {
    private struct Key: Hashable {
        let root: CID
        let name: String
    }

    @Test(arguments: Engine.all, SeededRandom.seeds(6))
    func catalogAndDictionaryAgree(engine: Engine, seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let disk = try CatalogPlace(engine)
        var catalog = try disk.open()
        var model: [PinID: Pin] = [:]
        let roots = try (0..<12).map { try cid($0) }
        for _ in 0..<scaled(150, full: 3000) {
            switch random.number(0..<10) {
            case 0..<4:
                let draft = Self.draft(roots: roots, &random)
                let known = model.values.first { $0.root == draft.root && $0.name == draft.name }
                let (pin, isNew) = try catalog.pins.add(draft)
                #expect(isNew == (known == nil))
                if let known { #expect(pin == known) }
                model[pin.id] = pin
            case 4..<6:
                guard let id = model.keys.sorted().randomElement(using: &random) else { continue }
                #expect(try catalog.pins.remove(id) == model.removeValue(forKey: id))
            case 6..<9:
                guard let old = model.values.sorted(by: { $0.id < $1.id }).randomElement(using: &random)
                else {
                    continue
                }
                try Self.change(old, in: catalog, &model, &random)
            default:
                try catalog.close()
                catalog = try disk.open()
            }
            try Self.compare(catalog, model)
        }
        try catalog.close()
        catalog = try disk.open()
        try Self.compare(catalog, model)
        #expect(try catalog.problems() == [])
    }

    private static func draft(roots: [CID], _ random: inout SeededRandom) -> PinDraft {
        var draft = PinDraft(
            root: random.pick(roots), name: random.pick(["", "a", "b", "ü"]),
            visibility: random.pick(PinVisibility.allCases), status: random.pick(PinStatus.allCases))
        if random.oneIn(2) { draft.figures = PinFigures(contentBytes: Int64(random.number(0...1000))) }
        if random.oneIn(3) { draft.meta = ["k": "\(random.next())"] }
        return draft
    }

    private static func change(
        _ old: Pin, in catalog: CatalogDatabase, _ model: inout [PinID: Pin], _ random: inout SeededRandom
    ) throws {
        var change = PinChange()
        if random.oneIn(2) { change.name = random.pick(["", "a", "b", "ü"]) }
        if random.oneIn(2) { change.status = random.pick(PinStatus.allCases) }
        if random.oneIn(2) { change.figures = PinFigures(blockCount: 7, blockBytes: 70) }
        let name = change.name ?? old.name
        if model.values.contains(where: { $0.id != old.id && $0.root == old.root && $0.name == name }) {
            #expect(throws: CatalogError.duplicatePin(root: old.root, name: name)) {
                try catalog.pins.update(old.id, change)
            }
        } else {
            model[old.id] = try catalog.pins.update(old.id, change)
        }
    }

    private static func compare(_ catalog: CatalogDatabase, _ model: [PinID: Pin]) throws {
        #expect(
            try catalog.pins.list(limit: 1000, order: .oldestFirst).pins
                == model.values.sorted { $0.id < $1.id })
        let counters = try catalog.pins.counters()
        #expect(counters.pins == Int64(model.count))
        #expect(counters.contentBytes == model.values.reduce(0) { $0 + ($1.figures.contentBytes ?? 0) })
        #expect(counters.blockBytes == model.values.reduce(0) { $0 + ($1.figures.blockBytes ?? 0) })
        for status in PinStatus.allCases {
            #expect(
                counters.byStatus[status, default: 0] == Int64(model.values.count { $0.status == status }))
        }
    }
}
