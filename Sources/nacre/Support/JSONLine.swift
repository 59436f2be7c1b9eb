import Foundation
import NodeCore

/// JSON as the verbs print it: compact, keys sorted, one object a line.
enum JSONLine {
    static func encode(_ value: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Only strings, integers and booleans are encoded here: that cannot fail.
        guard let data = try? encoder.encode(value) else { return Array("{}".utf8) }
        return Array(data)
    }
}

/// A file name in JSON: text, and the bytes in hex beside it where they are no UTF-8.
struct JSONName {
    let text: String
    let hex: String?

    init(_ bytes: [UInt8]) {
        if let exact = String(validating: bytes, as: UTF8.self) {
            text = exact
            hex = nil
        } else {
            text = PathText.printable(bytes)
            hex = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
    }
}

struct AddedJSON: Encodable {
    let cid: String
    let name: String
    let nameHex: String?
    let type: String
    let bytes: UInt64
    let dagBytes: UInt64

    init(cid: String, name: [UInt8], kind: FileKind, bytes: UInt64, dagBytes: UInt64) {
        let shown = JSONName(name)
        self.cid = cid
        self.name = shown.text
        nameHex = shown.hex
        type = kind.word
        self.bytes = bytes
        self.dagBytes = dagBytes
    }
}

extension FileKind {
    var word: String {
        switch self {
        case .file: "file"
        case .directory: "directory"
        case .symlink: "symlink"
        case .special: "special"
        }
    }
}
