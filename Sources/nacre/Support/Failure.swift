import Access
import ArgumentParser
import BlockStorage
import CAR
import Catalog
import Glibc
import IPLD
import IPNS
import Multiformats
import NodeCore
import Namespaces
import NodeMessages
import NodeServer
import NodeService
import SyncAgent
import SyncClient
import SyncProtocol
import UnixFS

/// Turns errors into a message and an exit status.
enum Failure {
    /// Says what went wrong and ends the program.
    static func end(with error: any Error) -> Never {
        ProgressBar.clearLine()
        if let silent = error as? SilentExit { exit(silent.status.rawValue) }
        if error is CancelledError {
            Terminal.note("interrupted: what was printed before is kept; repeat the command to go on")
            exit(ExitStatus.interrupted.rawValue)
        }
        // Found while it ran: what stands behind it is the reason, and not how `nacre` is called.
        if let error = error as? ValidationError {
            Terminal.fail(error.message)
            exit(ExitStatus.wrongUsage.rawValue)
        }
        // Asking for help comes as an error too.
        if Nacre.exitCode(for: error).isSuccess { endParsing(with: error) }
        Terminal.fail(String(describing: error))
        exit(status(of: error).rawValue)
    }

    /// Wrong usage is status 2; help and version are no failures.
    static func endParsing(with error: any Error) -> Never {
        if let silent = error as? SilentExit { exit(silent.status.rawValue) }
        let message = Nacre.fullMessage(for: error)
        guard Nacre.exitCode(for: error).isSuccess else {
            Terminal.writeError(message + "\n")
            exit(ExitStatus.wrongUsage.rawValue)
        }
        print(message)
        fflush(nil)
        exit(ExitStatus.done.rawValue)
    }

    private static func status(of error: AgentError) -> ExitStatus {
        switch error {
        case .unknownFolder, .folderAbsent, .fileAbsent, .nothingThere, .namespaceAbsent: .notFound
        case .running, .folderWithin, .folderKnown, .folderOwn, .otherNode: .conflict
        case .accessNotTaken(_, let reason): status(of: reason)
        case .badMode, .badSelection, .notDirectory: .wrongUsage
        case .listUnreadable, .system, .notRunning, .badAnswer, .nodeAbsent, .socketPathTooLong: .failed
        }
    }

    private static func status(of error: SyncServerError) -> ExitStatus {
        switch error {
        case .notAllowed: .notAllowed
        case .refused(let code, _, _) where code.rawValue.hasPrefix("unknown_"): .notFound
        case .refused(let code, _, _): code == .nameTaken || code == .locked ? .conflict : .failed
        case .unreachable, .resetRequired, .badAnswer: .failed
        }
    }

    static func status(of error: any Error) -> ExitStatus {
        switch error {
        case let error as SyncServerError: status(of: error)
        case let error as CommandError: error.status
        case let error as NodeFailure: status(of: error.kind)
        case let error as AgentError: status(of: error)
        case is NamespaceError, CatalogError.duplicateNamespace: status(of: NodeFailure(of: error).kind)
        case let error as NodeError: status(of: error.kind)
        case .index as BlockStoreError: .damaged
        case let error as BlockStoreError: error.isDamage ? .damaged : error.isInUse ? .conflict : .failed
        case let error as NameError: status(of: error.kind)
        case let error as NameRepositoryError:
            switch error {
            case .absent: .notFound
            case .badLabel: .wrongUsage
            case .labelTaken, .keyTaken, .changedMeanwhile, .followChanged, .notNewer: .conflict
            case .tooManyRecords: .failed
            }
        case let error as AccessError: status(of: error)
        case CatalogError.duplicateUser, CatalogError.duplicatePin, CatalogError.notUnique,
            CatalogError.otherDirectory:
            .conflict
        case let error as CatalogError: error.isDamage ? .damaged : .failed
        case let error as POSIXError:
            switch error.code {
            case ENOENT, ENOTDIR: .notFound
            case EACCES, EPERM, EROFS: .notAllowed
            case EEXIST: .conflict
            default: .failed
            }
        case let error as ListenError:
            switch error.errno {
            case EADDRINUSE: .conflict
            case EACCES, EPERM: .notAllowed
            default: .wrongUsage
            }
        case is CIDError, is ContentPathError, is KeyError, is ContentReferenceError,
            is ImportParametersError, is ChunkerError,
            is ConfigurationError, is TLSError:
            .wrongUsage
        default: .failed
        }
    }

    private static func status(of error: AccessError) -> ExitStatus {
        switch error.kind {
        case .unauthenticated, .notAllowed, .exhausted: .notAllowed
        case .notFound: .notFound
        case .conflict: .conflict
        case .invalid, .tooLarge: .wrongUsage
        case .busy, .throttled: .failed
        case .broken:
            switch error {
            case .secretDamaged, .secretForeign, .secretMissing: .damaged
            case .secretReadableByOthers: .notAllowed
            default: .failed
            }
        }
    }

    private static func status(of kind: NodeFailure.Kind) -> ExitStatus {
        switch kind {
        case .unauthenticated, .notAllowed: .notAllowed
        case .notFound: .notFound
        case .conflict: .conflict
        case .invalid, .tooLarge, .unsupported: .wrongUsage
        case .damaged: .damaged
        case .busy, .throttled, .failed: .failed
        }
    }

    /// Whether a row of the catalog cannot be read, here or in the node that was asked.
    static func isDamagedRow(_ error: any Error) -> Bool {
        if case .damagedRow? = error as? CatalogError { return true }
        return (error as? NodeFailure)?.code == "damaged-row"
    }

    private static func status(of kind: NodeError.Kind) -> ExitStatus {
        switch kind {
        case .notFound: .notFound
        case .conflict: .conflict
        case .damaged: .damaged
        case .usage: .wrongUsage
        case .failed: .failed
        }
    }
}
