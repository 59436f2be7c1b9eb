public import Multiformats

/// Why names of the catalog were not changed as asked.
public enum NameRepositoryError: Error, Hashable, Sendable {
    case labelTaken(String)
    /// The key is here already, under this label.
    case keyTaken(PeerID, label: String)
    case absent(String)
    /// Somebody else changed the name between reading and writing it.
    case changedMeanwhile(PeerID)
    /// The name does not follow a namespace any more as it did when that was read.
    case followChanged(PeerID)
    /// A record that is not newer than the one that is here.
    case notNewer(PeerID, sequence: Int64, kept: Int64)
    case tooManyRecords(maximum: Int)
    case badLabel(String)
}

extension NameRepositoryError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .labelTaken(let label): "there is a name “\(label)” already; `nacre name ls` lists the names"
        case .keyTaken(let name, let label): "the key of \(name.ipnsName) is here already, as “\(label)”"
        case .absent(let text): "there is no name \(text); `nacre name ls` lists the names"
        case .changedMeanwhile(let name):
            "\(name.ipnsName) was changed by somebody else; look at it and try again"
        case .followChanged(let name):
            "\(name.ipnsName) does not follow its namespace any more as it did; look at it and try again"
        case .notNewer(let name, let sequence, let kept):
            "the record of \(name.ipnsName) with sequence \(sequence) is not newer than the one kept (sequence \(kept))"
        case .tooManyRecords(let maximum):
            "\(maximum) records of other nodes are kept already; the next one is taken when some have expired"
        case .badLabel(let label):
            "“\(label)” cannot be a label: 1 to \(NameEntry.maximumLabelBytes) bytes without slash, control "
                + "characters and spaces at its ends, and not the text of a key"
        }
    }
}
