import Crypto
import CryptoExtras
import Foundation

/// Turns passwords into hashes that are slow to guess, with bounded memory whatever many log in at once.
///
/// Stored as `$scrypt$ln=15,r=8,p=3$SALT$HASH`, both in base64 without padding, so that the parameters can grow.
/// One computation takes 128 · r · 2^ln bytes: 32 MiB. At most `concurrency` run and at most `queueLength` wait;
/// more are refused at once, so that a thousand simultaneous logins cost no more memory or threads than these.
final class PasswordHasher: Sendable {
    /// The cost of one computation.
    struct Parameters: Hashable, Sendable {
        /// 2^ln blocks.
        var logRounds = 15
        var blockSize = 8
        var parallelism = 3

        /// What a stored hash may ask for: the library stops at 65 MiB.
        var isBearable: Bool {
            (1...16).contains(logRounds) && (1...16).contains(blockSize) && (1...16).contains(parallelism)
                && 128 * blockSize << logRounds <= 64 * 1024 * 1024
        }
    }

    private struct State {
        var running = 0
        var waiting = 0
    }

    let parameters: Parameters
    private let concurrency: Int
    private let queueLength: Int
    private let state: LockedState<State>

    init(parameters: Parameters = Parameters(), concurrency: Int = 2, queueLength: Int = 16) {
        self.parameters = parameters
        self.concurrency = max(1, concurrency)
        self.queueLength = max(0, queueLength)
        state = LockedState(State())
    }

    /// - Throws: `tooManyLogins`.
    func hash(_ password: String) throws(AccessError) -> String {
        let salt = SecureRandom.bytes(16)
        let hash = try derive(password, salt, parameters)
        return "$scrypt$ln=\(parameters.logRounds),r=\(parameters.blockSize),p=\(parameters.parallelism)$"
            + Self.base64(salt) + "$" + Self.base64(hash)
    }

    /// Whether the password has this hash. Takes as long for an empty or unreadable hash, and says no.
    ///
    /// - Throws: `tooManyLogins`.
    func verify(_ password: String, against stored: String) throws(AccessError) -> Bool {
        let parsed = Self.parse(stored)
        let expected = parsed?.hash ?? [UInt8](repeating: 0, count: 32)
        let salt = parsed?.salt ?? [UInt8](repeating: 0, count: 16)
        let actual = try derive(password, salt, parsed?.parameters ?? parameters)
        return ConstantTime.areEqual(expected, actual) && parsed != nil
    }

    /// Whether the hash was made with other parameters than new ones are.
    func isOutdated(_ stored: String) -> Bool { Self.parse(stored)?.parameters != parameters }

    /// scrypt (RFC 7914): 32 bytes.
    func derive(_ password: String, _ salt: [UInt8], _ parameters: Parameters) throws(AccessError)
        -> [UInt8]
    {
        try enter()
        defer { leave() }
        // One form of Unicode, whatever the keyboard makes (RFC 8265).
        let bytes = Array(password.precomposedStringWithCanonicalMapping.utf8)
        guard
            let key = try? KDF.Scrypt.deriveKey(
                from: bytes, salt: salt, outputByteCount: 32, rounds: 1 << parameters.logRounds,
                blockSize: parameters.blockSize, parallelism: parameters.parallelism)
        else { throw .tooManyLogins }  // no memory is the only reason left
        return key.withUnsafeBytes { Array($0) }
    }

    private func enter() throws(AccessError) {
        let isAdmitted = state.wait { state -> LockedState<State>.Outcome<Bool> in
            if state.running < self.concurrency {
                state.running += 1
                return .done(true)
            }
            return state.waiting >= self.queueLength ? .done(false) : .waiting
        } onWaiting: {
            $0.waiting += 1
        } onResuming: {
            $0.waiting -= 1
        }
        guard isAdmitted else { throw .tooManyLogins }
    }

    private func leave() {
        state.with { $0.running -= 1 }
        state.signal()
    }

    private static func parse(_ text: String) -> (parameters: Parameters, salt: [UInt8], hash: [UInt8])? {
        let parts = text.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 5, parts[0].isEmpty, parts[1] == "scrypt" else { return nil }
        let values = parts[2].split(separator: ",").map { $0.split(separator: "=") }
        guard values.count == 3, values.allSatisfy({ $0.count == 2 }),
            values.map({ $0[0] }) == ["ln", "r", "p"],
            let logRounds = Int(values[0][1]), let blockSize = Int(values[1][1]),
            let parallelism = Int(values[2][1]), let salt = bytes(base64: parts[3]),
            let hash = bytes(base64: parts[4]), salt.count == 16, hash.count == 32
        else { return nil }
        let parameters = Parameters(logRounds: logRounds, blockSize: blockSize, parallelism: parallelism)
        return parameters.isBearable ? (parameters, salt, hash) : nil
    }

    private static func base64(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString().replacing("=", with: "")
    }

    private static func bytes(base64 text: Substring) -> [UInt8]? {
        let padding = String(repeating: "=", count: (4 - text.count % 4) % 4)
        return Data(base64Encoded: text + padding).map { Array($0) }
    }
}
