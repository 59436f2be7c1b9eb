import Foundation

/// Whether the long tests run: `NACRE_FULL_TESTS=1` in the environment.
///
/// Use it as `.enabled(if: isFullTest)`, or to choose a count: ``scaled(_:full:)``.
public let isFullTest = ProcessInfo.processInfo.environment["NACRE_FULL_TESTS"] == "1"

/// `ordinary` in a short run of the tests, `full` in the full one.
public func scaled(_ ordinary: Int, full: Int) -> Int { isFullTest ? full : ordinary }
