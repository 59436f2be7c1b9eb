import CSHA256
import CSHA256Emulated
import Crypto
import Digests
import TestKit
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// Each kernel against known answers, and all of them against the portable one.
@Suite struct SHA256KernelTests {
    /// Around the ends of blocks and of padding, of pages, and of leaves.
    static let edgeLengths = [
        0, 1, 55, 56, 63, 64, 65, 119, 120, 127, 128, 4095, 4096, 4097, 1_048_575, 1_048_576, 1_048_577,
    ]

    @Test func thePortableKernelRunsEverywhereAndTheLogSaysWhichOthersRanHere() {
        let names = SHA256Kernel.available.map(\.rawValue)
        print("SHA-256 kernels tested on this machine: \(names.joined(separator: ", "))")
        #expect(names.contains("portable"))
        #expect(names.contains(String(cString: nacre_sha256_kernel_name())))
    }

    @Test(arguments: SHA256Kernel.available)
    func aKernelGivesTheKnownAnswers(kernel: SHA256Kernel) throws {
        let answers = try DigestVectors.knownAnswers()
        let function = try #require(answers.functions.first { $0.function == "sha2-256" })
        let expected = (function.texts + function.patterns).map(bytes(fromHex:))
        for (message, digest) in zip(answers.messages, expected) {
            #expect(kernel.digest(of: message) == digest, "\(message.count) bytes")
        }
        #expect(kernel.digests(of: answers.messages) == expected)
    }

    /// swift-crypto's code is BoringSSL's: nothing of it is ours.
    @Test(arguments: SHA256Kernel.available)
    func aKernelAgreesWithSwiftCrypto(kernel: SHA256Kernel) {
        var random = SeededRandom(seed: 3)
        let lengths = Self.edgeLengths + (0..<60).map { _ in random.number(0...70_000) }
        let messages = lengths.map { random.bytes($0) }
        let expected = messages.map { Array(SHA256.hash(data: $0)) }
        #expect(kernel.digests(of: messages) == expected)
        for (message, digest) in zip(messages, expected) {
            #expect(kernel.digest(of: message) == digest, "\(message.count) bytes")
        }
        for count in [1, 2, 15, 16, 17, 33, 500] {
            let nodes = random.bytes(64 * count)
            let parents = (0..<count).map { Array(SHA256.hash(data: nodes[(64 * $0)..<(64 * $0 + 64)])) }
            #expect(kernel.parents(of: nodes, inPlace: false) == parents, "\(count) pairs")
        }
    }

    @Test(arguments: SHA256Kernel.available)
    func aKernelAgreesOnEdgeLengths(kernel: SHA256Kernel) {
        var random = SeededRandom(seed: 1)
        for length in Self.edgeLengths {
            let message = random.bytes(length)
            let expected = SHA256Kernel.portable.digest(of: message)
            #expect(kernel.digest(of: message) == expected, "\(length) bytes")
            if length <= 65_536 {
                let copies = [[UInt8]](repeating: message, count: 17)
                #expect(
                    kernel.digests(of: copies) == copies.map { _ in expected }, "17 times \(length) bytes")
            }
        }
    }

    @Test(arguments: SHA256Kernel.available, SeededRandom.seeds(8))
    func aKernelAgreesOnAnyNumberOfMessagesOfMixedLengths(kernel: SHA256Kernel, seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for count in 0...40 {
            let messages = (0..<count).map { _ in
                random.bytes(
                    random.oneIn(2) ? random.pick(Self.edgeLengths.prefix(14)) : random.number(0...2000))
            }
            #expect(
                kernel.digests(of: messages) == messages.map { SHA256Kernel.portable.digest(of: $0) },
                "lengths \(messages.map(\.count))")
        }
    }

    @Test(arguments: SHA256Kernel.available)
    func aKernelAgreesOnPairsInPlaceAndAside(kernel: SHA256Kernel) {
        var random = SeededRandom(seed: 2)
        for count in Array(0...40) + [64, 1000] {
            let nodes = random.bytes(64 * count)
            let expected = (0..<count).map {
                SHA256Kernel.portable.digest(of: Array(nodes[(64 * $0)..<(64 * $0 + 64)]))
            }
            #expect(kernel.parents(of: nodes, inPlace: false) == expected, "\(count) pairs")
            #expect(kernel.parents(of: nodes, inPlace: true) == expected, "\(count) pairs in place")
        }
    }

    @Test(arguments: SeededRandom.seeds(16))
    func incrementalHashingDoesNotDependOnTheSpans(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let message = random.bytes(random.number(0...20_000))
        var context = nacre_sha256_context()
        nacre_sha256_init(&context)
        for span in random.pieces(of: message, upTo: random.pick([3, 100, 3000])) {
            nacre_sha256_update(&context, Array(span), span.count)
        }
        var digest = [UInt8](repeating: 0, count: 32)
        nacre_sha256_final(&context, &digest)
        #expect(digest == SHA256Kernel.portable.digest(of: message))
    }

    @Test(arguments: SeededRandom.seeds(8))
    func theSingleStreamOfTheEmulatedKernelAgrees(seed: UInt64) {
        guard nacre_sha256_emulated_available() == 1 else { return }
        var random = SeededRandom(seed: seed)
        for _ in 0..<20 {
            let message = random.bytes(random.number(0...5000))
            var digest = [UInt8](repeating: 0, count: 32)
            nacre_sha256_emulated_one(message, message.count, &digest)
            #expect(digest == SHA256Kernel.portable.digest(of: message))
        }
    }

    #if canImport(Glibc)
        /// A kernel that reads one byte too many here is killed by the machine.
        @Test(arguments: SHA256Kernel.available)
        func aKernelReadsNothingBehindAMessage(kernel: SHA256Kernel) throws {
            let page = Int(sysconf(Int32(_SC_PAGESIZE)))
            let count = 20
            let mapped = mmap(
                nil, 2 * page * count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
            let memory = try #require(mapped == MAP_FAILED ? nil : mapped)
            defer { munmap(memory, 2 * page * count) }
            for lengths in [(0..<count).map { 1 + 67 * $0 }, (0..<count).map { _ in 64 }, [4096], [1]] {
                let messages = lengths.enumerated().map { index, length in
                    let end = memory + 2 * page * index + page
                    return UnsafeRawBufferPointer(start: end - length, count: length)
                }
                for index in 0..<count {
                    mprotect(memory + 2 * page * index + page, page, PROT_NONE)
                }
                let digests = kernel.digests(of: messages)
                #expect(digests == messages.map { SHA256Kernel.portable.digest(of: Array($0)) })
            }
        }
    #endif
}
