import Catalog
import Namespaces
import SyncProtocol
import TreeValues

/// Which node a change is about, as it is sent and as the journal takes it.
extension SyncOperation.Change {
    /// The node that is there already and is to change; `nil` for what only brings something in.
    var changedNode: NodeID? {
        switch self {
        case .put(let node, let base, _): base == nil ? nil : node.id
        case .move(let id, _, _, _), .delete(let id, _, _), .setAttributes(let id, _, _): id
        case .makeDirectory, .restore: nil
        }
    }

    /// The node whose content it is about; `nil` for other changes.
    var contentNode: NodeID? { if case .put(let node, _, _) = self { node.id } else { nil } }

    /// Whether it brings something in that was not there, and changes nothing that is.
    var onlyCreates: Bool {
        switch self {
        case .put(_, let base, _): base == nil
        case .makeDirectory: true
        case .move, .delete, .setAttributes, .restore: false
        }
    }
}

extension TreeChange {
    /// The node that is there already and is to change; `nil` for what only brings something in.
    var changedNode: NodeID? {
        switch self {
        case .put(let put): put.base == nil ? nil : put.node
        case .move(let id, _, _), .delete(let id, _, _), .setAttributes(let id, _): id
        case .makeDirectory, .restore: nil
        }
    }

    /// The node whose content it is about; `nil` for other changes.
    var contentNode: NodeID? { if case .put(let put) = self { put.node } else { nil } }

    /// What the node is to be called that it brings in; `nil` for other changes.
    var newName: String? {
        switch self {
        case .put(let put): put.base == nil ? put.place?.name : nil
        case .makeDirectory(let place, _, _): place.name
        case .move, .delete, .setAttributes, .restore: nil
        }
    }

    /// Whether it brings something in that was not there, and changes nothing that is.
    var onlyCreates: Bool {
        switch self {
        case .put(let put): put.base == nil
        case .makeDirectory: true
        case .move, .delete, .setAttributes, .restore: false
        }
    }
}
