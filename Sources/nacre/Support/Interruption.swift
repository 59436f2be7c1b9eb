import Glibc
import NodeCore

/// Ctrl-C and SIGTERM: the work stops between two steps and leaves a clean store; a second Ctrl-C ends at
/// once.
enum Interruption {
    static let cancellation = Cancellation()

    /// Installs the handlers. SIGPIPE becomes an error of the write, so that it can be told from other
    /// failures.
    static func install() {
        signal(SIGPIPE, SIG_IGN)
        for number in [SIGINT, SIGTERM, SIGHUP] {
            signal(number) { number in
                if Interruption.cancellation.isCancelled { _exit(128 + number) }
                Interruption.cancellation.cancel()
            }
        }
    }
}
