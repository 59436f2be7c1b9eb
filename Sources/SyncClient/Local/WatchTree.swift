/// Which directory a number of inotify means. Paths are put together from names, so that the move of a
/// directory of any size is one change.
struct WatchTree {
    private struct Watch {
        var parent: Int32
        var name: String
        var children: [ExactPath: Int32] = [:]
    }

    private var watches: [Int32: Watch] = [:]
    /// The folder itself; negative if it is not watched.
    private(set) var root: Int32 = -1

    var count: Int { watches.count }

    mutating func setRoot(_ number: Int32) {
        root = number
        watches[number] = Watch(parent: -1, name: "")
    }

    func contains(_ number: Int32) -> Bool { watches[number] != nil }

    /// Adds a directory. One that is known moves to the new place, with what is below it.
    mutating func add(_ number: Int32, _ name: String, in parent: Int32) {
        guard number != root, watches[parent] != nil else { return }
        if watches[number] != nil {
            unlink(number)
        } else {
            watches[number] = Watch(parent: parent, name: name)
        }
        watches[number]?.parent = parent
        watches[number]?.name = name
        watches[parent]?.children[ExactPath(name)] = number
    }

    /// Takes a directory out of the one above it, unless another one has its name there.
    private mutating func unlink(_ number: Int32) {
        guard let watch = watches[number], watches[watch.parent]?.children[ExactPath(watch.name)] == number
        else {
            return
        }
        watches[watch.parent]?.children[ExactPath(watch.name)] = nil
    }

    /// Whether a directory is still at a place, as far as is known.
    func isAt(_ number: Int32, _ name: String, in parent: Int32) -> Bool {
        guard let watch = watches[number] else { return false }
        return watch.parent == parent && ExactPath(watch.name) == ExactPath(name)
    }

    func child(_ name: String, of parent: Int32) -> Int32? { watches[parent]?.children[ExactPath(name)] }

    /// Forgets a directory and all below it.
    ///
    /// - Returns: their numbers.
    mutating func remove(_ number: Int32) -> [Int32] {
        unlink(number)
        var removed: [Int32] = []
        var rest = [number]
        while let next = rest.popLast() {
            guard let watch = watches.removeValue(forKey: next) else { continue }
            removed.append(next)
            rest += watch.children.values
        }
        if number == root { root = -1 }
        return removed
    }

    /// The path of a directory, relative to the folder; `nil` if the number is not known.
    func path(of number: Int32) -> String? {
        var names: [String] = []
        var current = number
        while current != root {
            // A circle cannot be: more names than directories would be one.
            guard let watch = watches[current], names.count <= watches.count else { return nil }
            names.append(watch.name)
            current = watch.parent
        }
        return root < 0 ? nil : names.reversed().joined(separator: "/")
    }
}
