import Access
import BlockStorage
public import Catalog
import Multiformats
import NodeCore
public import NodeMessages

extension LocalNode {
    public func pin(_ request: PinRequest, _ watch: Watch) throws -> PinMessage {
        PinMessage(
            try node.pinExisting(
                try draft(request), allowMissing: request.allowMissing == true ? .allow : .refuse,
                audience: seesAll && project == .default ? nil : audience, cancellation: watch.cancellation,
                progress: { watch.advance($0, 0) }
            ).pin)
    }

    public func pinStored(_ request: PinRequest) throws -> PinMessage {
        var draft = try draft(request)
        draft.status = request.allowMissing == true ? .pinning : .pinned
        return PinMessage(try node.addPin(draft).pin)
    }

    private func draft(_ request: PinRequest) throws -> PinDraft {
        var draft = PinDraft(
            root: try CID(text: request.cid), name: request.name ?? "", owner: project,
            visibility: try visibilityOfNew(request.visibility))
        draft.importParameters = request.parameters ?? ""
        draft.figures.contentBytes = request.bytes
        draft.meta = request.meta ?? [:]
        return draft
    }

    /// The visibility of what is brought in: what was asked for, or else what the configuration says, as far
    /// as whoever asks may publish.
    ///
    /// - Throws: `invalid-value`; `operation-not-allowed` if `public` was asked for and is not allowed.
    public func visibilityOfNew(_ text: String?) throws -> PinVisibility {
        guard let text else {
            return mayPublish ? try visibility(node.configuration[.visibility]) : .private
        }
        let visibility = try visibility(text)
        guard visibility == .private || mayPublish else {
            throw NodeFailure(
                .notAllowed, code: AccessError.operationNotAllowed(.publish).code,
                detail: "the key does not allow `publish`, so that what it brings in is private: leave "
                    + "visibility out or say private, or use a key that allows `publish`")
        }
        return visibility
    }

    /// - Throws: `invalid-value` for a word that is none.
    func visibility(_ text: String) throws -> PinVisibility {
        guard let visibility = PinVisibility(rawValue: text) else {
            throw NodeFailure(.invalid, code: "invalid-value", detail: "visibility is public or private")
        }
        return visibility
    }

    public func forEachPin(_ query: PinQuery, _ body: (PinMessage) throws -> Void) throws {
        try node.catalog.pins.forEach(try filter(query)) { try body(PinMessage($0)) }
    }

    /// A page of pins.
    ///
    /// - Throws: `invalid-value` for a cursor, status, visibility or CID that is none.
    public func pins(
        _ query: PinQuery, cursor: String?, limit: Int, newestFirst: Bool = true
    ) throws -> PageMessage<PinMessage> {
        let page = try node.catalog.pins.list(
            try filter(query), after: try cursor.map { try PinID(text: $0) }, limit: limit,
            order: newestFirst ? .newestFirst : .oldestFirst)
        return PageMessage(items: page.pins.map { PinMessage($0) }, next: page.next?.text)
    }

    private func filter(_ query: PinQuery) throws -> PinFilter {
        var filter = PinFilter()
        filter.owner = visibleOwner
        filter.name = query.name
        filter.namePrefix = query.namePrefix
        filter.roots = try query.cid.map { [try CID(text: $0)] }
        filter.visibility = try query.visibility.map { try visibility($0) }
        filter.statuses = try query.status.map { text in
            Set(
                try text.split(separator: ",").map { word in
                    guard let status = PinStatus(rawValue: String(word)) else {
                        throw NodeFailure(
                            .invalid, code: "invalid-value",
                            detail: "status is queued, pinning, pinned or failed")
                    }
                    return status
                })
        }
        return filter
    }

    public func pins(matching text: String) throws -> [PinMessage] {
        try node.pins(matching: text, owner: visibleOwner).map { PinMessage($0) }
    }

    /// The pin of that id, if it is there to be seen.
    public func pin(_ id: String) throws -> PinMessage? { try find(id).map { PinMessage($0) } }

    private func find(_ id: String) throws -> Pin? {
        guard let pin = try node.catalog.pins.pin(PinID(text: id)),
            visibleOwner == nil || pin.owner == visibleOwner
        else { return nil }
        return pin
    }

    private func require(_ id: String) throws -> Pin {
        guard let pin = try find(id) else { throw NodeError.pinNotFound(id) }
        return pin
    }

    public func removePin(_ id: String) throws -> Bool {
        guard let pin = try find(id) else { return false }
        return try node.catalog.pins.remove(pin.id) != nil
    }

    public func removeDamagedPin(_ id: String) throws -> Bool {
        // Nobody can read whose it was: only somebody to whom everything belongs may.
        guard seesAll else { return false }
        return try node.catalog.pins.removeDamaged(PinID(text: id))
    }

    public func completePin(_ id: String, _ watch: Watch) throws -> PinMessage {
        PinMessage(try node.completePin(try require(id), cancellation: watch.cancellation))
    }

    public func setVisibility(_ text: String, ofPin id: String, _ watch: Watch) throws -> PinMessage {
        PinMessage(
            try node.setVisibility(
                try visibility(text), of: try require(id), cancellation: watch.cancellation))
    }

    /// Changes the record of a pin; its visibility is ``setVisibility(_:ofPin:_:)``'s.
    public func changePin(_ id: String, name: String?, meta: [String: String]?) throws -> PinMessage {
        var change = PinChange()
        change.name = name
        change.meta = meta
        return PinMessage(try node.catalog.pins.update(try require(id).id, change))
    }
}

extension PinMessage {
    init(_ pin: Pin) {
        self.init(
            id: pin.id.text, cid: pin.root.description, name: pin.name, status: pin.status.rawValue,
            visibility: pin.visibility.rawValue, owner: pin.owner.rawValue,
            created: TimeText.utc(milliseconds: pin.created),
            bytes: pin.figures.contentBytes ?? pin.figures.blockBytes,
            parameters: pin.importParameters, meta: pin.meta)
    }
}
