import CLibFuzzer
import Glibc

/// `nacre-fuzz --target=NAME [options of libFuzzer] [corpus folders or inputs]`: feeds one decoder.
///
/// libFuzzer passes over options that begin with two dashes and hands them on to processes that it starts.
@main
struct NacreFuzz {
    private static let option = "--target="

    /// What is fuzzed; chosen once for the whole process.
    private static let target: FuzzTarget? = {
        guard let argument = CommandLine.arguments.last(where: { $0.hasPrefix(option) }) else { return nil }
        let name = argument.dropFirst(option.count)
        return FuzzTarget.all.first { $0.name == name }
    }()

    static func main() {
        if CommandLine.arguments.dropFirst() == ["--list"] {
            for target in FuzzTarget.all { print(target.name) }
            return
        }
        guard target != nil else {
            print(
                "usage: nacre-fuzz --list | --target=NAME [options of libFuzzer] [corpus folders or inputs]")
            exit(2)
        }
        var count = CommandLine.argc
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
        exit(
            LLVMFuzzerRunDriver(&count, &arguments) { start, count in
                NacreFuzz.target?.run([UInt8](UnsafeRawBufferPointer(start: start, count: count)))
                return 0
            })
    }
}
