import Multiformats
import Testing
import UnixFS

@Suite struct ImportParametersTests {
    @Test(arguments: ["unixfs-v1-2025", "unixfs-v0-2015"])
    func profilesAreFoundByNameAndKnowIt(name: String) throws {
        let parameters = try ImportParameters.profile(named: name)
        #expect(parameters.profileName == name)
        try parameters.validate()
    }

    @Test func aChangedProfileHasNoName() {
        var parameters = ImportParameters.unixfsV1_2025
        parameters.maximumLinks = 174
        #expect(parameters.profileName == nil)
    }

    @Test func anUnknownProfileIsRefusedByName() {
        #expect(throws: ImportParametersError.unknownProfile("unixfs-v9")) {
            try ImportParameters.profile(named: "unixfs-v9")
        }
    }

    @Test func aHashThatVersion0CannotCarryGivesVersion1() {
        var parameters = ImportParameters.unixfsV0_2015
        #expect(parameters.nodeCIDVersion == 0)
        parameters.hash = .sha2_512
        #expect(parameters.nodeCIDVersion == 1)
    }

    @Test func eachParameterIsCheckedByItself() {
        func expect(_ error: ImportParametersError, _ change: (inout ImportParameters) -> Void) {
            var parameters = ImportParameters.unixfsV1_2025
            change(&parameters)
            #expect(throws: error) { try parameters.validate() }
        }
        expect(.unknownCIDVersion(2)) { $0.cidVersion = 2 }
        expect(.tooFewLinks(1)) { $0.maximumLinks = 1 }
        expect(.unusableHash(.identity)) { $0.hash = .identity }
        expect(.badFanout(100)) { $0.directory.fanout = 100 }
        expect(.badFanout(4)) { $0.directory.fanout = 4 }
        expect(.badFanout(2048)) { $0.directory.fanout = 2048 }
        expect(.chunker(.sizeOutOfRange(0, allowed: 1...ChunkerKind.maximumChunkBytes))) {
            $0.chunker = .fixed(bytes: 0)
        }
    }
}
