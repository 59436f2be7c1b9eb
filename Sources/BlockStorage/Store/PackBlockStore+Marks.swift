extension PackBlockStore {
    /// Makes changes of marks survive power loss.
    ///
    /// Blocks are in the packs, from which the index is made again; marks of blocks that were held before are
    /// nowhere but in the index.
    public func commitMarks() throws {
        try commit()
        if options.durability != .os { try index.sync() }
    }
}
