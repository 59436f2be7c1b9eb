import NodeCore

/// File names on standard output: for a person without control characters, for a program as they are.
enum OutputName {
    static func bytes(_ name: [UInt8]) -> [UInt8] {
        Terminal.isOutputTerminal ? Array(PathText.printable(name).utf8) : name
    }
}
