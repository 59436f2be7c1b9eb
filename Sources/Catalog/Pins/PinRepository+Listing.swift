public import Multiformats

extension PinRepository {
    /// The most pins of one page.
    public static let maximumPage = 1000

    /// A page of the pins that the filter lets through.
    ///
    /// - Parameters:
    ///   - after: ``PinPage/next`` of the page before. Pins that come and go meanwhile move no other pin to
    ///     another page.
    ///   - limit: at most ``maximumPage``; more is cut to it.
    /// - Throws: `damagedRow` rather than a pin that was not written like that.
    public func list(
        _ filter: PinFilter = PinFilter(), after: PinID? = nil, limit: Int = 100,
        order: PinOrder = .newestFirst
    ) throws -> PinPage {
        let limit = min(max(limit, 1), Self.maximumPage)
        // One more than asked tells whether there is a next page.
        var pins = try database.read { try page(filter, after: after, limit: limit + 1, order: order, $0) }
        guard pins.count > limit else { return PinPage(pins: pins, next: nil) }
        pins.removeLast()
        return PinPage(pins: pins, next: pins.last?.id)
    }

    /// Gives every pin that the filter lets through to `body`, in bounded memory, oldest first.
    /// `body` may use the catalog.
    public func forEach(_ filter: PinFilter = PinFilter(), _ body: (Pin) throws -> Void) throws {
        var last: PinID?
        repeat {
            let page = try list(filter, after: last, limit: Self.maximumPage, order: .oldestFirst)
            for pin in page.pins { try body(pin) }
            last = page.next
        } while last != nil
    }

    /// Gives the root of every pin to `body`, in bounded memory, whatever the status: what the collector
    /// keeps. A root that has several pins comes several times.
    ///
    /// Ids only grow, so a pin that is added meanwhile still comes; whoever adds one protects its blocks
    /// from a collection that runs.
    ///
    /// - Throws: `damagedRow` at the first row whose root cannot be trusted: nothing may be collected then.
    public func forEachRoot(_ body: (CID) throws -> Void) throws {
        try forEach { try body($0.root) }
    }

    /// Whether anybody pins exactly this root.
    public func isPinned(_ root: CID) throws -> Bool {
        try !list(PinFilter(root: root), limit: 1).pins.isEmpty
    }

    func page(
        _ filter: PinFilter, after: PinID?, limit: Int, order: PinOrder, _ connection: any SQLConnection
    ) throws -> [Pin] {
        let pages = try Self.statements(filter, after: after, limit: limit, order: order).map { statement in
            try connection.rows(statement.sql, statement.values).map(PinRow.pin)
        }
        guard pages.count > 1 else { return pages.first ?? [] }
        let all = pages.joined().sorted { order == .newestFirst ? $0.id > $1.id : $0.id < $1.id }
        return Array(all.prefix(limit))
    }

    /// The statements that read a page: one for each status, since no index has the pins of several statuses
    /// in the order of their ids.
    package static func statements(
        _ filter: PinFilter, after: PinID?, limit: Int, order: PinOrder
    ) -> [(sql: String, values: [SQLValue])] {
        let all = filter.statuses?.count == PinStatus.allCases.count
        let choices: [Set<PinStatus>?] =
            all ? [nil] : filter.statuses.map { $0.isEmpty ? [[]] : $0.map { [$0] } } ?? [nil]
        return choices.map { statuses in
            var filter = filter
            filter.statuses = statuses
            var condition = filter.condition()
            if let after { condition.require(order == .newestFirst ? "id < ?" : "id > ?", .text(after.text)) }
            let direction = order == .newestFirst ? "DESC" : "ASC"
            return (
                "SELECT \(PinRow.columns) FROM pins\(condition.clause) ORDER BY id \(direction) LIMIT \(limit)",
                condition.values
            )
        }
    }
}
