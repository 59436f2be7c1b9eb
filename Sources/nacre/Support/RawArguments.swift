import Glibc

/// Arguments as the bytes they were given in.
///
/// Swift repairs arguments that are not UTF-8, and so loses file names. Here the original is found again.
enum RawArguments {
    /// The bytes of the argument that reads as `text`.
    static func bytes(of text: String) -> [UInt8] {
        guard text.unicodeScalars.contains("\u{FFFD}") else { return Array(text.utf8) }
        for index in 1..<Int(max(1, CommandLine.argc)) {
            guard let pointer = CommandLine.unsafeArgv[index] else { continue }
            let bytes = UnsafeBufferPointer(start: pointer, count: strlen(pointer)).map {
                UInt8(bitPattern: $0)
            }
            if String(decoding: bytes, as: UTF8.self) == text { return bytes }
        }
        return Array(text.utf8)
    }
}
