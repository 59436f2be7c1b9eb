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
        // So does a limit on the size of files (`ulimit -f`).
        signal(SIGXFSZ, SIG_IGN)
        // A static value is made when it is first used, under a lock. Were that in a handler that came
        // while the same thread was making it, the thread would wait for itself.
        _ = cancellation
        // Whoever starts the program may have them blocked, such as a thread of a pool: they would never
        // come.
        var numbers = sigset_t()
        sigemptyset(&numbers)
        for number in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&numbers, number) }
        pthread_sigmask(SIG_UNBLOCK, &numbers, nil)
        for number in [SIGINT, SIGTERM, SIGHUP] {
            signal(number) { number in
                if Interruption.cancellation.isCancelled { _exit(128 + number) }
                Interruption.cancellation.cancel()
            }
        }
    }

    /// Waits until there is something to read, or the end, so that Ctrl-C is noticed while nothing comes.
    ///
    /// A signal need not reach the thread that reads, and reading goes on after it: hence the short turns.
    static func waitForInput(_ descriptor: Int32) throws {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        while true {
            try cancellation.check()
            // What is wrong with the descriptor, reading it tells.
            let ready = poll(&request, 1, 100)
            if ready > 0 || ready < 0 && errno != EINTR { return }
        }
    }
}
