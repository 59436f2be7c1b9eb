import Catalog
import Dispatch
import Multiformats
import Namespaces
import SyncProtocol
import Synchronization
import TreeValues

/// Files that are being sent to a node, for those who read ahead of the journal, and those who wait for more
/// of them. Thread-safe; bounded as ``InflightTable`` is.
public final class InflightDesk: Sendable {
    /// Calls something after so many milliseconds, on any thread.
    typealias Timer = @Sendable (_ milliseconds: Int64, _ body: @escaping @Sendable () -> Void) -> Void

    private let table: Mutex<InflightTable>
    private let listeners = NamespaceListeners()
    /// Milliseconds of a clock that never goes back.
    private let clock: @Sendable () -> Int64
    private let after: Timer

    /// - Parameters:
    ///   - firstMark: beyond the marks of all nodes that ran before on the same data.
    ///   - after: the system's if it is left out.
    init(clock: @escaping @Sendable () -> Int64, firstMark: Int64, after: Timer? = nil) {
        table = Mutex(InflightTable(firstMark: firstMark))
        self.clock = clock
        self.after =
            after ?? { milliseconds, body in
                DispatchQueue.global().asyncAfter(
                    deadline: .now() + .milliseconds(Int(clamping: milliseconds)), execute: body)
            }
    }

    /// How many files are offered, and bytes of them that are here.
    public var figures: (offers: Int, bytes: Int64) {
        table.withLock { table in
            table.expire(at: clock())
            return (table.count, table.bytes)
        }
    }

    func offers(in namespace: NamespaceID) -> [InflightTable.Offer] {
        table.withLock { table in
            table.expire(at: clock())
            return table.offers(in: namespace)
        }
    }

    /// Milliseconds until an offer ends.
    func timeLeft(_ offer: InflightTable.Offer) -> Int64 { max(0, offer.expires - clock()) }

    /// Takes a file in, unless it is too small or too large for that.
    ///
    /// - Parameters:
    ///   - revision: the node's; 0 for one that is not there.
    ///   - head: of the journal, as of which that was so.
    func offer(
        _ draft: InflightTable.Draft, in namespace: NamespaceID, revision: JID, head: JID, seconds: Int
    ) {
        guard InflightTable.isWorthwhile(draft) else { return }
        // Before the lock: it puts the leaves in order.
        let offer = InflightTable.Offer(draft, revision: revision, head: head)
        let announcement = table.withLock {
            $0.insert(offer, in: namespace, at: clock(), lifetime: Int64(seconds) * 1000)
        }
        carryOut(announcement, namespace)
    }

    /// Notes leaves that somebody brought for a namespace.
    func note(_ cids: [CID], by user: String?, in namespace: NamespaceID, seconds: Int) {
        let announcement = table.withLock {
            $0.note(cids, by: user, in: namespace, at: clock(), lifetime: Int64(seconds) * 1000)
        }
        carryOut(announcement, namespace)
    }

    func drop(_ node: NodeID, in namespace: NamespaceID) {
        table.withLock { $0.drop(node, in: namespace) }
    }

    func drop(_ offer: InflightTable.Offer, in namespace: NamespaceID) {
        table.withLock { $0.drop(offer, in: namespace) }
    }

    func confirm(_ offer: InflightTable.Offer, in namespace: NamespaceID, upTo head: JID) {
        table.withLock { $0.confirm(offer, in: namespace, upTo: head) }
    }

    private func carryOut(_ announcement: InflightTable.Announcement, _ namespace: NamespaceID) {
        switch announcement {
        case .now: announce(namespace)
        case .after(let milliseconds): after(milliseconds) { [weak self] in self?.announce(namespace) }
        case .nothing: break
        }
    }

    private func announce(_ namespace: NamespaceID) {
        guard table.withLock({ $0.announce(namespace, at: clock()) }) else { return }
        listeners.tell(namespace)
    }

    /// Calls `body` when more of a file came, a few times a second at most, as long as the listening
    /// lives. `body` must not take long.
    func listen(
        to namespaces: [NamespaceID], _ body: @escaping @Sendable (NamespaceID) -> Void
    ) -> Listening {
        listeners.listen(to: namespaces, body)
    }
}
