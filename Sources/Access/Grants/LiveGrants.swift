public import Catalog
import Synchronization

/// A grant with everything that can end it, as of one moment.
struct LiveGrant: Sendable {
    let grant: Grant
    /// The parent first.
    let ancestors: [Grant]
    /// What it allows after the role of its user was looked up.
    let operations: OperationSet
    let secretHash: [UInt8]
    /// Why it allows nothing at all: the grant, an ancestor or its user has been taken away.
    let end: AccessError?

    var isRevoked: Bool { end != nil }

    /// Why it does not allow a request, counters left aside.
    func refusal(
        of operation: Operation, on resource: Resource, _ facts: RequestFacts, at time: Int64
    ) -> AccessError? {
        if let end { return end }
        if let refusal = grant.refusal(of: operation, on: resource, facts, at: time) { return refusal }
        if !operations.allows(operation) { return .operationNotAllowed(operation) }
        // A grant is narrower than what is above it; that is not taken for granted.
        for ancestor in ancestors {
            if let refusal = ancestor.refusal(of: operation, on: resource, facts, at: time) { return refusal }
        }
        return nil
    }

    /// Every counter that a request through this grant adds to.
    func usageLimits(isUpload: Bool) -> [UsageLimit] {
        ([grant] + ancestors).compactMap { grant in
            let bytes = isUpload ? grant.limits.maximumBytes : nil
            guard grant.limits.maximumUses != nil || bytes != nil else { return nil }
            return UsageLimit(grant: grant.id, maximumUses: grant.limits.maximumUses, maximumBytes: bytes)
        }
    }

    /// The most bytes of one upload.
    var maximumFileBytes: Int64? { ([grant] + ancestors).compactMap(\.limits.maximumFileBytes).min() }
}

/// Grants as they are in the catalog, remembered while nobody else can change it.
///
/// A change through this process empties the memory before it returns, and what was read before the change
/// is not remembered after it: revoking works at once. Where other nodes share the catalog nothing is
/// remembered. Memory: at most `capacity` grants.
final class LiveGrants: Sendable {
    private struct Memory {
        var generation: UInt64 = 0
        var grants: [GrantID: LiveGrant] = [:]
        /// By hash of id and secret, so that an unknown id takes as long as a wrong secret.
        var verified: [[UInt8]: GrantID] = [:]
    }

    private let catalog: CatalogDatabase
    private let capacity: Int
    private let memory = Mutex(Memory())

    init(catalog: CatalogDatabase, capacity: Int) throws {
        self.catalog = catalog
        self.capacity = try catalog.grants.isShared() ? 0 : capacity
    }

    /// Call it after every change of grants, users, members or projects.
    func forget() {
        memory.withLock {
            $0.generation += 1
            $0.grants = [:]
            $0.verified = [:]
        }
    }

    /// The grant whose secret this hash was verified against.
    func verified(_ hash: [UInt8]) -> LiveGrant? {
        memory.withLock { memory in memory.verified[hash].flatMap { memory.grants[$0] } }
    }

    /// - Returns: `nil` if there is no such grant.
    func grant(_ id: GrantID) throws -> LiveGrant? {
        let (known, generation) = memory.withLock { ($0.grants[id], $0.generation) }
        if let known { return known }
        guard let loaded = try load(id) else { return nil }
        remember(generation) { $0.grants[id] = loaded }
        return loaded
    }

    /// Notes that the hash was verified.
    func verify(_ hash: [UInt8], of id: GrantID) {
        let generation = memory.withLock { $0.generation }
        remember(generation) { memory in
            if memory.grants[id]?.secretHash == hash { memory.verified[hash] = id }
        }
    }

    private func remember(_ generation: UInt64, _ change: (inout Memory) -> Void) {
        guard capacity > 0 else { return }
        memory.withLock { memory in
            guard memory.generation == generation else { return }
            // Rare and cheap to fill again, so everything goes rather than the oldest.
            if memory.grants.count >= capacity || memory.verified.count >= capacity {
                memory.grants = [:]
                memory.verified = [:]
            }
            change(&memory)
        }
    }

    private func load(_ id: GrantID) throws -> LiveGrant? {
        let records = try catalog.grants.chain(id)
        guard let record = records.first else { return nil }
        let grant = try Grant(record)
        let ancestors = try records.dropFirst().map { try Grant($0) }
        var operations = grant.operations
        let isRevoked = records.contains { $0.revoked != nil } || ancestors.count != grant.ancestors.count
        var end: AccessError? = isRevoked ? .revoked : nil
        if let user = grant.user {
            let held = try catalog.operations(of: user, on: grant.scope)
            operations = operations.narrowed(to: held)
            if held.isEmpty { end = end ?? .roleEnded }
        }
        return LiveGrant(
            grant: grant, ancestors: ancestors, operations: operations, secretHash: record.secretHash,
            end: end)
    }
}

extension CatalogDatabase {
    /// What a user may do within a resource; nothing for one who is gone or disabled.
    func operations(of id: UserID, on resource: Resource) throws -> OperationSet {
        guard let user = try users.user(id), user.disabled == nil else { return [] }
        if user.isAdministrator { return OperationSet([.admin]) }
        guard let project = resource.project else { return [] }
        var held = try projects.role(of: id, in: project)?.operations ?? []
        if let namespace = try namespace(of: resource),
            let role = try members.role(of: id, in: namespace)
        {
            held.formUnion(role.operations)
        }
        return held
    }

    /// The namespace that a scope is about, by whatever it is named.
    private func namespace(of resource: Resource) throws -> NamespaceID? {
        if let id = resource.namespaceID {
            return try namespaces.namespace(id)?.project == resource.project ? id : nil
        }
        guard case .namespace(let project, let name, _) = resource,
            let found = try namespaces.namespace(named: name), found.project == project
        else { return nil }
        return found.id
    }
}

extension ProjectRole {
    /// What a member with the role may do in the project.
    public var operations: OperationSet {
        switch self {
        case .owner: OperationSet([.admin])
        case .editor: OperationSet([.read, .write, .pin, .delete, .publish, .names, .keys, .jobs])
        case .reader: OperationSet([.read, .jobs])
        }
    }
}
