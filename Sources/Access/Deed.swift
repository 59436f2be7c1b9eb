/// What an administrator did about who may do what: the operation of its own entry in the audit log.
///
/// The raw values are stored and shown, and never change.
enum Deed: String, CaseIterable, Sendable {
    case userAdd = "user-add"
    case userDisable = "user-disable"
    case userEnable = "user-enable"
    /// A password was set; nothing of it is kept.
    case userPassword = "user-password"
    case projectAdd = "project-add"
    case projectRename = "project-rename"
    case projectRemove = "project-remove"
    case memberSet = "member-set"
    case memberRemove = "member-remove"
    case keyCreate = "key-create"
    case keyRevoke = "key-revoke"
    case keyRemove = "key-remove"
    case linkCreate = "link-create"
    case shareSet = "share-set"
    case shareRemove = "share-remove"
}
