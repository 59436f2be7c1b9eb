import Glibc

/// What standard error and standard output are connected to.
enum Terminal {
    static let isErrorTerminal = isatty(STDERR_FILENO) == 1
    static let isOutputTerminal = isatty(STDOUT_FILENO) == 1

    /// Colours only where a person sees them and has not asked for none (no-color.org).
    static let usesColour: Bool = {
        guard isErrorTerminal else { return false }
        if let value = getenv("NO_COLOR"), value.pointee != 0 { return false }
        if let term = getenv("TERM"), String(cString: term) == "dumb" { return false }
        return true
    }()

    /// Columns of the terminal that shows standard error.
    static var width: Int {
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// Writes a line to standard error, above the progress bar if there is one.
    static func note(_ text: String) {
        ProgressBar.clearLine()
        writeError(text + "\n")
    }

    static func warn(_ text: String) { note(coloured("warning:", "33") + " " + text) }
    static func fail(_ text: String) { note(coloured("error:", "31;1") + " " + text) }

    static func coloured(_ text: String, _ code: String) -> String {
        usesColour ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }

    static func writeError(_ text: String) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
            if count < 0 && errno != EINTR { return }  // nobody is left to be told
            if count > 0 { bytes = bytes.dropFirst(count) }
        }
    }
}
