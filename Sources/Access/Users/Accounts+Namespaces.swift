public import Catalog

/// Who may use a namespace besides the project that owns it.
extension Accounts {
    /// The members of a namespace, the first ones first.
    ///
    /// - Throws: `operationNotAllowed`, `outOfScope` to whoever does not own the namespace.
    public func members(of namespace: Namespace, by principal: Principal) throws -> [NamespaceMember] {
        try requireOwner(of: namespace, principal)
        return try catalog.members.members(of: namespace.id)
    }

    /// Makes a user a member of a namespace, or changes the role. At most
    /// ``NamespaceMemberRepository/maximumMembers`` count.
    ///
    /// - Parameter text: a name or an id.
    /// - Throws: `userAbsent`.
    public func setRole(
        _ role: NamespaceRole, ofUser text: String, in namespace: Namespace, by principal: Principal
    ) throws -> NamespaceMember {
        try requireOwner(of: namespace, principal)
        defer { live.forget() }
        let user = try found(text)
        let member = try catalog.members.setRole(role, of: user.id, in: namespace.id)
        audit.record(
            .shareSet, to: "share:\(namespace.name)/\(user.name)/\(role.rawValue)", in: namespace.project,
            by: principal)
        return member
    }

    /// Ends a membership, and with it what the user's grants allow in the namespace. Members may leave.
    ///
    /// - Returns: the membership as it was.
    /// - Throws: `userAbsent`, `memberAbsent`.
    public func removeMember(
        _ text: String, from namespace: Namespace, by principal: Principal
    ) throws -> NamespaceMember {
        let user = try? found(text)
        if principal.user == nil || principal.user != user?.id || principal.source != .session {
            try requireOwner(of: namespace, principal)
        }
        // One who is gone from the catalog can still be named by the id.
        guard let id = user?.id ?? (try? UserID(text: text)) else {
            throw AccessError.userAbsent(AccessText.short(text))
        }
        guard let role = try catalog.members.role(of: id, in: namespace.id) else {
            throw AccessError.memberAbsent(AccessText.short(text), namespace: namespace.name)
        }
        defer { live.forget() }
        try catalog.members.remove(id, from: namespace.id)
        audit.record(
            .shareRemove, to: "share:\(namespace.name)/\(user?.name ?? id.text)", in: namespace.project,
            by: principal)
        return NamespaceMember(namespace: namespace.id, user: id, role: role, since: now())
    }

    /// The name of a member; `nil` for a user who is gone from the catalog.
    public func name(of member: NamespaceMember) throws -> String? {
        try catalog.users.user(member.user)?.name
    }

    private func found(_ text: String) throws -> User {
        if let user = try catalog.users.user(named: text) { return user }
        if let id = try? UserID(text: text), let user = try catalog.users.user(id) { return user }
        throw AccessError.userAbsent(AccessText.short(text))
    }

    private func requireOwner(of namespace: Namespace, _ principal: Principal) throws(AccessError) {
        guard principal.mayPerform(.admin, on: namespace.resource) else {
            throw principal.operations.allows(.admin)
                ? .outOfScope(namespace.resource) : .operationNotAllowed(.admin)
        }
    }
}
