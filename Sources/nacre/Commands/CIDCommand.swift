import ArgumentParser
import Multiformats
import NodeCore

struct CIDCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cid", abstract: "Convert CIDs and take them apart. Needs no data directory.",
        subcommands: [Format.self, Inspect.self, Bases.self, Codecs.self, Hashes.self])

    @OptionGroup var global: GlobalOptions
}

extension CIDCommand {
    struct Format: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print CIDs in another version, base or codec.",
            discussion: "What is no CID is reported, and the others are printed; the exit code is 3 then.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: ArgumentHelp("CIDs; none reads lines from standard input.", valueName: "cid"))
        var cids: [String] = []
        @Option(
            name: [.customShort("v"), .customLong("cid-version")],
            help: ArgumentHelp("0 or 1.", valueName: "version"))
        var version: Int?
        @Option(
            name: [.customShort("b"), .customLong("base")],
            help: ArgumentHelp("A multibase, such as base58btc.", valueName: "name"))
        var base: String?
        @Option(name: .long, help: ArgumentHelp("Another codec, such as raw.", valueName: "name"))
        var codec: String?

        func run() throws {
            let encoding = try base.map { name in
                guard let found = MultibaseEncoding(named: name) else {
                    throw ValidationError("no base is named \(name); `nacre cid bases` lists them")
                }
                return found
            }
            var out = StandardOutput()
            var (converted, failed, line) = (0, 0, 0)
            func take(_ text: String, _ name: String) throws {
                do {
                    try write(try convert(text, encoding), of: text, &out)
                    converted += 1
                } catch let error as any Error & CustomStringConvertible
                    where error is CIDError
                {
                    Terminal.fail("\(name): \(error)")
                    failed += 1
                }
            }
            for text in cids { try take(text, text) }
            if cids.isEmpty {
                try StandardInput.forEachLine {
                    line += 1
                    try take($0, "line \(line)")
                }
            }
            try out.flush()
            guard failed > 0 else { return }
            throw SilentExit(status: converted == 0 ? .wrongUsage : .partlyDone)
        }

        private func write(_ converted: String, of text: String, _ out: inout StandardOutput) throws {
            guard output.json else { return try out.write(line: converted) }
            try out.write(bytes: JSONLine.encode(["given": text, "cid": converted]))
            try out.write("\n")
        }

        private func convert(_ text: String, _ encoding: MultibaseEncoding?) throws -> String {
            var cid = try CID(cidOrPeerID: text)
            if let codec {
                guard let code = MulticodecTable.code(named: codec) else {
                    throw ValidationError("no codec is named \(codec); `nacre cid codecs` lists them")
                }
                cid = CID(codec: Codec(rawValue: code), multihash: cid.multihash)
            }
            switch version {
            case nil: break
            case 0?:
                guard cid.codec == .dagPB else { throw CIDError.notVersion0 }
                cid = try CID(version0: cid.multihash)
            case 1?: cid = cid.asVersion1
            default: throw ValidationError("a CID has version 0 or 1")
            }
            if let encoding, cid.version == 0, encoding != .base58BTC { cid = cid.asVersion1 }
            return try encoding.map { try cid.text(in: $0) } ?? cid.description
        }
    }

    struct Inspect: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Take a CID apart.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: ArgumentHelp("A CID in any base, or a peer id.", valueName: "cid"))
        var text: String

        func run() throws {
            let cid = try CID(cidOrPeerID: text)
            let inspected = InspectedJSON(cid)
            var out = StandardOutput()
            if output.json {
                try out.write(bytes: JSONLine.encode(inspected))
                try out.write("\n")
            } else {
                for (name, value) in inspected.lines { try out.write(line: Columns.padded(name, 12) + value) }
            }
            try out.flush()
        }
    }

    struct Bases: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List multibases: prefix and name.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        func run() throws {
            var out = StandardOutput()
            for base in MultibaseEncoding.all {
                if output.json {
                    try out.write(bytes: JSONLine.encode(["prefix": base.prefixText, "name": base.name]))
                    try out.write("\n")
                } else {
                    try out.write(line: "\(base.prefixText) \(base.name)")
                }
            }
            try out.flush()
        }
    }

    struct Codecs: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List codecs: code and name.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        func run() throws { try Table.write(MulticodecTable.codecs, json: output.json) }
    }

    struct Hashes: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List hash functions that are verified here: code and name.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        func run() throws {
            let known = Set(MultihashCode.verifiable.map(\.rawValue)).union([MultihashCode.identity.rawValue])
            try Table.write(
                MulticodecTable.hashFunctions.filter { known.contains($0.code) }, json: output.json)
        }
    }

    private enum Table {
        static func write(_ rows: [(name: String, code: UInt64)], json: Bool) throws {
            var out = StandardOutput()
            for row in rows {
                let code = "0x" + String(row.code, radix: 16)
                if json {
                    try out.write(bytes: JSONLine.encode(["code": code, "name": row.name]))
                    try out.write("\n")
                } else {
                    try out.write(line: "\(code) \(row.name)")
                }
            }
            try out.flush()
        }
    }
}

extension CID {
    /// A CID in any base, or a peer id in its old form.
    fileprivate init(cidOrPeerID text: String) throws {
        do {
            try self.init(text: text)
        } catch {
            guard text.hasPrefix("1"), let peer = try? PeerID(text: text) else { throw error }
            self = peer.cid
        }
    }
}

private struct InspectedJSON: Encodable {
    let cid: String
    let version: UInt8
    let codec: String
    let hash: String
    let digestBytes: Int
    let digest: String
    let cidV0: String?
    let cidV1: String
    let base36: String
    let base58btc: String

    init(_ cid: CID) {
        self.cid = cid.description
        version = cid.version
        codec = MulticodecTable.name(of: cid.codec.rawValue) ?? "0x" + String(cid.codec.rawValue, radix: 16)
        let code = cid.multihash.code.rawValue
        hash = MulticodecTable.name(of: code) ?? "0x" + String(code, radix: 16)
        digestBytes = cid.multihash.digestByteCount
        digest = cid.multihash.digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        cidV0 = cid.codec == .dagPB ? (try? CID(version0: cid.multihash)).map(\.description) : nil
        let version1 = cid.asVersion1
        cidV1 = version1.description
        base36 = Multibase.encode(version1.bytes, .base36)
        base58btc = Multibase.encode(version1.bytes, .base58BTC)
    }

    var lines: [(String, String)] {
        var lines = [
            ("CID", cid), ("version", "\(version)"), ("codec", codec),
            ("hash", "\(hash), \(digestBytes) bytes"),
            ("digest", digest),
        ]
        if let cidV0 { lines.append(("version 0", cidV0)) }
        lines += [("version 1", cidV1), ("base36", base36), ("base58btc", base58btc)]
        return lines
    }
}
