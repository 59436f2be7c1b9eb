import NIOHTTP1
public import NodeMessages

extension RemoteNode {
    public func addNamespace(_ request: NamespaceDraftMessage) throws -> NamespaceMessage {
        try connection.send(.POST, "/namespaces", request)
    }

    public func forEachNamespace(_ body: (NamespaceMessage) throws -> Void) throws {
        try forEachPage("/namespaces", [("limit", "1000")], body)
    }

    public func namespace(matching text: String) throws -> NamespaceMessage {
        try connection.send(.GET, path(ofNamespace: text))
    }

    public func changeNamespace(
        _ text: String, _ change: NamespaceChangeMessage
    ) throws -> NamespaceMessage {
        try connection.send(.PATCH, path(ofNamespace: text), change)
    }

    public func setVisibility(
        _ visibility: String, ofNamespace text: String, _ watch: Watch
    ) throws -> NamespaceMessage {
        try work(.PUT, path(ofNamespace: text) + "/visibility", ["visibility": visibility], watch)
    }

    public func removeNamespace(_ text: String) throws -> NamespaceMessage {
        try connection.send(.DELETE, path(ofNamespace: text))
    }

    public func forEachDeletedNamespace(_ body: (NamespaceMessage) throws -> Void) throws {
        try forEachPage("/namespaces", [("deleted", "true")], body)
    }

    public func returnNamespace(
        _ text: String, _ request: NamespaceReturnMessage
    ) throws -> NamespaceMessage {
        try connection.send(.POST, path(ofNamespace: text) + "/undelete", request)
    }

    public func verifyNamespace(_ text: String, _ watch: Watch) throws -> NamespaceVerificationMessage {
        try work(.POST, path(ofNamespace: text) + "/verify", [String: String]?.none, watch)
    }

    public func rebuildNamespace(_ text: String) throws -> NamespaceMessage {
        try connection.send(.POST, path(ofNamespace: text) + "/rebuild")
    }

    public func holdNamespaceVersion(
        _ text: String, _ version: String, _ request: VersionHoldMessage
    ) throws -> NamespaceVersionMessage {
        try connection.send(.PUT, path(ofVersion: version, text), request)
    }

    public func releaseNamespaceVersion(_ text: String, _ version: String) throws -> Bool {
        let answer: [String: Bool] = try connection.send(.DELETE, path(ofVersion: version, text))
        return answer["released"] == true
    }

    private func path(ofVersion version: String, _ text: String) -> String {
        path(ofNamespace: text) + "/versions/" + NodeConnection.encoded(version) + "/hold"
    }

    public func forEachTrashItem(
        ofNamespace text: String, _ body: (TrashItemMessage) throws -> Void
    ) throws {
        try forEachPage(path(ofNamespace: text) + "/trash", [("limit", "1000")], body)
    }

    public func restoreFromTrash(
        ofNamespace text: String, _ request: TrashRestoreMessage
    ) throws -> NamespaceRestoredMessage {
        try connection.send(.POST, path(ofNamespace: text) + "/trash/restore", request)
    }

    public func emptyTrash(
        ofNamespace text: String, _ request: TrashEmptyMessage
    ) throws -> TrashEmptiedMessage {
        try connection.send(.POST, path(ofNamespace: text) + "/trash/empty", request)
    }

    public func forEachNamespaceVersion(
        _ text: String, _ body: (NamespaceVersionMessage) throws -> Void
    ) throws {
        try forEachPage(path(ofNamespace: text) + "/versions", [("limit", "1000")], body)
    }

    public func namespaceVersion(_ text: String, _ version: String?) throws -> NamespaceVersionMessage {
        try connection.send(
            .GET, path(ofNamespace: text) + "/snapshot", query: version.map { [("version", $0)] } ?? [])
    }

    public func forEachNamespaceEntry(
        _ text: String, path: String?, limit: Int, _ body: (NamespaceEntryMessage) throws -> Void
    ) throws {
        var left = limit
        var cursor: String?
        repeat {
            var query = [("limit", String(min(max(left, 1), 1000)))]
            if let path { query.append(("path", path)) }
            if let cursor { query.append(("cursor", cursor)) }
            let page: PageMessage<NamespaceEntryMessage> = try connection.send(
                .GET, self.path(ofNamespace: text) + "/log", query: query)
            for entry in page.items.prefix(left) { try body(entry) }
            left -= page.items.count
            cursor = page.next
        } while left > 0 && cursor != nil
    }

    public func forEachNamespaceDifference(
        _ text: String, _ question: NamespaceDifferenceQuestion,
        _ body: (NamespaceDifferenceMessage) throws -> Void
    ) throws {
        var query = [("limit", "1000"), ("from", question.from)]
        if let to = question.to { query.append(("to", to)) }
        if !question.isRecursive { query.append(("recursive", "false")) }
        try forEachPage(path(ofNamespace: text) + "/diff", query, body)
    }

    public func restoreNamespace(
        _ text: String, _ request: NamespaceRestoreMessage
    ) throws -> NamespaceRestoredMessage {
        try connection.send(.POST, path(ofNamespace: text) + "/restore", request)
    }

    func path(ofNamespace text: String) -> String {
        "/namespaces/" + NodeConnection.encoded(text)
    }
}
