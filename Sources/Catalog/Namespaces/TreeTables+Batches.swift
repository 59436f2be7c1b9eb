package import TreeValues

extension TreeTables {
    /// So many keys are looked up by one statement.
    private static let batch = 200

    /// Which of these operations made an entry.
    package func operations(of ids: [OperationID]) throws -> Set<OperationID> {
        try found(ids, "SELECT op_id FROM tree_journal WHERE ns = $1 AND op_id IS NOT NULL AND op_id IN")
    }

    /// Which of these nodes have a row, deleted or not.
    package func nodes(of ids: [NodeID]) throws -> Set<NodeID> {
        try found(ids, "SELECT nid FROM tree_nodes WHERE ns = $1 AND nid IN")
    }

    private func found(_ ids: [NodeID], _ select: String) throws -> Set<NodeID> {
        // One text for all batches, so that it is prepared once: the last is filled up with its last key.
        let sql = "\(select) (\((2...Self.batch + 1).map { "$\($0)" }.joined(separator: ", ")))"
        var found: Set<NodeID> = []
        var start = 0
        while start < ids.count {
            let end = min(start + Self.batch, ids.count)
            var values: [SQLValue] = [.integer(number)]
            values.reserveCapacity(Self.batch + 1)
            for index in start..<start + Self.batch { values.append(.blob(ids[min(index, end - 1)].bytes)) }
            try connection.query(sql, values) { row in
                guard let id = NodeID(bytes: try row.blob(0)) else {
                    throw CatalogError.unexpectedColumn(0, expected: "an id of 16 bytes")
                }
                found.insert(id)
            }
            start = end
        }
        return found
    }
}
