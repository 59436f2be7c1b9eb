import CAR
import Foundation
import IPLD
import Multiformats
import TestKit
import Testing

/// Files of other implementations, with what a reader written for it found in them.
@Suite struct CARFixtureTests {
    @Test(arguments: ExpectedCAR.names)
    func fileIsReadAsExpected(name: String) throws {
        let expected = try #require(try ExpectedCAR.all()[name])
        let file = try Vectors.bytes("car/" + name)
        let car = ReadCAR(file, options: CARReadingOptions(verification: .none))
        if let container = expected.v2_header, expected.error == nil {
            let header = try #require(car.version2Header)
            #expect(header.dataOffset == container.data_offset)
            #expect(header.dataBytes == container.data_size)
            #expect(header.indexOffset ?? 0 == container.index_offset)
            #expect(header.isFullyIndexed == container.fully_indexed)
        }
        guard let payload = expected.payload else {
            #expect(car.sections.isEmpty && car.errors.count == 1)
            return
        }
        #expect(car.sections.count == payload.blocks)
        #expect(car.sections.filter { $0.cid.isIdentity }.count == payload.identity_blocks)
        #expect(car.sections.first?.cid.description == payload.first_cid)
        #expect(car.sections.last?.cid.description == payload.last_cid)
        #expect(car.digestOfCIDs == payload.cids_sha256)
        #expect(car.isAtEnd == (payload.error == nil))
        #expect(car.errors.count == (payload.error == nil ? 0 : 1))
        if payload.error == nil { #expect(car.roots?.map(\.description) == payload.roots) }
    }

    @Test(arguments: ExpectedCAR.names)
    func verifiedReadingRefusesTheDamagedBlocksAndNoOthers(name: String) throws {
        guard let payload = try #require(try ExpectedCAR.all()[name]).payload else { return }
        let car = ReadCAR(try Vectors.bytes("car/" + name))
        let mismatches = car.errors.filter {
            if case .digestMismatch = $0 { true } else { false }
        }
        #expect(mismatches.count == payload.bad_hash)
        #expect(car.sections.count == payload.blocks - payload.bad_hash)
    }

    /// The errors that the damaged files end in.
    static let refused: [(String, CARError)] = [
        ("sample-corrupt-pragma.car", .truncated(.header, at: 0, needed: 19, available: 16)),
        ("sample-rootless-v42.car", .unknownVersion(42, at: 1)),
        ("badheaderlength.car", .headerTooLarge(at: 0, bytes: 216_830_324_832, maximum: 1_048_576)),
        ("badsectionlength.car", .sectionTooLarge(at: 18, bytes: 216_830_324_832, maximum: 2_097_301)),
        (
            "sample-v1-tailing-corrupt-section.car",
            .truncated(.section, at: 479_518, needed: 389, available: 376)
        ),
        ("sample-v1-with-zero-len-section.car", .zeroLengthSection(at: 479_907)),
        ("sample-v1-with-zero-len-section2.car", .zeroLengthSection(at: 20_819)),
        (
            "sample-v2-corrupt-data-and-index.car",
            .invalidVersion2Header(
                at: 27, .dataOutOfBounds(offset: 18_446_744_073_709_550_254, size: 479_907))
        ),
        (
            "fuzz-carreader-21a90a70853c.bin",
            .headerTooLarge(at: 0, bytes: 216_830_324_832, maximum: 1_048_576)
        ),
        ("fuzz-carreader-5857e57e4072.bin", .invalidHeader(at: 9, .rootIsNoLink(index: 0))),
        (
            "fuzz-blockreader-c3c7eedeb496.bin",
            .headerTooLarge(at: 0, bytes: 3_961_615_188_095, maximum: 1_048_576)
        ),
        ("fuzz-reader-c640dd07c027.bin", .invalidHeader(at: 11, .trailingBytes(count: 38))),
        ("fuzz-reader-e1d7f87ee37f.bin", .invalidHeader(at: 11, .trailingBytes(count: 38))),
    ]

    @Test(arguments: refused)
    func damagedFileIsRefusedWithItsPlace(name: String, error: CARError) throws {
        let car = ReadCAR(try Vectors.bytes("car/" + name))
        #expect(car.errors == [error])
        #expect(!car.isAtEnd)
        if let offset = error.offset, offset > 1 { #expect(error.description.contains("byte \(offset)")) }
    }

    @Test func everyDamagedFileOfTheIndexIsRefused() throws {
        let listed = Set(Self.refused.map(\.0))
        for (name, expected) in try ExpectedCAR.all() where expected.error ?? expected.payload?.error != nil {
            #expect(listed.contains(name), "\(name) has no expected error here")
        }
    }

    @Test(arguments: ["sample-v1-with-zero-len-section.car", "sample-v1-with-zero-len-section2.car"])
    func zeroLengthIsTheEndWhereItIsTakenAsThat(name: String) throws {
        let car = ReadCAR(
            try Vectors.bytes("car/" + name), options: CARReadingOptions(zeroLengthSection: .isEnd))
        #expect(car.errors.isEmpty && car.isAtEnd)
        #expect(car.sections.count == (try ExpectedCAR.all()[name]?.payload?.blocks))
    }

    @Test func blockByItselfHashesToItsName() throws {
        let name = "bafy2bzacebohz654namrgmwjjx4qmtwgxixsd7pn4tlanyrc3g3hwj75hlxrw"
        let bytes = try Vectors.bytes("car/\(name).block")
        let cid = try CID(text: name)
        let file = try writtenCAR(roots: [cid], [.init(cid: cid, bytes: bytes)])
        #expect(ReadCAR(file).sections.map(\.bytes) == [bytes])
    }
}
