import ArgumentParser
import Glibc

/// Where the verbs of users get a password from: never from an argument, which other users of the machine see.
struct PasswordOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "A file with the password, or - for standard input (default: ask on the terminal).",
            valueName: "file"),
        completion: .file())
    var passwordFile: String?

    /// - Throws: wrong usage if there is nobody to ask, or two answers differ.
    func read() throws -> String {
        if let passwordFile {
            var bytes = try WholeInput.read(passwordFile, limit: 4096, noun: "a password")
            // The newline at the end of a file is the editor's.
            if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw CommandError(.wrongUsage, "the password in \(passwordFile) is no UTF-8")
            }
            return text
        }
        guard isatty(STDIN_FILENO) == 1, Terminal.isErrorTerminal else {
            throw CommandError(
                .wrongUsage, "there is no terminal to ask for a password on; give --password-file")
        }
        let first = try Self.ask("password: ")
        guard try Self.ask("once more: ") == first else {
            throw CommandError(.wrongUsage, "the two passwords differ; nothing was changed")
        }
        return first
    }

    /// Reads a line that the terminal does not show.
    private static func ask(_ prompt: String) throws -> String {
        var shown = termios()
        guard tcgetattr(STDIN_FILENO, &shown) == 0 else {
            throw CommandError(.failed, "the terminal cannot be asked for a password")
        }
        var hidden = shown
        hidden.c_lflag &= ~tcflag_t(ECHO)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden)
        defer { tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown) }
        Terminal.writeError(prompt)
        defer { Terminal.writeError("\n") }
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while bytes.count < 4096 {
            try Interruption.waitForInput(STDIN_FILENO)
            let count = Glibc.read(STDIN_FILENO, &byte, 1)
            if count < 0 && errno == EINTR { continue }
            guard count == 1, byte != UInt8(ascii: "\n") else { break }
            bytes.append(byte)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
