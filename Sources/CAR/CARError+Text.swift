import Multiformats

extension CARError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .truncated(let part, let at, let needed, let available):
            "the CAR ends within the \(part.rawValue) at byte \(at): "
                + "\(needed) bytes are needed, \(available) are there; fetch the file again"
        case .invalidLength(let part, let at, let error):
            "no length of a \(part.rawValue) stands at byte \(at): \(error); the file is damaged or no CAR"
        case .headerTooLarge(let at, let bytes, let maximum):
            "the header at byte \(at) claims \(bytes) bytes, \(maximum) are allowed; "
                + "the file is damaged or no CAR"
        case .invalidHeader(let at, let problem):
            "the CAR header is wrong at byte \(at): \(problem)"
        case .unknownVersion(let version, let at):
            "the header at byte \(at) says CAR version \(version); known are 1 and 2"
        case .sectionTooLarge(let at, let bytes, let maximum):
            "the section at byte \(at) claims \(bytes) bytes, \(maximum) are allowed"
        case .blockTooLarge(let cid, let at, let bytes, let maximum):
            "block \(cid) at byte \(at) has \(bytes) bytes, \(maximum) are allowed"
        case .zeroLengthSection(let at):
            "the section at byte \(at) has length zero; if the file is padded with zeros, read zero as the end"
        case .invalidCID(let at, let error):
            "the section at byte \(at) has no usable CID: \(error)"
        case .digestMismatch(let cid, let at):
            "the block at byte \(at) does not hash to its CID \(cid): it is damaged; fetch the file again"
        case .invalidVersion2Header(let at, let problem):
            "the version 2 header is wrong at byte \(at): \(problem)"
        case .invalidIndex(let at, let problem):
            "the index is wrong at byte \(at): \(problem); it can be rebuilt from the blocks"
        case .payloadSizeDiffers(let promised, let actual):
            "the header promised a payload of \(promised) bytes, \(actual) were written; write the file again"
        }
    }
}

extension CARHeaderProblem: CustomStringConvertible {
    public var description: String {
        switch self {
        case .empty: "it has no bytes"
        case .notCBOR: "it is not DAG-CBOR"
        case .notAMap: "it is not a map"
        case .unknownKey: "it has a key other than `roots` and `version`"
        case .duplicateKey: "it has a key twice"
        case .missingVersion: "it has no version"
        case .versionIsNoNumber: "the version is not a number"
        case .rootsAreNoList: "the roots are not a list"
        case .rootIsNoLink(let index): "root \(index) is not a link"
        case .invalidRoot(let index, let error): "root \(index) is not usable: \(error)"
        case .trailingBytes(let count): "\(count) bytes follow the map"
        }
    }
}

extension CARVersion2Problem: CustomStringConvertible {
    public var description: String {
        switch self {
        case .notThePragma: "the file says version 2 without the first eleven bytes that version 2 has"
        case .dataWithinHeader(let offset): "the payload would begin at byte \(offset), within the headers"
        case .noData: "the payload has no bytes"
        case .dataOutOfBounds(let offset, let size):
            "a payload of \(size) bytes at byte \(offset) runs past the end of the file"
        case .payloadVersion(let version): "the payload within is of version \(version), it must be 1"
        }
    }
}

extension CARIndexProblem: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unknownFormat(let code): "format 0x\(String(code, radix: 16)) is not known"
        case .notAVarint: "it does not begin with the code of a format"
        case .truncated: "it ends too early"
        case .badWidth(let width): "records of \(width) bytes are not possible"
        case .raggedBucket: "the length of a list is not a multiple of its records"
        case .notSorted: "its records are not in order"
        case .tooManyBuckets(let maximum): "it has more than \(maximum) lists"
        case .trailingBytes: "bytes follow its last list"
        }
    }
}
