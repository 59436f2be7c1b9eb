import CLinux
import Digests
import Glibc
import NodeCore

/// The machine: open files, memory, clock, processor.
struct MachineChecks {
    let directory: String

    func findings() -> [Finding] { [openFiles(), memory(), clock(), clockSynchronisation(), kernels()] }

    private func openFiles() -> Finding {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            return .warn("open-files", "the limit cannot be asked for", advice: "look at `ulimit -n`")
        }
        // The program raises the soft limit itself, up to the hard one.
        let text = "\(limit.rlim_max) files may be open at once"
        return limit.rlim_max < 8192
            ? .warn(
                "open-files", text,
                advice: "each connection is one: raise LimitNOFILE of the service, or `ulimit -Hn`")
            : .ok("open-files", text)
    }

    private func memory() -> Finding {
        let total = Int64(sysconf(Int32(_SC_PHYS_PAGES))) &* Int64(sysconf(Int32(_SC_PAGESIZE)))
        let text = ByteCount.text(total) + " of memory"
        return total < 512 * 1024 * 1024
            ? .warn("memory", text, advice: "512 MiB are little for many connections: add some")
            : .ok("memory", text)
    }

    /// Records, grants and sessions end by the clock.
    private func clock() -> Finding {
        let now = time(nil)
        // Before the program was written nobody can have started it.
        guard now > Self.earliest else {
            return .fail(
                "clock", "the clock says it is before 2025", advice: "set it: `timedatectl set-ntp true`")
        }
        for name in ["VERSION", "catalog.sqlite", "LOCK"] {
            var status = stat()
            guard stat(directory + "/" + name, &status) == 0 else { continue }
            if status.st_mtim.tv_sec > now + 300 {
                return .fail(
                    "clock", "\(directory)/\(name) was changed in the future: the clock is behind",
                    advice: "set it: `timedatectl set-ntp true`")
            }
        }
        return .ok("clock", "the clock is not before anything that was written")
    }

    /// 2025-01-01.
    private static let earliest = 1_735_689_600

    private func clockSynchronisation() -> Finding {
        var state = timex()
        // Without modes nothing is set.
        guard adjtimex(&state) >= 0 else {
            return .ok("clock-synchronisation", "not known: the system does not tell")
        }
        guard state.status & STA_UNSYNC == 0 else {
            return .warn(
                "clock-synchronisation", "nothing keeps the clock right",
                advice: "grants, signed URLs and names end by it: `timedatectl set-ntp true`")
        }
        return .ok("clock-synchronisation", "kept right, within \(state.esterror / 1000) ms")
    }

    private func kernels() -> Finding {
        let name = SHA256Kernels.best
        return name == "portable"
            ? .warn(
                "processor", "SHA-256 runs without help of the processor",
                advice: "adding and verifying are several times slower: use a processor with SHA extensions")
            : .ok("processor", "\(sysconf(Int32(_SC_NPROCESSORS_ONLN))) cores, SHA-256 by \(name)")
    }
}
