import NodeCore

/// Whether another process has the data directory open.
struct HolderCheck {
    let directory: String
    let holder: LockHolder?

    func finding() -> Finding {
        guard let holder else { return .ok("lock", "no process has the data directory open") }
        guard let address = holder.address else {
            return .warn(
                "lock", "process \(holder.processID) has the data directory open and serves nothing",
                advice: "other verbs wait for its end: `ps \(holder.processID)` says what it is")
        }
        return .ok("lock", "process \(holder.processID) serves it at \(address)")
    }
}
