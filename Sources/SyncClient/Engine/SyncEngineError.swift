/// Why an engine does nothing at all.
public enum SyncEngineError: Error, Hashable, Sendable {
    /// The folder, or the marker in it, is not there: it may not be mounted.
    case folderMissing
    /// The marker is of another folder.
    case otherFolder(found: String)
    /// Changes made here are sent: there is none to take back.
    case changesGoThere
    /// Changes of the node are taken over: there is none to go over.
    case changesComeHere
    /// What is to come back may not: it was removed on the node and nothing is sent from here, or it was
    /// removed here and nothing is received.
    case removalsStay(isHere: Bool)
}

extension SyncEngineError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .folderMissing:
            """
            the folder, or `.nacre/folder` in it, is not there; mount it, or, if only that file was lost, \
            `nacre sync rm` and add it again: nothing is done until then
            """
        case .otherFolder(let found):
            """
            the marker `.nacre/folder` says `\(found)`, which is another folder; nothing is done. If this \
            folder was moved or copied: `nacre sync rm` where it was, remove `.nacre/folder` here, and add \
            it again
            """
        case .changesGoThere:
            """
            this folder sends what is changed here, so that there is nothing to put back; `nacre ns restore` \
            brings an earlier version back
            """
        case .changesComeHere:
            """
            this folder takes over what is changed on the node, so that there is nothing to go over; `nacre \
            ns restore` brings an earlier version back
            """
        case .removalsStay(isHere: true):
            """
            this folder sends nothing, so that what was removed on the node cannot be sent back; `nacre ns \
            restore` brings it back there
            """
        case .removalsStay(isHere: false):
            """
            this folder only sends, so that what was removed here cannot be fetched; with `--mode two-way` \
            it can
            """
        }
    }
}

/// Somebody wants a pass to end: see ``SyncEnvironment/shouldStop``.
struct PassInterruption: Error {}

/// Why a step was not done. Kept with the item.
struct StepFailure: Error {
    let reason: ItemReason
    /// What has to be looked at again first.
    var rescan: String?

    static func changed(_ path: String) -> StepFailure {
        StepFailure(reason: .changedMeanwhile, rescan: path)
    }
}
