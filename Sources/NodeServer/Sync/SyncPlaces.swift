import Synchronization

/// Places for clients that stay for long: so many in all, and so many of one key or user, so that none takes
/// all of them.
final class SyncPlaces: Sendable {
    enum Refusal: Error, Equatable {
        /// All are taken.
        case all
        /// Those that one may have.
        case ofOne(maximum: Int)
    }

    private let maximum: Int
    private let maximumOfOne: Int
    private let taken = Mutex<(count: Int, byOwner: [String: Int])>((0, [:]))

    init(maximum: Int, ofOne maximumOfOne: Int) {
        (self.maximum, self.maximumOfOne) = (maximum, maximumOfOne)
    }

    /// How many are taken.
    var count: Int { taken.withLock { $0.count } }

    /// - Parameter owner: the key or the user.
    func take(by owner: String) -> Result<Place, Refusal> {
        taken.withLock { taken in
            guard taken.count < maximum else { return .failure(.all) }
            let own = taken.byOwner[owner] ?? 0
            guard own < maximumOfOne else { return .failure(.ofOne(maximum: maximumOfOne)) }
            taken.count += 1
            taken.byOwner[owner] = own + 1
            return .success(Place(self, owner))
        }
    }

    private func giveBack(_ owner: String) {
        taken.withLock { taken in
            taken.count -= 1
            let left = (taken.byOwner[owner] ?? 1) - 1
            // Who is gone leaves nothing behind.
            taken.byOwner[owner] = left > 0 ? left : nil
        }
    }

    /// Is given back when it is let go of.
    final class Place: Sendable {
        private let places: SyncPlaces
        private let owner: String

        fileprivate init(_ places: SyncPlaces, _ owner: String) {
            (self.places, self.owner) = (places, owner)
        }

        deinit { places.giveBack(owner) }
    }
}
