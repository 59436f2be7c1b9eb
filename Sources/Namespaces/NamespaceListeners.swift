package import Catalog
import Synchronization

/// Who listens to something of namespaces. Thread-safe; a namespace that nobody listens to costs nothing.
package final class NamespaceListeners: Sendable {
    /// Is told of a namespace, on the thread that tells; must not take long.
    package typealias Body = @Sendable (NamespaceID) -> Void

    private struct State {
        var lastNumber: UInt64 = 0
        var bodies: [NamespaceID: [UInt64: Body]] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    /// Calls `body` whenever one of these namespaces is told of, as long as the listening lives.
    package func listen(to namespaces: [NamespaceID], _ body: @escaping Body) -> Listening {
        let number = state.withLock { state in
            state.lastNumber += 1
            for namespace in namespaces {
                state.bodies[namespace, default: [:]][state.lastNumber] = body
            }
            return state.lastNumber
        }
        return Listening { [weak self] in self?.remove(number, of: namespaces) }
    }

    private func remove(_ number: UInt64, of namespaces: [NamespaceID]) {
        state.withLock { state in
            for namespace in namespaces {
                state.bodies[namespace]?[number] = nil
                if state.bodies[namespace]?.isEmpty == true { state.bodies[namespace] = nil }
            }
        }
    }

    /// Tells those who listen to a namespace. Nobody is called under a lock.
    package func tell(_ namespace: NamespaceID) {
        let bodies = state.withLock { Array(($0.bodies[namespace] ?? [:]).values) }
        for body in bodies { body(namespace) }
    }
}

/// Ends listening when it is let go of.
public final class Listening: Sendable {
    private let end: @Sendable () -> Void

    fileprivate init(end: @escaping @Sendable () -> Void) { self.end = end }

    deinit { end() }
}
