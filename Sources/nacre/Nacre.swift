import ArgumentParser
import CLinux
import Glibc
import NodeCore

/// `nacre`: parse arguments, call one function, print.
struct Nacre: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nacre",
        abstract: "A content-addressed storage node: put folders in, get them back byte for byte by CID.",
        discussion: """
            Everything is kept in one data directory: --data, or NACRE_DATA, or ~/.local/share/nacre.

            Results go to standard output, everything else to standard error.

            Exit codes: 0 done, 1 failed, 2 wrong usage, 3 partly done, 4 not found, 5 not allowed, \
            6 conflict or in use, 7 damaged data found, 130 interrupted.
            """,
        version: NacreVersion.text,
        subcommands: [
            AddCommand.self, CatCommand.self, LsCommand.self, StatCommand.self, GetCommand.self,
            PinCommand.self, NameCommand.self,
            NamespaceCommand.self, SyncCommand.self, BlockCommand.self, DAGCommand.self, CARCommand.self,
            CIDCommand.self,
            VerifyCommand.self,
            GCCommand.self, StatsCommand.self, ConfigCommand.self, ServeCommand.self, KeyCommand.self,
            UserCommand.self, ProjectCommand.self, JobCommand.self, AuditCommand.self, DoctorCommand.self,
        ])

    @OptionGroup var global: GlobalOptions
}

@main
enum Main {
    static func main() async {
        occupyStandardDescriptors()
        Interruption.install()
        raiseOpenFileLimit()
        keepFreedBuffers()
        do {
            var command = try Nacre.parseAsRoot()
            do {
                if var command = command as? any AsyncParsableCommand {
                    try await command.run()
                } else {
                    try command.run()
                }
            } catch {
                Failure.end(with: error)
            }
        } catch {
            Failure.endParsing(with: error)
        }
    }

    /// A program may be started with standard input, output or errors closed. The next files that it opens
    /// would get their numbers, and what is printed would be written into them.
    private static func occupyStandardDescriptors() {
        for descriptor in 0...2 where fcntl(Int32(descriptor), F_GETFD) == -1 {
            // The lowest free number is this one. Writing to standard output must fail: what was printed
            // counts.
            _ = open("/dev/null", descriptor == 2 ? O_WRONLY : O_RDONLY)
        }
    }

    /// Buffers of mebibytes come and go: handed back to the system each time, their pages would be cleared
    /// and mapped anew for every leaf.
    private static func keepFreedBuffers() {
        _ = mallopt(M_MMAP_THRESHOLD, 64 * 1024 * 1024)
        _ = mallopt(M_TRIM_THRESHOLD, 64 * 1024 * 1024)
    }

    /// For a node that runs: dozens of threads would each keep as much for good. They share a few arenas,
    /// buffers that are larger than a leaf go back to the system at once, and what is free at the end of an
    /// arena soon.
    static func keepFewFreedBuffers() {
        _ = mallopt(M_ARENA_MAX, 4)
        _ = mallopt(M_MMAP_THRESHOLD, 4 * 1024 * 1024)
        _ = mallopt(M_TRIM_THRESHOLD, 8 * 1024 * 1024)
    }

    /// Deep trees hold a directory open a level; the soft limit is a custom, the hard one is the limit.
    private static func raiseOpenFileLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = min(limit.rlim_max, 65536)
        _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
