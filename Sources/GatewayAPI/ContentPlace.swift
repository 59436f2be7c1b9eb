import HTTPSupport
import Multiformats

/// Where a request leads after names were followed: a root and the segments below it.
struct ContentPlace {
    let root: CID
    let segments: [[UInt8]]
    /// So many of the segments come from the name, not from the request.
    let hiddenSegments: Int
    /// How long the way may be remembered; `nil` for a CID, which never leads elsewhere.
    let remainingTTL: Duration?
    let isName: Bool
    /// When a file at the end was last changed, where whoever names it knows that.
    var modified: HTTPDate?
    /// When the version that is shown was made, for lists of what is in its directories.
    var made: HTTPDate?

    /// The versions of a namespace, to be shown with its directories; reads rows when it is called.
    var versions: (@Sendable () throws -> NamespaceVersions)?

    /// A path that begins with a CID.
    init(root: CID, _ path: GatewayPath) {
        self.root = root
        segments = path.segments
        hiddenSegments = 0
        remainingTTL = nil
        isName = false
    }

    /// A path that begins with a name.
    init(root: CID, segments: [[UInt8]], hidden: Int, remainingTTL: Duration?) {
        self.root = root
        self.segments = segments
        hiddenSegments = hidden
        self.remainingTTL = remainingTTL
        isName = true
    }

    /// `Cache-Control`: below a name for as long as the name holds.
    func caching(orElse immutable: String) -> String? {
        guard isName else { return immutable }
        return remainingTTL.map { "public, max-age=\(max(0, $0.components.seconds))" }
    }
}
