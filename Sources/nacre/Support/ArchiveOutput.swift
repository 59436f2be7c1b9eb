import BlockStorage
import Glibc
import Multiformats
import NodeCore
import NodeMessages

/// Archives of `get --archive`.
enum ArchiveOutput {
    static func write(
        _ format: GetCommand.ArchiveFormat, of cid: CID, named name: [UInt8], to path: [UInt8],
        maximumEntries: Int, _ node: any NodeOperations, quiet: Bool
    ) throws {
        let bar = ProgressBar("writing", quiet: quiet)
        let sink = try OutputFile(path)
        switch format {
        case .tar:
            let archive = try TarExport(
                source: node.blocks, root: cid, name: name, maximumEntries: maximumEntries,
                cancellation: Interruption.cancellation)
            try archive.run { bytes in
                bar.advance(bytes: bytes.count)
                try sink.write(bytes)
            }
        case .car:
            try node.exportCAR(cid, CARExportOptions(), bar.watch) { try sink.write($0) }
        }
        try sink.finish()
        bar.finish()
    }
}

/// A file that appears under its name when it is whole, and leaves nothing behind if it never is; `-` is
/// standard output.
final class OutputFile {
    private let path: [UInt8]
    private let passing: [UInt8]
    private let descriptor: Int32
    private var isFinished = false

    init(_ path: [UInt8]) throws {
        self.path = path
        passing = path + Array(".nacre-part".utf8)
        if path == [UInt8(ascii: "-")] {
            descriptor = STDOUT_FILENO
            return
        }
        descriptor = Self.withCString(passing) {
            Glibc.open($0, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        }
        guard descriptor >= 0 else { throw POSIXError("create", path: path, code: errno) }
    }

    deinit {
        guard descriptor >= 0, descriptor != STDOUT_FILENO else { return }
        close(descriptor)
        if !isFinished { Self.withCString(passing) { _ = unlink($0) } }
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        var done = 0
        while done < bytes.count {
            let count = Glibc.write(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
            if count < 0 {
                switch errno {
                case EINTR: continue
                case EPIPE: throw SilentExit(status: .done)
                case let code: throw POSIXError("write", path: path, code: code)
                }
            }
            done += count
        }
    }

    func finish() throws {
        guard descriptor != STDOUT_FILENO else { return }
        let result = Self.withCString(passing) { old in Self.withCString(path) { rename(old, $0) } }
        guard result == 0 else { throw POSIXError("rename", path: passing, code: errno) }
        isFinished = true
    }

    private static func withCString<R>(_ path: [UInt8], _ body: (UnsafePointer<CChar>) -> R) -> R {
        (path.map { CChar(bitPattern: $0) } + [0]).withUnsafeBufferPointer {
            body($0.baseAddress.unsafelyUnwrapped)
        }
    }
}
