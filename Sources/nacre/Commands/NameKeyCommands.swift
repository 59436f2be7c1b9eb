import ArgumentParser
import Catalog
import Foundation
import Glibc
import IPNS
import Multiformats
import NodeCore
import NodeMessages

/// Records and keys that travel as files.
extension NameCommand {
    struct Record: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write the signed record of a name to standard output, or to a file.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var name: NameArgument
        @Option(name: .shortAndLong, help: ArgumentHelp("The file to write.", valueName: "file"))
        var output: String = "-"

        func run() throws {
            try global.withNode(.existing) { node in
                let record = try node.record(ofName: name.text)
                let file = try OutputFile(RawArguments.bytes(of: output))
                try record.withUnsafeBytes { try file.write($0) }
                try file.finish()
            }
        }
    }

    struct Put: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Keep a record that somebody else signed, if it is valid and newer.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var json: OutputOptions
        @Argument(help: ArgumentHelp("The key of the name: k51…, 12D3…, Qm….", valueName: "key"))
        var key: String
        @Argument(help: ArgumentHelp("The record; - for standard input.", valueName: "file"))
        var file: String

        func run() throws {
            let id = try PeerID(text: key)
            let bytes = try WholeInput.read(file, limit: IPNSRecord.maximumBytes, noun: "an IPNS record")
            try global.withNode { node in
                var out = StandardOutput()
                let record = try node.putRecord(bytes, forName: id.ipnsName)
                if json.json {
                    try out.writeJSON(record)
                } else {
                    try out.write(line: "/ipns/\(record.name) \(record.target)")
                }
                try out.flush()
            }
        }
    }

    struct Import: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Take over a name with its key: a file of `nacre name export` or `ipfs key export`, or PEM.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: ArgumentHelp("What to call it here.", valueName: "label"))
        var label: String
        @Argument(help: ArgumentHelp("The key; - for standard input.", valueName: "file"))
        var file: String

        func run() throws {
            let limit = max(PrivateKey.maximumBytes, PrivateKey.maximumPEMCharacters)
            let bytes = try WholeInput.read(file, limit: limit, noun: "a key")
            let key =
                bytes.starts(with: Array("-----".utf8))
                ? try PrivateKey(pem: String(decoding: bytes, as: UTF8.self))
                : try PrivateKey(protobuf: bytes)
            try global.withNode { node in
                var out = StandardOutput()
                let text = Data(key.protobuf).base64EncodedString()
                let entry = try node.makeName(NameRequest(label: label, key: text))
                if output.json {
                    try out.writeJSON(entry)
                } else {
                    try out.write(line: entry.name + " " + entry.label)
                }
                try out.flush()
            }
        }
    }

    struct Export: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write the private key of a name to a file. Whoever has the file can publish the name.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var name: NameArgument
        @Option(
            name: .shortAndLong, help: ArgumentHelp("The file, or - for standard output.", valueName: "file"))
        var output: String
        @Flag(name: .long, help: "PEM (PKCS #8) in the place of the protobuf that `ipfs key import` reads.")
        var pem = false

        func run() throws {
            try global.withNode(.existing) { node in
                let key = try PrivateKey(protobuf: try node.exportName(name.text))
                let bytes = pem ? try Array(key.pem.utf8) : key.protobuf
                // The file is a secret from its first byte on.
                let mask = umask(0o077)
                defer { umask(mask) }
                let file = try OutputFile(RawArguments.bytes(of: output))
                try bytes.withUnsafeBytes { try file.write($0) }
                try file.finish()
            }
        }
    }
}
