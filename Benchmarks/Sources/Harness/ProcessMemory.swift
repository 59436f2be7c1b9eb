import Foundation

/// Memory and input of this process, as Linux counts them.
public enum ProcessMemory {
    /// The most bytes resident since the last ``resetPeak()``.
    public static var peakBytes: Int { field("VmHWM:", of: "/proc/self/status") * 1024 }
    public static var residentBytes: Int { field("VmRSS:", of: "/proc/self/status") * 1024 }
    /// Bytes that this thread made the disk read: what works in the background does not count.
    public static var diskReadBytes: Int { field("read_bytes:", of: "/proc/thread-self/io") }
    /// Calls of this thread that read.
    public static var readCalls: Int { field("syscr:", of: "/proc/thread-self/io") }

    public static func resetPeak() {
        try? Data("5".utf8).write(to: URL(fileURLWithPath: "/proc/self/clear_refs"))
    }

    private static func field(_ name: String, of path: String) -> Int {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return 0 }
        let line = text.split(separator: "\n").first { $0.hasPrefix(name) }
        let number = line?.dropFirst(name.count).split(whereSeparator: \.isWhitespace).first
        return number.flatMap { Int($0) } ?? 0
    }
}
