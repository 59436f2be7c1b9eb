/// Sizes of content at which code takes another branch.
public let interestingSizes: [Int] = [
    0,  // nothing: no leaf, no section
    1,
    31, 32, 33,  // one digest
    55, 56, 63, 64, 65,  // the padding and the blocks of SHA-256
    127, 128, 129,  // one or two bytes of varint; the most that an identity CID carries
    4095, 4096, 4097,  // a page
    16_383, 16_384, 16_385,  // two or three bytes of varint
    65_535, 65_536, 65_537,
    256 * 1024 - 1, 256 * 1024, 256 * 1024 + 1,  // a chunk of `unixfs-v0-2015`
    1024 * 1024 - 1, 1024 * 1024, 1024 * 1024 + 1,  // a chunk of `unixfs-v1-2025`
]

/// ``interestingSizes`` up to 64 KiB, for tests that make many values.
public let interestingSmallSizes: [Int] = interestingSizes.filter { $0 <= 65_537 }
