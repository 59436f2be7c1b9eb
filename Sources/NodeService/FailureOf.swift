public import NodeMessages
import Access
import BlockStorage
import CAR
import Catalog
import Glibc
import IPLD
import IPNS
import Multiformats
import Namespaces
import NodeCore
import UnixFS

extension NodeFailure {
    /// What a node says of an error of its own; texts are written for people, codes for programs.
    public init(of error: any Error) {
        let (kind, code) = Self.classify(error)
        self.init(kind, code: code, detail: String(describing: error))
        retryAfterSeconds =
            (error as? AccessError)?.retryAfterSeconds ?? (error as? NodeFailure)?.retryAfterSeconds
    }

    private static func classify(_ error: any Error) -> (Kind, String) {
        switch error {
        case let error as NodeFailure: (error.kind, error.code)
        case let error as AccessError: (kind(of: error), error.code)
        case let error as NodeError: (kind(of: error.kind), code(of: error))
        case let error as BlockStoreError: classify(error)
        case let error as NameError: (kind(of: error.kind), "name-" + kind(of: error.kind).rawValue)
        case let error as NameRepositoryError:
            switch error {
            case .absent: (.notFound, "name-not-found")
            case .badLabel: (.invalid, "invalid-label")
            case .labelTaken, .keyTaken: (.conflict, "name-taken")
            case .changedMeanwhile, .followChanged, .notNewer: (.conflict, "name-changed")
            case .tooManyRecords: (.busy, "too-many-records")
            }
        case let error as NamespaceError: classify(error)
        case CatalogError.duplicateNamespace: (.conflict, "namespace-exists")
        case CatalogError.damagedRow: (.damaged, "damaged-row")
        case CatalogError.duplicatePin: (.conflict, "duplicate-pin")
        case CatalogError.duplicateUser: (.conflict, "user-exists")
        case CatalogError.pinAbsent: (.notFound, "pin-not-found")
        case CatalogError.nameTooLong, CatalogError.nameContainsNUL, CatalogError.metaTooLarge,
            CatalogError.invalidID:
            (.invalid, "invalid-value")
        case CatalogError.storageFull: (.failed, "storage-full")
        case let error as CatalogError:
            error.isDamage ? (.damaged, "damaged-catalog") : (.failed, "catalog-failed")
        case let error as POSIXError where [ENOSPC, EDQUOT].contains(error.code): (.failed, "storage-full")
        case let error as POSIXError: (.failed, "system-\(error.code)")
        case is CARError: (.invalid, "invalid-car")
        case is CIDError, is ContentPathError, is ContentReferenceError, is KeyError,
            is ImportParametersError, is ChunkerError:
            (.invalid, "invalid-value")
        case is IPNSRecordError: (.invalid, "invalid-record")
        case is DAGWalkError: (.failed, "unreadable-dag")
        case is CancelledError: (.busy, "cancelled")
        default: (.failed, "failed")
        }
    }

    private static func classify(_ error: BlockStoreError) -> (Kind, String) {
        if error.isDamage { return (.damaged, "damaged-block") }
        if error.isDiskFull { return (.failed, "storage-full") }
        return error.isInUse ? (.conflict, "in-use") : (.failed, "storage-failed")
    }

    private static func classify(_ error: NamespaceError) -> (Kind, String) {
        switch error {
        case .unknownNamespace, .unknownDeletedNamespace: (.notFound, "namespace-not-found")
        case .unknownNode, .pathAbsent, .notInTrash: (.notFound, "path-not-found")
        case .versionAbsent, .versionUnknown, .versionInFuture: (.notFound, "version-not-found")
        case .historyRemoved, .versionRemoved: (.notFound, "history-removed")
        case .tooManyHeld, .noteTooLong: (.invalid, "invalid-value")
        case .policyInvalid: (.invalid, "invalid-policy")
        case .namesClash, .nameNotAllowed: (.conflict, "policy-not-met")
        case .snapshotBusy: (.busy, "snapshot-busy")
        case .tooManyOperations: (.tooLarge, "too-many-operations")
        case .epochChanged, .notAtomic: (.conflict, "changed-meanwhile")
        case .versionEmpty, .pathNotThen: (.conflict, "version-empty")
        case .placeTaken: (.conflict, "place-taken")
        case .quotaExceeded: (.notAllowed, "quota-exceeded")
        case .directoryDeleted: (.conflict, "directory-deleted")
        case .contentAbsent: (.damaged, "content-absent")
        }
    }

    private static func kind(of error: AccessError) -> Kind {
        switch error.kind {
        case .unauthenticated: .unauthenticated
        case .notAllowed, .exhausted: .notAllowed
        case .notFound: .notFound
        case .conflict: .conflict
        case .invalid: .invalid
        case .tooLarge: .tooLarge
        case .busy: .busy
        case .throttled: .throttled
        case .broken: .failed
        }
    }

    private static func kind(of kind: NodeError.Kind) -> Kind {
        switch kind {
        case .notFound: .notFound
        case .conflict: .conflict
        case .damaged: .damaged
        case .usage: .invalid
        case .failed: .failed
        }
    }

    private static func code(of error: NodeError) -> String {
        switch error {
        case .blockNotFound: "block-not-found"
        case .pathNotFound: "path-not-found"
        case .pinNotFound: "pin-not-found"
        case .incomplete: "incomplete"
        case .ambiguousPin: "ambiguous-pin"
        case .pinNameTaken: "pin-name-taken"
        case .pinNotWhole: "pin-not-whole"
        case .namespaceNotWhole: "namespace-not-whole"
        case .isDirectory: "is-directory"
        case .notADirectory: "not-a-directory"
        case .notUnixFS: "not-unixfs"
        case .tooManyEntries: "too-many-entries"
        default: "node-" + kind(of: error.kind).rawValue
        }
    }
}
