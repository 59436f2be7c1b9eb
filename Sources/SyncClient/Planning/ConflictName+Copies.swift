import SyncProtocol

extension ConflictName {
    /// Whether two names are of copies of one file.
    func isCopy(ofSameAs other: ConflictName) -> Bool {
        NameKey(stem + suffix, ignoringCase: true) == NameKey(other.stem + other.suffix, ignoringCase: true)
    }
}
