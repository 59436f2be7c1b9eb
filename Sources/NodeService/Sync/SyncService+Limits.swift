import Access
import Catalog
import IPLD
import Namespaces
import NodeCore
public import SyncProtocol
import TreeValues

/// What a key says of how much may come, asked before any of it is stored.
extension SyncService {
    /// Does what ``commit(_:to:)`` does within the limits of the key: a file that is larger than it
    /// takes is refused, the others are not.
    ///
    /// - Throws: `bytesExhausted` before anything is stored, and what `commit` throws.
    public func take(_ request: CommitRequest, to text: String) throws -> CommitAnswer {
        guard let admission else { return try commit(request, to: text) }
        // Whoever may not write is not counted.
        _ = try namespace(text, for: .write)
        let tooLarge = try filesTooLarge(request, for: text, admission)
        var rest = request
        rest.operations = []
        if !request.isAtomic || tooLarge.isEmpty {
            rest.operations = request.operations.indices.filter { tooLarge[$0] == nil }
                .map { request.operations[$0] }
        }
        let bytes = rest.operations.reduce(0) { $0 + $1.change.contentBytes }
        try admission.reserve(bytes: bytes)
        // Content is stored before it is known whether the journal takes it.
        if bytes > 0 { admission.keep() }
        var answer = try commit(rest, to: text)
        var results = answer.results.makeIterator()
        answer.results = request.operations.indices.map { index in
            tooLarge[index] ?? results.next() ?? .nothingDone
        }
        return answer
    }

    /// Counts blocks that came.
    func count(_ blocks: [Block]) throws {
        guard let admission else { return }
        // A part is no larger than its file.
        for block in blocks { try admission.check(fileBytes: Int64(block.bytes.count)) }
        try admission.reserve(bytes: blocks.reduce(0) { $0 + Int64($1.bytes.count) })
    }

    /// Holds what comes before files name it to the quota of the namespace, and room for one store beyond it.
    ///
    /// - Throws: `quotaExceeded`, before any of it is stored.
    func bring(_ bytes: Int64, to namespace: Namespace) throws {
        guard bytes > 0, let quota = try NamespacePolicy(json: namespace.policy).maximumBytes else { return }
        let (limit, isAny) = quota.addingReportingOverflow(Int64(SyncLimits.maximumStoreBytes))
        guard isAny || hub.bring(bytes, to: namespace.id, limit: limit) else {
            throw SyncFailure.tooMuchUnnamed(quota: quota)
        }
    }

    /// What is said of operations, by their index, whose files are larger than the key takes.
    private func filesTooLarge(
        _ request: CommitRequest, for text: String, _ admission: Admission
    ) throws -> [Int: CommitResult] {
        guard admission.maximumFileBytes != nil else { return [:] }
        let blocks = try blocks(of: try namespace(text, for: .write))
        var results: [Int: CommitResult] = [:]
        for (index, operation) in request.operations.enumerated() {
            guard case .put(_, _, let content) = operation.change else { continue }
            let bytes = try Self.bytes(of: content, in: blocks)
            do throws(AccessError) { try admission.check(fileBytes: bytes) } catch {
                results[index] = .refused(code: .tooLarge, message: error.description)
            }
        }
        return results
    }

    /// How large a file is going to be: what the node says of it is a claim, its leaves are looked at. 0
    /// for what is refused anyway.
    private static func bytes(of content: PutContent, in blocks: NamespaceBlocks) throws -> Int64 {
        switch content {
        case .none: return 0
        case .inline(let bytes): return Int64(bytes.count)
        case .leaves(let edit, _):
            let base = try edit.base.map { try FileLeaves.base($0, in: blocks) ?? [] } ?? []
            guard let leaves = try? edit.apply(to: base) else { return 0 }
            return leaves.reduce(0) { $0 + Int64($1.bytes) }
        }
    }
}

extension SyncOperation.Change {
    /// Bytes of files that come within the message.
    var contentBytes: Int64 {
        guard case .put(_, _, let content) = self else { return 0 }
        switch content {
        case .none: return 0
        case .inline(let bytes): return Int64(bytes.count)
        case .leaves(_, let blocks): return blocks.reduce(0) { $0 + Int64($1.count) }
        }
    }
}
