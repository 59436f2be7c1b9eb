/// One decoder, with the properties that must hold whatever it is fed.
struct FuzzTarget: Sendable {
    /// The name of the folder of its corpus.
    let name: String
    private let body: @Sendable ([UInt8]) throws -> Void

    /// - Parameter body: may throw what the decoder does: refused input is no finding.
    init(_ name: String, _ body: @escaping @Sendable ([UInt8]) throws -> Void) {
        self.name = name
        self.body = body
    }

    func run(_ input: [UInt8]) {
        do {
            try body(input)
        } catch {
            // A refusal; the words for it must be there and cost little.
            require(!"\(error)".isEmpty, "an error has a description")
        }
    }

    static let all: [FuzzTarget] = [
        .varint, .cid, .multibase, .dagPB, .dagCBOR, .dagJSON, .paths, .car, .carAccess, .carIndex, .unixFS,
        .unixFSFile, .directory, .ipns,
    ]
}

/// Ends the process if a property does not hold, so that libFuzzer keeps the input.
func require(
    _ condition: @autoclosure () -> Bool, _ property: String, file: StaticString = #fileID,
    line: UInt = #line
) {
    // A trap is how a finding is reported here; the tool runs on nothing but fuzzed input.
    if !condition() { fatalError("does not hold: \(property)", file: file, line: line) }
}

/// What `body` returns. Ends the process if it throws where it must not.
func must<R>(
    _ property: String, file: StaticString = #fileID, line: UInt = #line, _ body: () throws -> R
) -> R {
    do {
        return try body()
    } catch {
        fatalError("does not hold: \(property): \(error)", file: file, line: line)
    }
}
