import Multiformats
import SyncProtocol
import TreeValues

@testable import SyncClient

/// Two folders and a server in calm weather, for one case at a time.
struct TwoDevices {
    let clock = SimulatedClock()
    let server: ModelServer
    let here: SimulatedDevice
    let there: SimulatedDevice

    init(
        names: VirtualDisk.Names = .bytes, ignoresCase: Bool = true, canExchange: Bool = true,
        mergesText: Bool = false, _ change: (inout SyncOptions) -> Void = { _ in }
    ) throws {
        let random = SimulationRandom(seed: 7)
        server = ModelServer(root: NodeID(bits: 1), ignoresCase: ignoresCase, mergesText: mergesText)
        here = try SimulatedDevice(
            name: "here", server: server, names: names, canExchange: canExchange, clock: clock,
            random: random,
            batch: 100)
        there = try SimulatedDevice(
            name: "there", server: server, names: .bytes, canExchange: canExchange, clock: clock,
            random: random,
            batch: 100)
        change(&here.options)
        here.stop()
    }

    /// Runs both in turn until nothing more happens.
    func settle() throws {
        for _ in 0..<6 {
            for device in [here, there] {
                clock.advance(milliseconds: 4_000_000)
                try device.synchronize()
            }
        }
    }

    /// What is in a folder: contents of files, `/` for directories, `-> target` for symlinks. Names of
    /// conflict copies without the time.
    func files(_ device: SimulatedDevice) throws -> [String: String] {
        var files: [String: String] = [:]
        for (path, entries) in try device.tree() {
            let names = FolderPath.names(of: path).map { name in
                guard let copy = ConflictName(name) else { return name }
                let device = copy.tag.split(separator: " ").last ?? ""
                return "\(copy.stem) (\(copy.reason.rawValue) \(device))\(copy.suffix)"
            }
            files[names.joined(separator: "/")] =
                switch entries.first {
                case .file(let bytes): String(decoding: bytes, as: UTF8.self)
                case .symlink(let target): "-> " + target
                case .directory: "/"
                case nil: nil
                }
        }
        return files
    }
}

extension SimulatedDevice {
    func write(_ text: String, to path: String) throws {
        try disk.asUser { disk throws(FileError) in
            if try disk.status(path) == nil { try disk.create(path) }
            try disk.replaceContents(of: path, with: Array(text.utf8))
        }
    }

    func makeDirectory(_ path: String) throws {
        try disk.asUser { disk throws(FileError) in try disk.makeDirectory(path) }
    }

    func move(_ path: String, to other: String) throws {
        try disk.asUser { disk throws(FileError) in try disk.rename(path, to: other, replacing: false) }
    }

    func remove(_ path: String) throws {
        try disk.asUser { disk throws(FileError) in
            if try disk.status(path)?.kind == .directory {
                try disk.removeDirectory(path)
            } else {
                try disk.removeFile(path)
            }
        }
    }

    /// What is in the folder itself, as the disk writes it.
    func names() throws -> [String] {
        let entries = try disk.asUser { disk throws(FileError) in try disk.list("") }
        return entries.compactMap(\.name).filter { $0 != SyncNames.ownDirectory }
    }

    /// What is in the trash.
    func trash() throws -> Set<String> {
        let all = try disk.asUser { disk throws(FileError) in
            try FolderEntry.tree(of: disk, below: OwnDirectory.trash)
        }
        return Set(
            all.values.joined().compactMap { entry in
                guard case .file(let bytes) = entry else { return nil }
                return String(decoding: bytes, as: UTF8.self)
            })
    }
}
