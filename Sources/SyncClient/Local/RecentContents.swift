import Multiformats
import Synchronization

/// The bytes of small files between the scan that hashed them and the commit that carries them: so that
/// nobody reads them twice.
///
/// Bounded by bytes; what comes while it is full is read again. Thread-safe.
public final class RecentContents: Sendable {
    private struct State {
        var contents: [CID: [UInt8]] = [:]
        var bytes = 0
    }

    private let state = Mutex(State())
    private let limit: Int

    /// - Parameter limit: bytes.
    public init(limit: Int = 8 * 1024 * 1024) { self.limit = limit }

    /// Keeps what came along with results, as far as there is room.
    func insert(_ results: [ContentResult]) {
        state.withLock { state in
            for case .content(let content) in results {
                guard let inline = content.inline, !inline.isEmpty, inline.count <= limit - state.bytes,
                    state.contents.updateValue(inline, forKey: content.root) == nil
                else { continue }
                state.bytes += inline.count
            }
        }
    }

    func take(_ root: CID) -> [UInt8]? {
        state.withLock { state in
            guard let content = state.contents.removeValue(forKey: root) else { return nil }
            state.bytes -= content.count
            return content
        }
    }

    func removeAll() { state.withLock { $0 = State() } }
}
