import Synchronization

/// Open packs for reading: the most recently used ones stay open.
final class PackReader: Sendable {
    private struct State {
        var files: [UInt64: (file: any FileHandle, lastUse: UInt64)] = [:]
        var clock: UInt64 = 0
    }

    private let state = Mutex(State())
    private let files: any FileSystem
    private let directory: String
    private let capacity: Int

    init(directory: String, files: any FileSystem, capacity: Int) {
        self.directory = directory
        self.files = files
        self.capacity = max(1, capacity)
    }

    /// The file of a pack. A file that is being read stays open after the pack was removed, until the read
    /// ends.
    func file(_ number: UInt64) throws -> any FileHandle {
        let known: (any FileHandle)? = state.withLock { state in
            state.clock += 1
            state.files[number]?.lastUse = state.clock
            return state.files[number]?.file
        }
        if let known { return known }
        let opened = try files.open(directory + "/" + PackFormat.fileName(number), .read)
        return state.withLock { state in
            if let raced = state.files[number]?.file { return raced }
            if state.files.count >= capacity,
                let oldest = state.files.min(by: { $0.value.lastUse < $1.value.lastUse })
            {
                state.files[oldest.key] = nil
            }
            state.files[number] = (opened, state.clock)
            return opened
        }
    }

    func forget(_ number: UInt64) {
        state.withLock { $0.files[number] = nil }
    }
}
