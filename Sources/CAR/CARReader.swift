/// Reads a CARv1 or CARv2 as its bytes come by.
///
/// Feed bytes in pieces of any length, and take sections with ``next()`` until it returns `nil`; when no
/// bytes are left, call ``finish()`` and take the rest. The index of a CARv2 is not looked at.
///
/// Memory: the bytes fed and not yet taken, and a batch of sections. No claim in the file reserves any.
///
/// After an error that concerns one section (``CARError/concernsOneSection``) the next call goes on behind
/// it; any other error is final and is thrown again.
public struct CARReader: Sendable {
    public let options: CARReadingOptions
    /// The header of the payload, as soon as it has come.
    public private(set) var header: CARHeader?
    /// The header of the container, if it is a CARv2.
    public private(set) var version2Header: CARv2Header?

    private var state = State.start
    private var input = CARInputBuffer()
    /// Where the payload ends, if a CARv2 says so.
    private var payloadEnd = UInt64(Int64.max)
    /// Sections read ahead to be verified together, the next one last.
    private var ready: [Result<CARSection, CARError>] = []

    private enum State {
        case start
        case payloadHeader
        case sections
        /// Bytes up to an offset are of no interest; they belong to a part that began at another.
        case skipping(to: UInt64, CARPart, at: UInt64)
        case ended
        case failed(CARError)
    }

    /// The most sections of a batch; beyond it lanes are long full.
    private static let maximumBatchSections = 256

    public init(options: CARReadingOptions = CARReadingOptions()) { self.options = options }

    /// Whether all sections have been taken. True only behind the last one, never after an error.
    public var isAtEnd: Bool {
        guard ready.isEmpty, case .ended = state else { return false }
        return true
    }

    /// Where the payload begins: indexes count from here. 0 in a CARv1.
    public var payloadOffset: UInt64 { version2Header?.dataOffset ?? 0 }

    /// How many bytes were fed and not yet taken.
    public var bufferedBytes: Int { input.count }

    /// Takes the next bytes of the file.
    public mutating func feed(_ bytes: UnsafeRawBufferPointer) {
        switch state {
        case .ended, .failed: break
        default: input.append(bytes)
        }
    }

    /// Takes the next bytes of the file.
    public mutating func feed(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { feed($0) }
    }

    /// Says that no more bytes come. What ``next()`` still needs then is missing: it throws `truncated`.
    public mutating func finish() { input.isFinished = true }

    /// The next section; `nil` if more bytes are needed, or if ``isAtEnd``.
    ///
    /// - Throws: `CARError`, each with the offset in the file of what is wrong.
    public mutating func next() throws(CARError) -> CARSection? {
        if ready.isEmpty { fill() }
        if let result = ready.popLast() { return try result.get() }
        if case .failed(let error) = state { throw error }
        return nil
    }

    /// Reads as much of the headers as is here.
    mutating func readHeaders() throws(CARError) {
        do {
            while header == nil, try readHeaderPart() {}
        } catch {
            state = .failed(error)
            throw error
        }
    }

    /// The offset in the file of the first byte that was not taken.
    var position: UInt64 { input.position }

    /// Where bytes are of interest again, if those before are not.
    var skippedTo: UInt64? {
        guard case .skipping(let target, _, _) = state else { return nil }
        return target
    }

    /// Goes on at an offset of the file up to which bytes are of no interest, as if they had come.
    mutating func jump(to offset: UInt64) { input.jump(to: offset) }

    /// Whether less than a batch waits to be read, where a batch is of use.
    var wantsMore: Bool {
        switch state {
        case .sections where !input.isFinished && options.verification == .everyBlock:
            input.count < options.batchBytes
        default: false
        }
    }

    /// Reads the sections that are here in full, up to a batch, and verifies them.
    private mutating func fill() {
        var found: [Result<FoundSection, CARError>] = []
        var bytes = 0
        if case .failed = state { return }
        reading: while found.count < Self.maximumBatchSections && bytes < options.batchBytes {
            do {
                guard let section = try read() else { break }
                found.append(.success(section))
                bytes += section.range.count
            } catch {
                if !error.concernsOneSection {
                    state = .failed(error)
                    break reading
                }
                found.append(.failure(error))
            }
        }
        ready = input.withUnsafeBytes { input in
            let damaged = options.verification == .none ? [] : FoundSection.damaged(among: found, in: input)
            return found.indices.reversed().map { index in
                found[index].flatMap { section in
                    if damaged.contains(index) {
                        return .failure(.digestMismatch(section.cid, at: section.offset))
                    }
                    let bytes = [UInt8](input[section.range])
                    return .success(CARSection(cid: section.cid, bytes: bytes, offset: section.offset))
                }
            }
        }
    }

    /// Goes one section on; `nil` if more bytes are needed or none are left.
    private mutating func read() throws(CARError) -> FoundSection? {
        while try readHeaderPart() {}
        guard case .sections = state else { return nil }
        return try readSection()
    }

    /// Goes on to the next state before sections; `false` if bytes are missing, or in front of a section.
    private mutating func readHeaderPart() throws(CARError) -> Bool {
        switch state {
        case .start: try readStart()
        case .payloadHeader: try readPayloadHeader()
        case .skipping(let target, let part, let start): try skip(to: target, part: part, from: start)
        case .sections, .ended: false
        case .failed(let error): throw error
        }
    }

    private mutating func readStart() throws(CARError) -> Bool {
        let limits = options.limits
        let first = try input.parse(upTo: payloadEnd) {
            (bytes, _) throws(CARError) -> (value: CARHeader, end: Int) in
            var offset = 0
            let header = try CARv1.decodeHeaderOfAnyVersion(bytes, at: &offset, limits: limits, base: 0)
            // A CARv2 is looked at again from the start, together with the header behind the pragma.
            return (header, header.version == 2 ? 0 : offset)
        }
        guard let first else { return false }
        guard first.version == 2 else {
            header = first
            state = .sections
            return true
        }
        let container = try input.parse(upTo: payloadEnd) {
            (bytes, _) throws(CARError) -> (value: CARv2Header, end: Int) in
            (try CARv2Header(decoding: bytes), Int(CARv2Header.minimumDataOffset))
        }
        guard let container else { return false }
        version2Header = container
        payloadEnd = container.dataEnd
        state = .skipping(to: container.dataOffset, .payload, at: input.position)
        return true
    }

    private mutating func readPayloadHeader() throws(CARError) -> Bool {
        let limits = options.limits
        let found = try input.parse(upTo: payloadEnd) {
            (bytes, base) throws(CARError) -> (value: CARHeader, end: Int) in
            var offset = 0
            let header = try CARv1.decodeHeaderOfAnyVersion(bytes, at: &offset, limits: limits, base: base)
            guard header.version == 1 else {
                throw .invalidVersion2Header(at: base, .payloadVersion(header.version))
            }
            return (header, offset)
        }
        guard let found else { return false }
        header = found
        state = .sections
        return true
    }

    private mutating func skip(to target: UInt64, part: CARPart, from start: UInt64) throws(CARError) -> Bool
    {
        guard try input.skip(to: target, part: part, from: start) else { return false }
        state = header == nil ? .payloadHeader : .sections
        return true
    }

    private mutating func readSection() throws(CARError) -> FoundSection? {
        let isCut = input.isEmpty && input.isFinished
        if isCut, version2Header != nil, input.position < payloadEnd {
            // The header said how long the payload is, so an end between two sections is no end.
            throw .truncated(
                .payload, at: payloadOffset, needed: payloadEnd - payloadOffset,
                available: input.position - payloadOffset)
        }
        if isCut || input.position >= payloadEnd {
            state = .ended
            return nil
        }
        let limits = options.limits
        let at = input.position
        let start = input.start
        do {
            return try input.parse(upTo: payloadEnd) {
                (bytes, base) throws(CARError) -> (value: FoundSection, end: Int) in
                let head = try CARv1.section(bytes, at: 0, limits: limits, base: base)
                let range = (start + head.block.lowerBound)..<(start + head.block.upperBound)
                return (FoundSection(cid: head.cid, offset: base, range: range), head.end)
            }
        } catch .zeroLengthSection where options.zeroLengthSection == .isEnd {
            state = .ended
            return nil
        } catch {
            guard error.concernsOneSection else { throw error }
            let size = input.sectionBytes(limits: limits)
            guard size <= payloadEnd - at else {
                throw .truncated(.section, at: at, needed: size, available: payloadEnd - at)
            }
            state = .skipping(to: at + size, .section, at: at)
            throw error
        }
    }
}
