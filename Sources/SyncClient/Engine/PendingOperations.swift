import Digests
import Multiformats
import SyncProtocol
import TreeValues

/// Ids of operations that were sent and whose answers did not come, by what they do.
///
/// Written down before they are sent. The same change is sent again under the same id, in this run or the
/// next, so that the server answers it as the first time instead of comparing it with what came after it.
struct PendingOperations {
    private(set) var ids: [String: OperationID] = [:]

    init() {}

    /// Reads lines of `node fingerprint operation`; what cannot be read was never written here.
    init(text: String) {
        for line in text.split(separator: "\n") {
            guard let space = line.lastIndex(of: " "),
                let id = try? OperationID(text: String(line[line.index(after: space)...]))
            else { continue }
            ids[String(line[..<space])] = id
        }
    }

    /// In a fixed order.
    var text: String? {
        ids.isEmpty
            ? nil
            : ids.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.text)" }.joined(separator: "\n")
    }

    var nodes: [NodeID] {
        ids.keys.compactMap { try? NodeID(text: String($0.prefix(26))) }.sorted()
    }

    mutating func set(_ id: OperationID, for fingerprint: String) { ids[fingerprint] = id }
    mutating func remove(_ fingerprint: String) { ids[fingerprint] = nil }

    /// What an operation does: equal only if it is the same change of the same thing.
    static func fingerprint(_ step: ServerStep, _ local: SyncNode?, epoch: Int64) -> String {
        var facts = ["\(epoch)"]
        switch step {
        case .put(_, let base): facts += ["put", base.map(String.init) ?? "new"]
        case .makeDirectory: facts += ["dir"]
        case .move(_, let parent, let name, let base): facts += ["move", parent.text, name, "\(base)"]
        case .delete(_, let base, let newest): facts += ["delete", "\(base)", "\(newest)"]
        case .setAttributes: facts += ["attributes"]
        }
        if let local {
            facts += [
                local.content?.description ?? "-", local.target ?? "-", local.parent.text, local.name,
                "\(local.modified)", local.mode.map { "\($0)" } ?? "-",
            ]
        }
        let digest = Multihash.sha256(of: Array(facts.joined(separator: "\n").utf8))
        return step.id.text + " " + digest.prefix(32)
    }
}

extension Multihash {
    fileprivate static func sha256(of bytes: [UInt8]) -> String {
        bytes.withUnsafeBytes { bytes in
            guard let hash = try? Multihash(hashing: bytes, with: .sha2_256) else { return "" }
            return String(hash.description.split(separator: ":").last ?? "")
        }
    }
}
