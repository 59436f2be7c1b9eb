import Crypto
import Foundation

/// The key of a node that its other keys are derived from: the 32 random bytes of `secrets/master-key`.
struct MasterKey: Sendable {
    private let bytes: [UInt8]

    static let fileName = "master-key"
    static let byteCount = 32

    /// - Returns: `nil` if the file has another length.
    init?(file: [UInt8]) {
        guard file.count == Self.byteCount else { return nil }
        bytes = file
    }

    /// What its file holds: a secret.
    var file: [UInt8] { bytes }

    /// A key for one purpose, by HKDF-SHA256; keys for two purposes have nothing in common.
    func key(for purpose: String) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: bytes), info: Data(purpose.utf8), outputByteCount: 32)
    }

    /// Tells keys apart without giving anything of them away.
    var fingerprint: String {
        key(for: "nacre master key fingerprint 1").withUnsafeBytes { bytes in
            bytes.prefix(8).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
    }
}

extension MasterKey: CustomStringConvertible, CustomReflectable {
    var description: String { "master key" }
    var customMirror: Mirror { Mirror(self, children: []) }
}
