import BlockStorage
import IPLD
import NodeCore
import TestKit
import Testing

/// A block that went bad is counted, whoever met it first, until it is mended.
@Suite struct DamageMetricTests {
    private static func figures(_ laboratory: ServerLaboratory) async throws -> [Substring] {
        let page = try await laboratory.connect { try $0.get("/metrics").text }
        return page.split(separator: "\n").filter { $0.hasPrefix("nacre_blocks_") }
    }

    private static func expect(
        damaged: Int, found: Int, _ laboratory: ServerLaboratory, _ what: Comment
    ) async throws {
        let expected: Set<Substring> = [
            "nacre_blocks_damaged \(damaged)", "nacre_blocks_found_damaged_total \(found)",
        ]
        // What broke off an answer is noted right behind it.
        var figures = try await figures(laboratory)
        for _ in 0..<100 where Set(figures) != expected { figures = try await Self.figures(laboratory) }
        #expect(Set(figures) == expected, what)
    }

    @Test func damagedBlocksAreCountedUntilTheyAreMended() async throws {
        let (large, small) = (
            SeededRandom.bytes(seed: 1, count: 3_000_000), SeededRandom.bytes(seed: 2, count: 5000)
        )
        try await ServerLaboratory.serve { laboratory in
            let (root, leaf) = (try laboratory.add(large), try laboratory.add(small))
            try await Self.expect(damaged: 0, found: 0, laboratory, "nothing is")
            // One that is met in the middle of an answer, and one at its beginning.
            try laboratory.damage(large[2_500_000..<2_500_064])
            try laboratory.damage(small[0..<64])
            for _ in 0..<2 {
                #expect(try await laboratory.connect { try !$0.get("/ipfs/\(root)").isWhole })
                #expect(try await laboratory.connect { try $0.get("/ipfs/\(leaf)").status } == 500)
            }
            try await Self.expect(damaged: 2, found: 2, laboratory, "each counts once")
            // Bringing it in again mends it.
            _ = try laboratory.add(small)
            try await Self.expect(damaged: 1, found: 2, laboratory, "one is mended")
            let report = try laboratory.node.verify()
            #expect(report.storage.count == 1)
            try await Self.expect(damaged: 1, found: 2, laboratory, "verifying finds the same")
            #expect(laboratory.node.damage.known().count == 1)
        }
    }
}
