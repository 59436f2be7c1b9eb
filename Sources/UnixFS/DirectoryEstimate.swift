import Multiformats

/// Adds up what decides whether a directory is sharded.
struct DirectoryEstimate: Hashable, Sendable {
    let threshold: Int?
    private let estimate: DirectoryParameters.HAMTEstimate
    private(set) var total = 0

    init(parameters: ImportParameters, metadata: UnixFSMetadata) {
        threshold = parameters.directory.hamtThreshold
        estimate = parameters.directory.hamtEstimate
        if estimate == .blockBytes {
            let data = UnixFSData(kind: .directory, metadata: metadata).encoded()
            total = DirectoryBlock.dataSizeInNode(data)
        }
    }

    var isOverThreshold: Bool {
        guard let threshold else { return false }
        return total > threshold
    }

    mutating func add(_ entry: DirectoryEntry) { total += size(of: entry) }

    mutating func add(nameBytes: Int, cidBytes: Int, dagBytes: UInt64) {
        total += size(nameBytes: nameBytes, cidBytes: cidBytes, dagBytes: dagBytes)
    }

    /// What one entry adds.
    func size(of entry: DirectoryEntry) -> Int {
        size(nameBytes: entry.name.count, cidBytes: entry.cid.byteCount, dagBytes: entry.dagBytes)
    }

    private func size(nameBytes: Int, cidBytes: Int, dagBytes: UInt64) -> Int {
        switch estimate {
        case .links: 1
        case .linksBytes: nameBytes + cidBytes
        case .blockBytes:
            DirectoryBlock.linkSizeInNode(cidBytes: cidBytes, nameBytes: nameBytes, dagBytes: dagBytes)
        }
    }
}
