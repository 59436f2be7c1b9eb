/// One step of the schema.
///
/// A step runs in a transaction of its own and can be run again on a schema that has it already.
/// A released step is never edited: a later one changes what it made. No step rewrites a large table in
/// one statement.
package struct Migration: Sendable {
    /// 1, 2, 3 and so on, without a hole.
    package let version: Int
    package let name: String
    package let apply: @Sendable (any SQLConnection) throws -> Void

    package init(
        _ version: Int, _ name: String, _ apply: @escaping @Sendable (any SQLConnection) throws -> Void
    ) {
        self.version = version
        self.name = name
        self.apply = apply
    }
}
