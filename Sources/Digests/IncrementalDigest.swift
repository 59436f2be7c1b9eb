/// One hash function at work: fed with bytes in order, then finished once.
protocol IncrementalDigest {
    mutating func update(_ bytes: UnsafeRawBufferPointer)
    /// The digest of everything fed; nothing may be called afterwards.
    mutating func finish() -> [UInt8]
}
