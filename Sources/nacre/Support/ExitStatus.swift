import ArgumentParser

/// How a run of the program ends; scripts rely on the numbers.
enum ExitStatus: Int32 {
    case done = 0
    case failed = 1
    case wrongUsage = 2
    /// Some of it was done, some could not be: the messages say what.
    case partlyDone = 3
    case notFound = 4
    case notAllowed = 5
    case conflict = 6
    case damaged = 7
    case interrupted = 130
}

/// An error whose exit status is known where it is thrown.
struct CommandError: Error, CustomStringConvertible {
    let status: ExitStatus
    let description: String

    init(_ status: ExitStatus, _ description: String) {
        self.status = status
        self.description = description
    }
}

/// Ends with a status after everything was already said.
struct SilentExit: Error {
    let status: ExitStatus
}
