import Harness

/// What to measure and how large.
struct Settings {
    var benchmarks: [String] = []
    var runs = 5
    var isQuick = false
    /// Blocks of 100 bytes in the index benchmark.
    var blocks = 10_000_000
    /// Where stores are made; removed afterwards.
    var directory = "/tmp/nacre-bench"
    var jsonPath: String?

    static let usage = """
        usage: nacre-bench [--quick] [--runs N] [--blocks N] [--dir DIR] [--json FILE] [hashing|chunkers|codecs|index|namespaces]…
        """

    init(_ arguments: [String]) throws {
        var rest = arguments[...]
        func value() throws -> String {
            guard let value = rest.popFirst() else { throw BenchmarkError.unusable(Self.usage) }
            return value
        }
        func number() throws -> Int {
            guard let number = Int(try value()), number > 0 else { throw BenchmarkError.unusable(Self.usage) }
            return number
        }
        while let argument = rest.popFirst() {
            switch argument {
            case "--quick":
                isQuick = true
                runs = 3
                blocks = 500_000
            case "--runs": runs = try number()
            case "--blocks": blocks = try number()
            case "--dir": directory = try value()
            case "--json": jsonPath = try value()
            case "hashing", "chunkers", "codecs", "index", "namespaces": benchmarks.append(argument)
            default: throw BenchmarkError.unusable(Self.usage)
            }
        }
        if benchmarks.isEmpty { benchmarks = ["hashing", "chunkers", "codecs", "index", "namespaces"] }
    }
}
