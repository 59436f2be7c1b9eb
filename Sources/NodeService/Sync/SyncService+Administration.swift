import Access
import Catalog
import Namespaces
public import NodeCore
public import SyncProtocol

/// What the owner of a namespace does to it as a whole.
extension SyncService {
    /// Changes name or policy.
    ///
    /// - Throws: `forbidden`, `name_taken`, `bad_request`; `NamespaceError.namesClash` and `nameNotAllowed`.
    public func change(_ text: String, _ request: NamespaceChangeRequest) throws -> NamespaceInfo {
        let found = try namespace(text, for: .admin)
        if let name = request.name { try Self.checkName(name) }
        let policy = try request.policy.map { try NamespacePolicy(checking: $0) }
        do {
            let changed = try namespaces.change(found.id, name: request.name) { $0 = policy ?? $0 }
            return info(changed, role: role(in: changed) ?? "owner")
        } catch CatalogError.duplicateNamespace(let name) {
            throw SyncFailure.nameTaken(name)
        }
    }

    /// Puts a namespace away: it can be had back for a while.
    ///
    /// - Throws: `forbidden` for who edits what is in it and does not own it.
    public func remove(_ text: String) throws -> NamespaceRemoval {
        let found = try namespace(text, for: .delete)
        guard
            principal.mayPerform(.delete, on: .project(found.project))
                || principal.mayPerform(.admin, on: found.resource)
        else { throw SyncFailure.forbidden("remove namespace \(found.name)") }
        let time = node.catalog.namespaces.currentTime
        guard let removed = try node.catalog.namespaces.change(found.id, { $0.deleted = time }) else {
            throw SyncFailure.unknownNamespace(text)
        }
        return NamespaceRemoval(
            id: removed.id.text, name: removed.name, deleted: time,
            keptUntil: time + Namespace.trashMilliseconds)
    }

    /// A look through everything that a namespace needs, which has not begun.
    public func verification(of text: String) throws -> NamespaceVerification {
        node.verification(of: try namespace(text, for: .admin))
    }

    /// Begins a new epoch, so that every client compares anew.
    public func rebuild(_ text: String) throws -> NamespaceInfo {
        let changed = try namespaces.renewEpoch(of: try namespace(text, for: .admin).id)
        return info(changed, role: role(in: changed) ?? "owner")
    }
}
