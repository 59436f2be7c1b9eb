import BlockStorage
import CLinux
import Glibc
import NodeCore

/// The data directory: whether it is there and ours, and whether its disk can do what the store relies on.
struct DataDirectoryChecks {
    let directory: String
    let configuration: Configuration

    func findings() -> [Finding] {
        var status = stat()
        guard stat(directory, &status) == 0 else { return [absence(errno)] }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            return [
                .fail(
                    "data-directory", "\(directory) is no directory", advice: "name another one with --data")
            ]
        }
        return [identity(status), mode(status), space(), fileSystem()] + disk()
    }

    private func absence(_ code: Int32) -> Finding {
        guard code == ENOENT else {
            return .fail(
                "data-directory", "\(directory) cannot be looked at: \(String(cString: strerror(code)))",
                advice: "give this user the right to it, or name another one with --data")
        }
        // The directory that it would be made in is what must be writable.
        var parent = directory
        while !parent.isEmpty, access(parent, F_OK) != 0 {
            parent = String(
                parent.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(
                    separator: "/"))
        }
        let place = parent.isEmpty ? (directory.hasPrefix("/") ? "/" : ".") : parent
        guard access(place, W_OK | X_OK) == 0 else {
            return .fail(
                "data-directory", "\(directory) is not there, and \(place) is not writable",
                advice: "make it and give it to this user, or name another one with --data")
        }
        return .ok("data-directory", "\(directory) is not there yet; the first start makes it")
    }

    private func identity(_ status: stat) -> Finding {
        let check = "data-directory"
        guard access(directory, R_OK | W_OK | X_OK) == 0 else {
            return .fail(
                check,
                "\(directory) belongs to user \(status.st_uid), and user \(geteuid()) may not write to it",
                advice: "run nacre as its owner (sudo -u NAME nacre …)")
        }
        if status.st_uid != geteuid() {
            return .warn(
                check, "\(directory) belongs to user \(status.st_uid), this is user \(geteuid())",
                advice: "run nacre as its owner: files that this user makes could not be read by the node")
        }
        guard let version = SmallText.read(directory + "/VERSION") else {
            return .ok(check, "\(directory) holds no data yet")
        }
        let line = version.prefix { $0 != "\n" }
        guard line == "nacre 1" else {
            return .fail(
                check, "\(directory) has the format \(PathText.printable(line.utf8))",
                advice: "use the version of Nacre that made it, or a newer one")
        }
        return .ok(check, "\(directory) (\(line))")
    }

    private func mode(_ status: stat) -> Finding {
        let text = "mode " + String(status.st_mode & 0o7777, radix: 8)
        guard status.st_mode & 0o077 == 0 else {
            return .warn(
                "data-directory-mode", "others can look into \(directory) (\(text))",
                advice: "chmod 700 \(directory)")
        }
        return .ok("data-directory-mode", text)
    }

    private func space() -> Finding {
        let reserve = configuration.reserveBytes
        guard let free = try? DiskFileSystem().availableBytes(at: directory) else {
            return .fail("free-space", "free space cannot be asked for", advice: "look at the disk")
        }
        let text = "\(ByteCount.text(free)) are free, \(ByteCount.text(reserve)) of them are the reserve"
        if free <= reserve {
            return .fail(
                "free-space", text, advice: "remove pins and run `nacre gc`, add disk, or lower store.reserve"
            )
        }
        if free < reserve + 4 * configuration.packBytes {
            return .warn(
                "free-space", text, advice: "few packs fit: remove pins and run `nacre gc`, or add disk")
        }
        return .ok("free-space", text)
    }

    private func fileSystem() -> Finding {
        var status = statfs()
        guard statfs(directory, &status) == 0 else {
            return .warn(
                "file-system", "the kind of file system cannot be found out", advice: "look at `df -T`")
        }
        let kind = UInt32(truncatingIfNeeded: status.f_type)
        if let network = Self.networkKinds[kind] {
            return .warn(
                "file-system", "the data directory is on a network file system (\(network))",
                advice: "locks and syncs of such file systems are not to be relied on: use a local disk")
        }
        if kind == 0x0102_1994 {
            return .warn(
                "file-system", "the data directory is in memory (tmpfs)",
                advice: "a restart of the machine loses it: use a disk")
        }
        return .ok("file-system", Self.localKinds[kind] ?? "kind 0x" + String(kind, radix: 16))
    }

    /// Numbers of statfs(2).
    private static let networkKinds: [UInt32: String] = [
        0x6969: "NFS", 0xFF53_4D42: "CIFS", 0xFE53_4D42: "SMB", 0x517B: "SMB", 0x6573_5546: "FUSE",
        0x0102_1997: "9P", 0x00C3_6400: "Ceph", 0x0BD0_0BD0: "Lustre", 0x0116_1970: "GFS2",
    ]
    private static let localKinds: [UInt32: String] = [
        0xEF53: "ext4", 0x5846_5342: "XFS", 0x9123_683E: "Btrfs", 0x2FC1_2FC1: "ZFS", 0xF2F5_2010: "F2FS",
        0x794C_7630: "overlayfs",
    ]

    /// A file without a name, which is gone when it is closed.
    private func disk() -> [Finding] {
        let descriptor = open(directory, O_RDWR | O_CLOEXEC | Self.temporaryFile, 0o600)
        guard descriptor >= 0 else {
            let reason = String(cString: strerror(errno))
            guard errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT else {
                return [
                    .fail(
                        "disk", "no file can be made in \(directory): \(reason)",
                        advice: "mount it writable, and look at the rights")
                ]
            }
            return [.ok("disk", "not tried: the file system has no files without names")]
        }
        defer { close(descriptor) }
        return [preallocation(descriptor), syncing(descriptor)]
    }

    /// O_TMPFILE, which hides behind _GNU_SOURCE.
    private static let temporaryFile: Int32 = 0o20_000_000 | O_DIRECTORY

    private func preallocation(_ descriptor: Int32) -> Finding {
        guard CLinux.fallocate(descriptor, 0, 0, 4 * 1024 * 1024) == 0 else {
            return .warn(
                "preallocation", "the file system cannot reserve space for packs ahead of time",
                advice: "every sync writes metadata too, which is slower: use ext4 or XFS")
        }
        return .ok("preallocation", "space can be reserved ahead of time")
    }

    private func syncing(_ descriptor: Int32) -> Finding {
        let page = [UInt8](repeating: 0x6E, count: 4096)
        var times: [Duration] = []
        for turn in 0..<5 {
            let start = ContinuousClock.now
            guard pwrite(descriptor, page, page.count, off_t(turn * page.count)) == page.count,
                fdatasync(descriptor) == 0
            else {
                return .fail(
                    "sync", "writing and syncing failed: \(String(cString: strerror(errno)))",
                    advice: "the disk is full or failing: look at `df` and the log of the kernel")
            }
            times.append(ContinuousClock.now - start)
        }
        let median = times.sorted()[times.count / 2]
        let milliseconds =
            Double(median.components.attoseconds) / 1e15 + Double(median.components.seconds) * 1e3
        let text = "a sync takes \((milliseconds * 100).rounded() / 100) ms"
        return median > .milliseconds(100)
            ? .warn("sync", text, advice: "every upload waits for one: use a faster disk") : .ok("sync", text)
    }
}
