import CGcrypt
import Digests
import Multiformats
import TestKit

/// Content that is made or read piece by piece.
struct ContentStream {
    /// Fills the buffer; fewer bytes than it has mean the end.
    let read: (UnsafeMutableRawBufferPointer) -> Int

    /// Content in memory.
    init(_ bytes: [UInt8]) {
        var offset = 0
        read = { target in
            let piece = bytes[offset..<min(bytes.count, offset + target.count)]
            target.copyBytes(from: piece)
            offset += piece.count
            return piece.count
        }
    }

    /// `size` bytes that `fill` makes in order, any number at a time.
    init(size: Int, fill: @escaping (UnsafeMutableRawBufferPointer) -> Void) {
        var left = size
        read = { target in
            let count = min(left, target.count)
            fill(UnsafeMutableRawBufferPointer(rebasing: target[..<count]))
            left -= count
            return count
        }
    }

    static func zeros(size: Int) -> ContentStream {
        ContentStream(size: size) { $0.initializeMemory(as: UInt8.self, repeating: 0) }
    }

    /// The first `size` bytes of a key stream: see `generators` in `unixfs/vectors.json`.
    static func chaCha20(seed: String, size: Int) throws -> ContentStream {
        let stream = try ChaCha20(seed: seed)
        return ContentStream(size: size) { stream.fill($0) }
    }

    /// All of it.
    func bytes(_ size: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            count = read(UnsafeMutableRawBufferPointer(buffer))
        }
    }
}

/// The key stream of IETF ChaCha20, with SHA-256 of a text as the key and a nonce of zeros.
final class ChaCha20 {
    private let handle: gcry_cipher_hd_t

    init(seed: String) throws {
        var handle: gcry_cipher_hd_t?
        let error = gcry_cipher_open(
            &handle, Int32(GCRY_CIPHER_CHACHA20.rawValue), Int32(GCRY_CIPHER_MODE_STREAM.rawValue), 0)
        guard error == 0, let handle else { throw ChaCha20Unavailable() }
        self.handle = handle
        let key = try Multihash(hashing: Array(seed.utf8), with: .sha2_256).digest
        guard gcry_cipher_setkey(handle, key, key.count) == 0,
            gcry_cipher_setiv(handle, [UInt8](repeating: 0, count: 12), 12) == 0
        else { throw ChaCha20Unavailable() }
    }

    deinit { gcry_cipher_close(handle) }

    /// Overwrites `buffer` with the next bytes.
    func fill(_ buffer: UnsafeMutableRawBufferPointer) {
        guard buffer.count > 0 else { return }
        buffer.initializeMemory(as: UInt8.self, repeating: 0)
        let error = gcry_cipher_encrypt(handle, buffer.baseAddress, buffer.count, nil, 0)
        precondition(error == 0, "a stream cipher takes any length")
    }
}

struct ChaCha20Unavailable: Error {}
