public import SyncProtocol
public import TreeValues

/// What the scanner needs to know of a node to compare it with the disk.
public struct LocalChild: Hashable, Sendable {
    public var id: NodeID
    public var name: String
    public var kind: TreeNodeKind
    /// Whether the content of a file was read.
    public var isHashed: Bool
    public var target: String?
    public var modified: Int64
    public var mode: UInt32?
    public var stamp: LocalStamp?

    public init(
        id: NodeID, name: String, kind: TreeNodeKind, isHashed: Bool, target: String?, modified: Int64,
        mode: UInt32?, stamp: LocalStamp?
    ) {
        self.id = id
        self.name = name
        self.kind = kind
        self.isHashed = isHashed
        self.target = target
        self.modified = modified
        self.mode = mode
        self.stamp = stamp
    }
}

/// What a state offers to a scanner so that directories of any size are compared without holding them.
public protocol ScannableState: SyncState {
    /// Gives the local children of a directory to `body`, one after the other, which must not call the
    /// state.
    func forEachLocalChild(of directory: NodeID, _ body: (LocalChild) throws -> Void) throws
}

extension SQLiteSyncState: ScannableState {
    public func forEachLocalChild(of directory: NodeID, _ body: (LocalChild) throws -> Void) throws {
        try access { session in
            let statement = try session.statement(.localChildren)
            statement.bind(1, directory)
            defer { statement.reset() }
            while try statement.step() {
                guard let kind = TreeNodeKind(rawValue: statement.integer(2)), let name = statement.text(1)
                else { throw SyncStateError.badRow(table: "local") }
                try body(
                    LocalChild(
                        id: try statement.id(0), name: name, kind: kind, isHashed: statement.integer(3) != 0,
                        target: kind == .symlink ? statement.text(4) : nil, modified: statement.integer(5),
                        mode: statement.optionalInteger(6).map { UInt32(clamping: $0) },
                        stamp: statement.stamp(from: 7)))
            }
        }
    }

    public func putLocal(_ node: SyncNode, stamp: LocalStamp) throws {
        try change { session in
            let statement = try session.statement(.putScanned)
            statement.bind(node)
            statement.bind(stamp, from: 13)
            try statement.run()
            try session.touch(node.id, .local, node)
        }
    }

    public func stamp(of id: NodeID) throws -> LocalStamp? {
        try access { session in
            let statement = try session.statement(.stamp)
            statement.bind(1, id)
            defer { statement.reset() }
            return try statement.step() ? statement.stamp(from: 0) : nil
        }
    }

    public func setStamp(_ stamp: LocalStamp?, of id: NodeID) throws {
        try access { session in
            let statement = try session.statement(.setStamp)
            statement.bind(1, id)
            statement.bind(stamp, from: 2)
            try statement.run()
        }
    }

    public func localNodes(with identity: FileIdentity, limit: Int) throws -> [NodeID] {
        try access { session in
            let statement = try session.statement(.localNodes)
            statement.bind(1, Int64(bitPattern: identity.inode))
            statement.bind(2, Int64(bitPattern: identity.device))
            statement.bind(3, Int64(limit))
            defer { statement.reset() }
            var ids: [NodeID] = []
            while try statement.step() { ids.append(try statement.id(0)) }
            return ids
        }
    }
}
