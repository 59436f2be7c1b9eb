import Synchronization

extension PackBlockStore {
    /// Counts everything that can make an answer wrong which was right before: blocks that were dropped, lost
    /// a mark, or were found damaged.
    ///
    /// Who remembers an answer reads this before making it, and gives the answer again only while the count
    /// is the same. It rises when the change is visible to readers, and before the call that made it returns.
    public var withdrawals: UInt64 { withdrawalCount.load(ordering: .acquiring) }

    func noteWithdrawal() { withdrawalCount.add(1, ordering: .acquiringAndReleasing) }
}
