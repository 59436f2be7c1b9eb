public import Catalog
public import IPNS
public import Multiformats
import Namespaces

/// Names that follow namespaces.
///
/// What a name follows is a row of the catalog with the version that was published last, so that nothing is
/// missed over a restart: whoever looks finds the names that are behind. A new record and the row's new
/// version are one transaction, which checks that the name still follows; so nothing is published for a name
/// that was just pointed elsewhere.
extension StorageNode {
    /// Lets a name point to a namespace, or to what is at a path in it: now, and to each new head from here
    /// on, by ``publishFollowing(in:at:)``.
    ///
    /// - Parameter path: names from the root of the namespace; empty for all of it.
    /// - Throws: `NameError.namespaceOfOtherProject`, `NamespaceError.pathAbsent`, and what
    ///   ``publish(_:as:options:at:)`` throws.
    @discardableResult
    public func publish(
        following namespace: Namespace, path: [String], as entry: NameEntry,
        options: PublishOptions = PublishOptions(), at now: IPNSTime = .now
    ) throws -> NameEntry {
        guard namespace.project == entry.owner else {
            throw NameError.namespaceOfOtherProject(namespace.name)
        }
        let joined = path.joined(separator: "/")
        guard joined.utf8.count <= NameFollow.maximumPathBytes,
            try path.isEmpty || namespaces.node(at: joined, in: namespace) != nil
        else { throw NamespaceError.pathAbsent(joined) }
        var follow = NameFollow(
            name: entry.id, namespace: namespace.id, path: joined, since: now.unixMilliseconds)
        let (target, version) = try followed(follow, namespace)
        follow.version = version
        var options = options
        options.follow = .began(follow)
        return try publish(target, as: entry, options: options, at: now)
    }

    /// Ends the following of a name; its record stays, and keeps being renewed.
    ///
    /// - Throws: `NameError.followsNothing`.
    public func endFollowing(_ entry: NameEntry) throws {
        guard try catalog.nameFollows.remove(entry.id) else { throw NameError.followsNothing(entry.id) }
    }

    /// What ``publishFollowing(in:at:)`` did.
    public struct FollowingReport: Sendable {
        public var published = 0
        /// Names that could not be published, and why; each is tried again after a minute.
        public var failures: [(name: PeerID, error: any Error)] = []
    }

    private static let retryMilliseconds: Int64 = 60_000
    /// How long a namespace must be quiet, where no change of it was told of in this process.
    private static let quietMilliseconds: Int64 = 1000
    /// How many namespaces one statement asks for.
    private static let namespacesAtOnce = 500

    /// Publishes the newest heads under the names that follow namespaces and are behind.
    ///
    /// - Parameter changed: namespaces that have settled; `nil` for all that are at rest: for a timer,
    ///   which finds what was changed by other processes or before a restart.
    public func publishFollowing(
        in changed: [NamespaceID]? = nil, at now: IPNSTime = .now
    ) throws -> FollowingReport {
        var report = FollowingReport()
        guard let changed else {
            try publishBehind(in: nil, now, &report)
            return report
        }
        for start in stride(from: 0, to: changed.count, by: Self.namespacesAtOnce) {
            let part = changed[start..<min(start + Self.namespacesAtOnce, changed.count)]
            try publishBehind(in: Array(part), now, &report)
        }
        return report
    }

    private func publishBehind(
        in changed: [NamespaceID]?, _ now: IPNSTime, _ report: inout FollowingReport
    ) throws {
        var last: PeerID?
        repeat {
            let page = try catalog.nameFollows.behind(
                in: changed, retryBefore: now.unixMilliseconds - Self.retryMilliseconds, after: last)
            for follow in page {
                do {
                    if try advance(follow, needsRest: changed == nil, now) { report.published += 1 }
                } catch {
                    report.failures.append((follow.name, error))
                    var failed = follow
                    failed.tried = now.unixMilliseconds
                    failed.failure = String(describing: error)
                    try catalog.nameFollows.note(failed, over: follow)
                }
            }
            last = page.last?.name
        } while last != nil
    }

    /// - Returns: whether a record was signed.
    private func advance(_ follow: NameFollow, needsRest: Bool, _ now: IPNSTime) throws -> Bool {
        guard let entry = try catalog.names.name(follow.name),
            let namespace = try catalog.namespaces.namespace(follow.namespace), namespace.deleted == nil,
            !needsRest || isAtRest(namespace)
        else { return false }
        let (target, version) = try followed(follow, namespace)
        var next = follow
        next.version = version
        next.tried = now.unixMilliseconds
        next.failure = nil
        if let last = entry.publication, last.target == target.description,
            last.validUntil > now.unixMilliseconds
        {
            // What was changed was changed back, or is not what the name is about.
            try catalog.nameFollows.note(next, over: follow)
            return false
        }
        var options = PublishOptions()
        if let last = entry.publication {
            options.fields = try IPNSRecord(decoding: last.record).hasV1Fields ? .bothVersions : .onlyV2
        }
        options.follow = .advanced(from: follow, to: next)
        do {
            try publish(target, as: entry, options: options, at: now)
            return true
        } catch NameRepositoryError.followChanged {
            return false  // somebody pointed it elsewhere, or was faster
        }
    }

    private func followed(
        _ follow: NameFollow, _ namespace: Namespace
    ) throws -> (target: ContentPath, version: Int64) {
        let snapshot = try snapshot(of: namespace)
        let segments = NamespaceStore.components(of: follow.path).map { Array($0.utf8) }
        return (try ContentPath(root: .ipfs(snapshot.root), segments: segments), snapshot.jid)
    }

    /// A namespace that is being changed is left until it has settled.
    private func isAtRest(_ namespace: Namespace) -> Bool {
        let age = catalog.namespaces.currentTime - namespace.updated
        return !namespaces.feed.isChanging(namespace.id)
            && !(0..<Self.quietMilliseconds).contains(age)
    }
}
