import Foundation
import Testing

/// Seeds are run in portions, so that the test says how far it is and stops at the first that fails.
@Suite struct SimulationTests {
    private static func setting(_ name: String) -> Int? {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) }
    }

    private static let portions = 100
    /// After so many failed seeds a portion ends; all are counted with `NACRE_SIMULATION_ALL`.
    private static let maximumFailures = setting("NACRE_SIMULATION_ALL") == nil ? 3 : Int.max

    @Test func aFewDevicesInCalmWeatherBecomeEqual() throws {
        for seed in 0..<UInt64(100) {
            if let only = Self.setting("NACRE_SIMULATION_CALM"), UInt64(only) != seed { continue }
            var simulation = try Simulation(seed: seed, weather: .calm)
            simulation.isLoud = Self.setting("NACRE_SIMULATION_LOUD") != nil
            try simulation.run()
        }
    }

    /// `NACRE_SIMULATION_SEEDS`: how many; `NACRE_SIMULATION_START`: the first.
    @Test(arguments: 0..<portions)
    func nothingThatAnybodyWroteIsEverLost(portion: Int) throws {
        let count = Self.setting("NACRE_SIMULATION_SEEDS") ?? 10_000
        let start = Self.setting("NACRE_SIMULATION_START") ?? 0
        var failures = 0
        for seed in stride(from: start + portion, to: start + count, by: Self.portions) {
            do {
                var simulation = try Simulation(seed: UInt64(seed))
                simulation.isLoud = Self.setting("NACRE_SIMULATION_LOUD") != nil
                try simulation.run()
            } catch {
                Issue.record("\(error)")
                failures += 1
                // Enough to look at: the others are likely of the same kind.
                if failures == Self.maximumFailures { break }
            }
        }
        #expect(failures == 0, "seeds that failed in this portion, \(Self.maximumFailures) at most")
    }
}
