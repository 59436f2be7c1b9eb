/// Names of the multicodec table, for the codes that Nacre meets.
public enum MulticodecTable {
    /// The name of a code, or `nil` if it is not in the table.
    public static func name(of code: UInt64) -> String? { nil }
}
