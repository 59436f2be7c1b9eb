import Access
import Catalog
import Namespaces
import NodeCore
public import NodeMessages

/// Members of namespaces.
extension LocalNode {
    public var address: String? { nil }

    private func people() throws -> Accounts {
        guard let authority else {
            throw NodeFailure(.unsupported, code: "no-authority", detail: "members cannot be looked at here")
        }
        return authority.accounts
    }

    public func forEachMember(
        ofNamespace text: String, _ body: (NamespaceMemberMessage) throws -> Void
    ) throws {
        for member in try members(ofNamespace: text).items { try body(member) }
    }

    /// The members of a namespace: all that count, as one page.
    public func members(ofNamespace text: String) throws -> PageMessage<NamespaceMemberMessage> {
        let (people, found) = (try people(), try requireNamespace(text))
        return PageMessage(
            items: try people.members(of: found, by: principal).map { try message($0, people) }, next: nil)
    }

    public func setMember(
        _ user: String, role: String, ofNamespace text: String
    ) throws -> NamespaceMemberMessage {
        guard let role = NamespaceRole(rawValue: role) else {
            throw NodeFailure(
                .invalid, code: "invalid-value",
                detail: "a member is one of "
                    + NamespaceRole.allCases.map(\.rawValue).joined(separator: ", "))
        }
        let (people, found) = (try people(), try requireNamespace(text))
        return try message(try people.setRole(role, ofUser: user, in: found, by: principal), people)
    }

    public func removeMember(_ user: String, ofNamespace text: String) throws -> NamespaceMemberMessage {
        let people = try people()
        // Who may bring files in and see none may still leave.
        let found = try requireVisibleNamespace(text)
        return try message(try people.removeMember(user, from: found, by: principal), people)
    }

    private func message(_ member: NamespaceMember, _ people: Accounts) throws -> NamespaceMemberMessage {
        NamespaceMemberMessage(
            user: member.user.text, name: try people.name(of: member), role: member.role.rawValue,
            since: TimeText.utc(milliseconds: member.since))
    }
}
