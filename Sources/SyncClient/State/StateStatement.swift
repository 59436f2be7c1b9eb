import GRDB
import GRDBSQLite
import Multiformats
import TreeValues

/// A prepared statement, driven directly: rows are bound and read without a value or array in between.
///
/// Parameters count from 1, columns from 0. Reset it after use, so that it holds no lock.
struct StateStatement {
    private let handle: OpaquePointer
    private let path: String

    init(_ statement: Statement, path: String) {
        handle = statement.sqliteStatement
        self.path = path
    }

    // MARK: Parameters

    func bind(_ index: Int32, _ value: Int64) { sqlite3_bind_int64(handle, index, value) }

    func bind(_ index: Int32, _ value: Int64?) {
        if let value { bind(index, value) } else { sqlite3_bind_null(handle, index) }
    }

    func bind(_ index: Int32, _ id: NodeID) {
        withUnsafeBytes(of: id.bits.bigEndian) { bind(index, $0) }
    }

    func bind(_ index: Int32, _ bytes: UnsafeRawBufferPointer) {
        // A pointer to nothing would be NULL, and not an empty value.
        guard let start = bytes.baseAddress else {
            sqlite3_bind_zeroblob(handle, index, 0)
            return
        }
        sqlite3_bind_blob64(handle, index, start, UInt64(bytes.count), Self.transient)
    }

    func bind(_ index: Int32, _ bytes: [UInt8]) { bytes.withUnsafeBytes { bind(index, $0) } }

    func bind(_ index: Int32, _ text: String?) {
        guard var text else {
            sqlite3_bind_null(handle, index)
            return
        }
        text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { characters in
                guard let start = characters.baseAddress else {
                    sqlite3_bind_text(handle, index, "", 0, Self.transient)
                    return
                }
                sqlite3_bind_text64(
                    handle, index, start, UInt64(characters.count), Self.transient, UInt8(SQLITE_UTF8))
            }
        }
    }

    func bind(_ index: Int32, _ cid: CID?) {
        guard let cid else {
            sqlite3_bind_null(handle, index)
            return
        }
        guard cid.version == 1, cid.multihash.code == .sha2_256, cid.codec.rawValue < 0x80 else {
            return bind(index, cid.bytes)
        }
        // Nearly all: version, codec, function and length are a byte each, and no array is needed.
        withUnsafeTemporaryAllocation(byteCount: 36, alignment: 8) { buffer in
            (buffer[0], buffer[1], buffer[2], buffer[3]) = (1, UInt8(cid.codec.rawValue), 0x12, 0x20)
            cid.multihash.withDigest { digest in
                UnsafeMutableRawBufferPointer(rebasing: buffer[4...]).copyBytes(from: digest.prefix(32))
            }
            bind(index, UnsafeRawBufferPointer(buffer))
        }
    }

    // MARK: Running

    /// Goes to the next row; false at the end.
    func step() throws(SyncStateError) -> Bool {
        switch sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default:
            let database = sqlite3_db_handle(handle)
            let error = DatabaseError(
                resultCode: ResultCode(rawValue: sqlite3_extended_errcode(database)),
                message: sqlite3_errmsg(database).map { String(cString: $0) })
            throw SyncStateError(error, path: path)
        }
    }

    func reset() { sqlite3_reset(handle) }

    /// Runs a statement that gives no rows.
    func run() throws(SyncStateError) {
        defer { reset() }
        _ = try step()
    }

    // MARK: Columns

    func isNull(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_NULL }
    func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }
    func optionalInteger(_ column: Int32) -> Int64? { isNull(column) ? nil : integer(column) }

    /// Valid until the next step.
    func bytes(_ column: Int32) -> UnsafeRawBufferPointer {
        let start = sqlite3_column_blob(handle, column)
        return UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, column)))
    }

    func id(_ column: Int32) throws(SyncStateError) -> NodeID {
        let bytes = bytes(column)
        guard bytes.count == 16 else { throw .badRow(table: "an id") }
        return NodeID(bits: UInt128(bigEndian: bytes.loadUnaligned(as: UInt128.self)))
    }

    func text(_ column: Int32) -> String? {
        guard let start = sqlite3_column_text(handle, column) else { return nil }
        let count = Int(sqlite3_column_bytes(handle, column))
        return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }

    func cid(_ column: Int32) throws(SyncStateError) -> CID? {
        let bytes = bytes(column)
        guard !bytes.isEmpty else { return nil }
        do {
            return try CID(RawSpan(_unsafeBytes: bytes))
        } catch {
            throw .badRow(table: "a CID")
        }
    }

    /// SQLite copies the value at once.
    private static var transient: sqlite3_destructor_type {
        unsafeBitCast(-1, to: sqlite3_destructor_type.self)
    }
}
