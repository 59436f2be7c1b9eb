import Glibc
import NodeCore

/// Whether blocks are known to be damaged. Nothing is read but what was noted when they were met.
struct DamageCheck {
    let directory: String
    let configuration: Configuration

    func findings() -> [Finding] {
        // What is wrong with the catalog is told by the check of the catalog.
        guard access(directory + "/VERSION", F_OK) == 0,
            let damaged = try? DamageRecord.recorded(in: directory, configuration)
        else { return [] }
        guard let first = damaged.first else {
            return [.ok("blocks", "none is known to be damaged; `nacre verify` looks at every one")]
        }
        let count =
            damaged.count == 1
            ? "1 block is damaged: \(first)"
            : "\(damaged.count) blocks are damaged, the first is \(first)"
        return [
            .warn(
                "blocks", count,
                advice:
                    "`nacre verify` names them and the pins they are missing from; add that content again, "
                    + "or put the packs back from a backup (docs/how-to/repair.md)")
        ]
    }
}
