import Catalog
import Multiformats
import TestKit
import Testing

/// On both engines alike.
@Suite struct PinRepositoryTests {
    @Test(arguments: Engine.all) func aPinComesBackAsItWasAdded(engine: Engine) throws {
        let pins = try engine.catalog().pins
        var draft = PinDraft(root: try cid(1), name: "photos ✓", visibility: .private, status: .pinning)
        draft.figures = PinFigures(contentBytes: 10, blockCount: 2, blockBytes: 12)
        draft.importParameters = "unixfs-v1-2025"
        draft.meta = ["from": "camera", "a": "\u{1F41A}/\"\\"]
        let added = try pins.add(draft)
        #expect(added.isNew)
        let pin = try #require(try pins.pin(added.pin.id))
        #expect(pin == added.pin)
        #expect(pin.root == draft.root)
        #expect(pin.name == draft.name)
        #expect(pin.meta == draft.meta)
        #expect(pin.figures == draft.figures)
        #expect(pin.importParameters == "unixfs-v1-2025")
        #expect(pin.created == 1_700_000_000_000)
        #expect(pin.owner == .default)
    }

    @Test(arguments: Engine.all) func theSameOwnerRootAndNameMakeOnePin(engine: Engine) throws {
        let pins = try engine.catalog().pins
        let first = try pins.add(PinDraft(root: try cid(1), name: "a"))
        let again = try pins.add(PinDraft(root: try cid(1), name: "a", visibility: .private))
        #expect(!again.isNew)
        #expect(again.pin == first.pin)
        #expect(try pins.add(PinDraft(root: try cid(1), name: "b")).isNew)
        #expect(try pins.add(PinDraft(root: try cid(1), name: "a", owner: ProjectID(rawValue: "x"))).isNew)
        #expect(try pins.counters().pins == 3)
    }

    @Test(arguments: Engine.all) func severalPinsAreAddedTogetherOrNotAtAll(engine: Engine) throws {
        let pins = try engine.catalog().pins
        let tooLong = String(repeating: "n", count: Pin.maximumNameBytes + 1)
        #expect(throws: CatalogError.nameTooLong(bytes: 1025, maximum: 1024)) {
            try pins.add([PinDraft(root: try cid(1)), PinDraft(root: try cid(2), name: tooLong)])
        }
        #expect(try pins.list().pins.isEmpty)
        #expect(try pins.counters().pins == 0)
        #expect(
            try pins.add([PinDraft(root: try cid(1)), PinDraft(root: try cid(1))]).map(\.isNew) == [
                true, false,
            ])
    }

    @Test(arguments: Engine.all) func refusesWhatNoDatabaseHolds(engine: Engine) throws {
        let pins = try engine.catalog().pins
        #expect(throws: CatalogError.nameContainsNUL) {
            try pins.add(PinDraft(root: try cid(1), name: "a\0b"))
        }
        var draft = PinDraft(root: try cid(1))
        draft.meta = ["k": String(repeating: "v", count: Pin.maximumMetaBytes)]
        #expect(throws: CatalogError.metaTooLarge(bytes: 65_544, maximum: 65_536)) { try pins.add(draft) }
    }

    @Test(arguments: Engine.all) func updateChangesOnlyWhatIsGiven(engine: Engine) throws {
        let pins = try engine.catalog().pins
        let pin = try pins.add(PinDraft(root: try cid(1), name: "a", status: .queued)).pin
        var change = PinChange()
        change.status = .pinned
        change.figures = PinFigures(blockCount: 3)
        let updated = try pins.update(pin.id, change)
        #expect(updated.status == .pinned)
        #expect(updated.name == "a")
        #expect(try pins.pin(pin.id) == updated)
        #expect(try pins.counters().byStatus.filter { $0.value != 0 } == [.pinned: 1])
        #expect(try pins.counters().blockCount == 3)
    }

    @Test(arguments: Engine.all) func updateRefusesANameThatTheRootHasAlready(engine: Engine) throws {
        let catalog = try engine.catalog()
        let pins = catalog.pins
        let root = try cid(1)
        try pins.add([PinDraft(root: root, name: "a"), PinDraft(root: root, name: "b")])
        let pin = try #require(try pins.list().pins.first { $0.name == "a" })
        var change = PinChange()
        change.name = "b"
        #expect(throws: CatalogError.duplicatePin(root: root, name: "b")) { try pins.update(pin.id, change) }
        #expect(try pins.pin(pin.id) == pin)
        #expect(try catalog.problems() == [])
    }

    @Test(arguments: Engine.all) func updatingAnAbsentPinIsAnErrorAndRemovingItIsNot(engine: Engine) throws {
        let pins = try engine.catalog().pins
        let id = try PinID(text: "01ARZ3NDEKTSV4RRFFQ69G5FAV")
        #expect(throws: CatalogError.pinAbsent(id)) { try pins.update(id, PinChange()) }
        #expect(try pins.remove(id) == nil)
    }

    @Test(arguments: Engine.all, [PinOrder.newestFirst, .oldestFirst])
    func pagesJoinToTheWholeList(engine: Engine, order: PinOrder) throws {
        let pins = try engine.catalog().pins
        let added = try pins.add((0..<25).map { PinDraft(root: try cid($0)) }).map(\.pin)
        var seen: [Pin] = []
        var cursor: PinID?
        var pages = 0
        repeat {
            let page = try pins.list(after: cursor, limit: 10, order: order)
            seen += page.pins
            cursor = page.next
            pages += 1
        } while cursor != nil
        #expect(pages == 3)
        #expect(seen == (order == .oldestFirst ? added : added.reversed()))
    }

    @Test(arguments: Engine.all) func aFullLastPageHasNoNext(engine: Engine) throws {
        let pins = try engine.catalog().pins
        try pins.add((0..<10).map { PinDraft(root: try cid($0)) })
        #expect(try pins.list(limit: 10).next == nil)
    }

    @Test(arguments: Engine.all) func filtersByNamePrefixInTheOrderOfBytes(engine: Engine) throws {
        let pins = try engine.catalog().pins
        let names = [
            "", "a", "ab", "abc", "a%c", "a_c", "b", "A", "é", "\u{D7FF}x", "\u{E000}", "\u{10FFFF}y",
        ]
        try pins.add(names.enumerated().map { PinDraft(root: try cid(UInt64($0)), name: $1) })
        for prefix in ["", "a", "ab", "a%", "A", "é", "\u{D7FF}", "\u{10FFFF}", "x"] {
            var filter = PinFilter()
            filter.namePrefix = prefix
            let found = try pins.list(filter).pins.map(\.name).sorted()
            #expect(found == names.filter { $0.utf8.starts(with: prefix.utf8) }.sorted(), "\(prefix)")
        }
    }

    @Test(arguments: Engine.all) func filtersByStatusVisibilityOwnerAndTime(engine: Engine) throws {
        let pins = try engine.catalog().pins
        try pins.add([
            PinDraft(root: try cid(1), name: "q", status: .queued),
            PinDraft(root: try cid(2), name: "p", visibility: .private),
            PinDraft(root: try cid(3), name: "o", owner: ProjectID(rawValue: "other")),
        ])
        func names(_ set: (inout PinFilter) -> Void) throws -> [String] {
            var filter = PinFilter()
            set(&filter)
            return try pins.list(filter).pins.map(\.name)
        }
        #expect(try names { $0.statuses = [.queued, .failed] } == ["q"])
        #expect(try names { $0.statuses = [] } == [])
        #expect(try names { $0.visibility = .private } == ["p"])
        #expect(try names { $0.owner = ProjectID(rawValue: "other") } == ["o"])
        #expect(try names { $0.createdAfter = 1_700_000_000_000 } == [])
        #expect(try names { $0.createdBefore = 1_700_000_000_001 }.count == 3)
        #expect(try names { $0.name = "p" } == ["p"])
    }

    @Test(arguments: Engine.all) func aRootIsFoundUnderBothVersionsOfItsCID(engine: Engine) throws {
        let pins = try engine.catalog().pins
        let new = try cid(1, codec: .dagPB)
        let old = try CID(version0: new.multihash)
        try pins.add([PinDraft(root: old), PinDraft(root: try cid(2))])
        #expect(try pins.list(PinFilter(root: new)).pins.map(\.root) == [old])
        #expect(try pins.isPinned(new))
        #expect(try pins.isPinned(old))
        #expect(try !pins.isPinned(cid(3)))
    }

    @Test(arguments: Engine.all) func removeAllTakesOnlyWhatTheFilterLetsThrough(engine: Engine) throws {
        let catalog = try engine.catalog()
        let pins = catalog.pins
        try pins.add((0..<2500).map { PinDraft(root: try cid($0), name: $0 % 5 == 0 ? "keep" : "drop") })
        var filter = PinFilter()
        filter.name = "drop"
        #expect(try pins.removeAll(filter) == 2000)
        #expect(try pins.counters().pins == 500)
        #expect(try catalog.problems() == [])
    }

    @Test(arguments: Engine.all) func everyRootComesWhateverItsStatus(engine: Engine) throws {
        let pins = try engine.catalog().pins
        let drafts = try (0..<1500).map {
            PinDraft(root: try cid(UInt64($0)), status: PinStatus.allCases[$0 % 4])
        }
        try pins.add(drafts)
        var roots: [CID] = []
        try pins.forEachRoot { roots.append($0) }
        #expect(roots == drafts.map(\.root))
    }

    @Test(arguments: Engine.all) func aPinAddedWhileRootsAreGivenStillComes(engine: Engine) throws {
        let pins = try engine.catalog().pins
        try pins.add(PinDraft(root: try cid(1)))
        var roots: [CID] = []
        try pins.forEachRoot { root in
            roots.append(root)
            // Larger than a page, so that the addition falls behind the first one.
            if roots.count == 1 { try pins.add((2..<1300).map { PinDraft(root: try cid($0)) }) }
            if roots.count == 2 { try pins.add(PinDraft(root: try cid(5000))) }
        }
        let last = try cid(5000)
        #expect(roots.count == 1 || roots.last == last)
    }

    @Test(arguments: Engine.all) func manyThreadsAddTheSamePinOnce(engine: Engine) async throws {
        let pins = try engine.catalog().pins
        let root = try cid(1)
        let new = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<8 {
                group.addTask { [pins] in
                    let mine = try pins.add([
                        PinDraft(root: root), PinDraft(root: try cid(UInt64(100 + number))),
                    ])
                    return mine.filter(\.isNew).count
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(new == 9)
        #expect(try pins.counters().pins == 9)
    }
}

@Suite struct PinIDTests {
    @Test func readsBothCasesAndNothingElse() throws {
        let id = try PinID(text: "01arz3ndektsv4rrffq69g5fav")
        #expect(id.text == "01ARZ3NDEKTSV4RRFFQ69G5FAV")
        for text in [
            "", "01ARZ3NDEKTSV4RRFFQ69G5FA", "81ARZ3NDEKTSV4RRFFQ69G5FAV", "01ARZ3NDEKTSV4RRFFQ69G5FAU",
        ] {
            #expect(throws: CatalogError.invalidID(text)) { try PinID(text: text) }
        }
    }

    @Test(arguments: Engine.all) func idsGrowEvenIfTheClockGoesBack(engine: Engine) throws {
        let disk = try CatalogPlace(engine)
        var ids: [PinID] = []
        for time in [2_000_000_000_000, 1_000, 1_500_000_000_000] as [Int64] {
            let catalog = try disk.open(at: time)
            ids += try catalog.pins.add((0..<50).map { PinDraft(root: try cid($0 + UInt64(time))) }).map(
                \.pin.id)
            try catalog.close()
        }
        #expect(ids == ids.sorted())
        #expect(Set(ids).count == ids.count)
    }
}
