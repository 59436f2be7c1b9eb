import Testing

/// Imports point downwards only.
@Suite struct ImportTests {
    @Test func everyModuleHasItsPlaceInTheTable() throws {
        let unplaced = try SourceTree.modules().filter { LayerTable.modules[$0] == nil }
        #expect(unplaced == [], "add these to LayerTable, with the reason for what they may not import")
    }

    @Test func modulesImportOnlyWhatTheirLayerAllows() throws {
        for file in try SourceTree.swiftFiles(under: "Sources") {
            guard let rule = LayerTable.modules[file.module] else { continue }
            for (imported, line) in file.imports {
                let place = "\(file.path):\(line)"
                if LayerTable.exceptions[file.path]?.contains(imported) == true { continue }
                if LayerTable.everywhere.contains(imported) || rule.allowed.contains(imported) { continue }
                if LayerTable.fromLayer2.contains(imported) {
                    #expect(
                        rule.layer >= 2,
                        "\(place) \(file.module) imports \(imported): layers 0 and 1 do no I/O and need no Foundation"
                    )
                } else {
                    Issue.record("\(place) \(file.module) imports \(imported): \(rule.reason)")
                }
            }
        }
    }

    @Test func theTableItselfPointsDownwards() {
        for (name, module) in LayerTable.modules {
            for lower in module.allowed {
                guard let other = LayerTable.modules[lower] else { continue }
                #expect(other.layer <= module.layer, "\(name) may not import \(lower), which is above it")
            }
        }
    }

    @Test func readsEveryFormOfAnImportLine() {
        let file = SourceTree.File(
            path: "Sources/X/Y.swift",
            lines: [
                "public import IPLD", "@testable import CAR", "import struct Foundation.Date",
                "let import_ = 1",
                "internal import Catalog",
            ])
        #expect(file.imports.map(\.module) == ["IPLD", "CAR", "Foundation", "Catalog"])
    }
}
