import Catalog

extension CatalogDatabase {
    /// The namespaces that a user is a member of and that are there.
    func shares(of user: UserID) throws -> [NamespaceID: NamespaceShare] {
        var shares: [NamespaceID: NamespaceShare] = [:]
        for member in try members.memberships(of: user) {
            guard let namespace = try namespaces.namespace(member.namespace), namespace.deleted == nil else {
                continue
            }
            shares[namespace.id] = NamespaceShare(project: namespace.project, role: member.role)
        }
        return shares
    }
}
