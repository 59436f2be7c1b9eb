public import Multiformats

/// The id of a pin.
public typealias PinID = RecordID<Pin>

/// A named promise to keep a root and everything below it.
public struct Pin: Hashable, Sendable, Identifiable {
    public let id: PinID
    public let owner: ProjectID
    public let root: CID
    /// Empty for a pin without a name.
    public let name: String
    public let visibility: PinVisibility
    public let status: PinStatus
    /// Unix milliseconds.
    public let created: Int64
    /// Unix milliseconds of the last change of the record.
    public let updated: Int64
    public let figures: PinFigures
    /// Profile and parameters of the import that made the root, as text; empty if it was not made here.
    public let importParameters: String
    /// Whatever the owner wants to remember.
    public let meta: [String: String]

    /// The most bytes of a name.
    public static let maximumNameBytes = 1024
    /// The most bytes that ``meta`` may take as JSON.
    public static let maximumMetaBytes = 64 * 1024
}

/// What the caller says of a new pin; id and times are added by the catalog.
public struct PinDraft: Hashable, Sendable {
    public var root: CID
    public var name: String
    public var owner: ProjectID
    public var visibility: PinVisibility
    public var status: PinStatus
    public var figures = PinFigures()
    public var importParameters = ""
    public var meta: [String: String] = [:]

    public init(
        root: CID, name: String = "", owner: ProjectID = .default, visibility: PinVisibility = .public,
        status: PinStatus = .pinned
    ) {
        self.root = root
        self.name = name
        self.owner = owner
        self.visibility = visibility
        self.status = status
    }
}

/// What to change of a pin; `nil` leaves a field as it is.
public struct PinChange: Hashable, Sendable {
    public var name: String?
    public var visibility: PinVisibility?
    public var status: PinStatus?
    public var figures: PinFigures?
    public var importParameters: String?
    public var meta: [String: String]?

    public init() {}
}

/// Who owns a pin: the id of a project.
public struct ProjectID: RawRepresentable, Hashable, Sendable {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }

    /// The project that a node has from the beginning.
    public static let `default` = ProjectID(rawValue: "default")
}

/// Who may read what a pin keeps.
public enum PinVisibility: String, CaseIterable, Hashable, Sendable {
    case `public`
    case `private`
}

/// How far a pin has come. Names as in the IPFS Pinning Service API.
public enum PinStatus: String, CaseIterable, Hashable, Sendable {
    case queued
    case pinning
    /// Everything below the root is here.
    case pinned
    case failed
}

/// How large the DAG of a pin is, as far as it is known.
public struct PinFigures: Hashable, Sendable {
    /// Bytes of files.
    public var contentBytes: Int64?
    public var blockCount: Int64?
    public var blockBytes: Int64?

    public init(contentBytes: Int64? = nil, blockCount: Int64? = nil, blockBytes: Int64? = nil) {
        self.contentBytes = contentBytes
        self.blockCount = blockCount
        self.blockBytes = blockBytes
    }
}
