import SyncClient
import TreeValues

/// Remembers what the last scan said.
final class NotingScanner: LocalScanning {
    private var scanner: FolderScanner
    private(set) var report: ScanReport?
    private(set) var milliseconds: Int64?
    private(set) var fullScans = 0
    /// What could not be looked at when it was last tried.
    private(set) var problems: [ExactPath: FileError] = [:]

    init(_ scanner: FolderScanner) { self.scanner = scanner }

    /// Files that were being written when others were not looked at yet: nothing else looks at them again.
    private func busy(outside paths: [String], in found: ScanReport) -> [String] {
        guard let before = report, !before.busy.isEmpty else { return [] }
        let (seen, scanned) = (Set(found.busy.map(ExactPath.init)), Set(paths.map(ExactPath.init)))
        let rest = before.busy.filter { path in
            let path = ExactPath(path)
            return !seen.contains(path) && !scanned.contains(path)
                && !paths.contains { $0.isEmpty || FolderPath.isBelow(path.text, $0) }
        }
        return Array(rest.prefix(max(0, ScannerOptions.maximumListed - found.busy.count)))
    }

    var nextDeadline: Int64? { scanner.nextDeadline }
    var heldCount: Int { scanner.heldCount }

    func nodeIsRenamed(_ id: NodeID, to new: NodeID) { scanner.nodeIsRenamed(id, to: new) }

    /// Paths that somebody is done with: see ``ScannerOptions/finished``.
    var finished: PathSet {
        get { scanner.options.finished }
        set { scanner.options.finished = newValue }
    }

    func scan(_ scope: ScanScope, onPart: () throws -> Void) throws -> ScanReport {
        let start = MachineClock.steadyMilliseconds()
        var found = try scanner.scan(scope, onPart: onPart)
        if case .paths(let paths) = scope { found.busy += busy(outside: paths, in: found) }
        report = found
        switch scope {
        case .everything:
            milliseconds = MachineClock.steadyMilliseconds() - start
            fullScans += 1
            problems.removeAll()
        case .paths(let paths):
            problems = problems.filter { problem in
                !paths.contains {
                    $0.isEmpty || problem.key == ExactPath($0) || FolderPath.isBelow(problem.key.text, $0)
                }
            }
        }
        for problem in found.problems { problems[ExactPath(problem.path)] = problem.error }
        return found
    }
}
