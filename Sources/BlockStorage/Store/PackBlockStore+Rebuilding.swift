import Multiformats

extension PackBlockStore {
    /// Makes the index anew from the packs alone, in a directory that nobody has open.
    ///
    /// The new index is built beside the old one and takes its place by a rename, so that a crash leaves one
    /// of them whole. Blocks that a collection had dropped but no compaction removed come back, unpinned. No
    /// block has a scope mark then: whoever opens the store restores them, see ``marksUncertainSince``.
    ///
    /// - Parameter progress: told of the number of packs done and in all.
    public static func rebuildIndex(
        directory: String, options: Options = Options(), progress: (Int, Int) throws -> Void = { _, _ in }
    ) throws -> StoreStatistics {
        let files = DiskFileSystem()
        try FormatVersion.check(directory, in: files, create: false)
        let lock = try DirectoryLock(directory)
        defer { lock.release() }
        let target = directory + "/blocks/index"
        let fresh = directory + "/blocks/index.new"
        let old = directory + "/blocks/index.old"
        try removeTree(fresh, files)
        try files.createDirectory(directory + "/blocks")
        let index = try RocksDBBlockIndex(directory: fresh)
        let recovery = PackRecovery(directory: directory + "/blocks/packs", files: files, options: options)
        let outcome = try recovery.run(index: index)
        try index.close()
        try progress(outcome.packs.count, outcome.packs.count)
        try removeTree(old, files)
        if try files.exists(target) { try files.rename(target, to: old) }
        try files.rename(fresh, to: target)
        try files.syncDirectory(directory + "/blocks")
        try removeTree(old, files)
        var statistics = StoreStatistics()
        for pack in outcome.packs.values {
            statistics.blocks += Int64(pack.liveSections)
            statistics.liveBytes += Int64(clamping: pack.liveBytes)
            statistics.packs += 1
            statistics.packBytes += Int64(clamping: pack.mark)
        }
        return statistics
    }

    /// RocksDB's directories are flat.
    private static func removeTree(_ path: String, _ files: DiskFileSystem) throws {
        guard try files.exists(path) else { return }
        for name in try files.names(in: path) { try files.remove(path + "/" + name) }
        try files.removeDirectory(path)
    }
}
