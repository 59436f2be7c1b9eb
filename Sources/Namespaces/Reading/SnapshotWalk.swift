public import Catalog
public import TreeValues

/// A way through everything that is live as of one JID, page by page: each directory, then what is in it.
public struct SnapshotWalk: Sendable {
    /// Where the next page begins.
    public struct Token: Hashable, Sendable {
        /// A directory that is not done, and the name key of the last child that was given.
        public struct Frame: Hashable, Sendable {
            public var directory: NodeID
            public var after: String?

            public init(directory: NodeID, after: String?) {
                self.directory = directory
                self.after = after
            }
        }

        public var epoch: Int64
        public var jid: JID
        /// The innermost directory last; empty at the end.
        public var stack: [Frame]

        public init(epoch: Int64, jid: JID, stack: [Frame]) {
            self.epoch = epoch
            self.jid = jid
            self.stack = stack
        }

        /// One line; names in it are in hexadecimal.
        public var text: String {
            let frames = stack.map { frame in
                let name = frame.after.map { after in after.utf8.map { Self.hex($0) }.joined() } ?? "-"
                return frame.directory.text + ":" + name
            }
            return (["\(epoch)", "\(jid)"] + frames).joined(separator: ".")
        }

        private static func hex(_ byte: UInt8) -> String {
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }

        /// Reads what ``text`` wrote; `nil` for anything else.
        public init?(_ text: String) {
            let parts = text.split(separator: ".", omittingEmptySubsequences: false)
            guard parts.count >= 3, parts.count <= 100_000, let epoch = Int64(parts[0]),
                let jid = JID(parts[1]), jid >= 0
            else { return nil }
            var stack: [Frame] = []
            for part in parts.dropFirst(2) {
                let pair = part.split(separator: ":", omittingEmptySubsequences: false)
                guard pair.count == 2, let directory = try? NodeID(text: String(pair[0])) else { return nil }
                guard pair[1] != "-" else {
                    stack.append(Frame(directory: directory, after: nil))
                    continue
                }
                guard let name = Self.name(pair[1]) else { return nil }
                stack.append(Frame(directory: directory, after: name))
            }
            self.init(epoch: epoch, jid: jid, stack: stack)
        }

        private static func name(_ hex: Substring) -> String? {
            var bytes: [UInt8] = []
            var rest = hex[...]
            while !rest.isEmpty {
                guard rest.count >= 2, let byte = UInt8(rest.prefix(2), radix: 16) else { return nil }
                bytes.append(byte)
                rest = rest.dropFirst(2)
            }
            return String(validating: bytes, as: UTF8.self)
        }
    }

    public private(set) var token: Token
    /// Children that were read and not given yet, for each frame; the next one last.
    fileprivate var ahead: [[TreeNode]?]

    public init(_ token: Token) {
        self.token = token
        ahead = token.stack.map { _ in nil }
    }

    fileprivate mutating func step(_ view: TreeView, limit: Int) throws -> TreeNode? {
        while let frame = token.stack.last {
            let index = token.stack.count - 1
            if ahead[index] == nil {
                ahead[index] = try view.children(of: frame.directory, after: frame.after, limit: limit)
                    .reversed()
            }
            guard let next = ahead[index]?.popLast() else {
                // A page that was not full was the last.
                token.stack.removeLast()
                ahead.removeLast()
                continue
            }
            token.stack[index].after = next.nameKey
            if ahead[index]?.isEmpty == true { ahead[index] = nil }
            if next.kind == .directory {
                token.stack.append(.init(directory: next.id, after: nil))
                ahead.append(nil)
            }
            return next
        }
        return nil
    }
}

extension NamespaceStore {
    /// The next nodes of a walk, at most so many; fewer only at the end.
    ///
    /// Memory: so many nodes for each level of the tree.
    public func walk(_ walk: inout SnapshotWalk, of namespace: Namespace, limit: Int) throws -> [TreeNode] {
        try read { connection in
            guard let current = try NamespaceRepository.find(namespace.id, connection) else {
                throw NamespaceError.unknownNamespace(namespace.name)
            }
            // Rows of the newest state are shorter to read than the journal.
            let jid = walk.token.jid
            try TreeTables(connection, of: current).requireKept(jid)
            let view = TreeView(current, connection, asOf: jid == current.head ? nil : jid)
            var nodes: [TreeNode] = []
            while nodes.count < limit, let node = try walk.step(view, limit: limit) { nodes.append(node) }
            return nodes
        }
    }
}
