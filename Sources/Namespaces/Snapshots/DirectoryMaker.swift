import BlockStorage
import IPLD
import Multiformats
import UnixFS

/// A directory as UnixFS.
struct BuiltDirectory: Hashable {
    var root: CID
    var dagBytes: UInt64
}

/// Makes one directory: anew, or by changing a large one.
struct DirectoryMaker {
    private enum Way {
        case anew(DirectoryBuilder)
        case editing(DirectoryEditor)
    }

    private var way: Way

    /// Anew.
    init() { way = .anew(DirectoryBuilder(parameters: .unixfsV1_2025)) }

    /// By changing the directory of that root; `nil` if it is small, or not there: it is made anew then.
    init?(editing root: CID, _ source: any BlockSource) throws {
        guard let block = try source.block(root) else { return nil }
        guard try UnixFSStat(block).kind == .shardedDirectory else { return nil }
        way = .editing(try DirectoryEditor(source: source, root: root, parameters: .unixfsV1_2025))
    }

    mutating func set(_ name: [UInt8], _ root: CID, _ dagBytes: UInt64) throws {
        switch way {
        case .anew(var builder):
            // Taken out while it changes, so that its buffers are not copied.
            way = .anew(DirectoryBuilder(parameters: .unixfsV1_2025))
            try builder.add(name: name, cid: root, dagBytes: dagBytes)
            way = .anew(builder)
        case .editing(var editor):
            try editor.set(DirectoryEntry(name: name, cid: root, dagBytes: dagBytes))
            way = .editing(editor)
        }
    }

    mutating func remove(_ name: [UInt8]) {
        guard case .editing(var editor) = way else { return }
        editor.remove(name)
        way = .editing(editor)
    }

    func finish(emit: (Block) throws -> Void) throws -> BuiltDirectory {
        let root: DirectoryRoot
        switch way {
        case .anew(var builder): root = try builder.finish(emit: emit)
        case .editing(let editor): root = try editor.finish(emit: emit)
        }
        return BuiltDirectory(root: root.cid, dagBytes: root.dagBytes)
    }
}
