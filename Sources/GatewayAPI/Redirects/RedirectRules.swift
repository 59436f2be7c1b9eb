/// The rules of a `_redirects` file: what to do for paths that do not exist in a site.
///
/// Lines `from to [status]`; the first rule that matches wins. `:name` stands for one segment, a `*` at the
/// end for everything, which `to` calls `:splat`. No expressions: matching costs one look at each segment
/// of each rule.
///
/// Spec: ipfs/specs, "Web _redirects File".
public struct RedirectRules: Hashable, Sendable {
    /// In the order of the file.
    public let rules: [RedirectRule]

    /// The most bytes of a file.
    public static let maximumBytes = 64 * 1024
    /// The most rules of a file.
    public static let maximumRules = 2000

    /// Reads a file.
    ///
    /// - Throws: `RedirectError` for the first line that is wrong: rules before it do not count either.
    public init(_ file: [UInt8]) throws(RedirectError) {
        guard file.count <= Self.maximumBytes else { throw .tooLarge(maximum: Self.maximumBytes) }
        var rules: [RedirectRule] = []
        let lines = file.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            guard let text = String(validating: Self.trimmed(line), as: UTF8.self) else {
                throw .notText(line: index + 1)
            }
            if let rule = try RedirectRule(line: text, number: index + 1) { rules.append(rule) }
            guard rules.count <= Self.maximumRules else { throw .tooManyRules(maximum: Self.maximumRules) }
        }
        self.rules = rules
    }

    /// By bytes: to a `String`, `\r\n` is one character.
    private static func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let blank = Array(" \t\r".utf8)
        var line = line
        while let last = line.last, blank.contains(last) { line.removeLast() }
        while let first = line.first, blank.contains(first) { line.removeFirst() }
        return line
    }

    /// What to do for a path that does not exist.
    ///
    /// - Parameters:
    ///   - path: decoded segments of the path that was asked for, without empty ones.
    ///   - query: the query of the request as it came, without the question mark.
    /// - Returns: `nil` if no rule matches.
    public func match(_ path: [String], query: String? = nil) -> RedirectMatch? {
        for rule in rules {
            if let match = rule.match(path, query: query) { return match }
        }
        return nil
    }
}

/// What a rule demands.
public struct RedirectMatch: Hashable, Sendable {
    /// 301, 302, 303, 307, 308 redirect to ``target``; 200 serves what is there under the path asked for;
    /// 404, 410, 451 serve it as the page of an error.
    public let status: Int
    /// A path in the site, or for redirects an absolute URL; percent-encoded, with the query for redirects.
    /// Has no character that could end a header.
    public let target: String

    /// Whether the client is sent elsewhere.
    public var isRedirect: Bool { (300..<400).contains(status) }
}

/// Why a `_redirects` file cannot be used.
public enum RedirectError: Error, Equatable, Sendable {
    case tooLarge(maximum: Int)
    case notText(line: Int)
    case tooManyRules(maximum: Int)
    /// Not two or three words.
    case wrongWords(line: Int)
    /// A status that no rule may have, `301!` included.
    case badStatus(String, line: Int)
    case badFrom(line: Int)
    case badTo(line: Int)
    case repeatedPlaceholder(String, line: Int)
}

extension RedirectError: CustomStringConvertible {
    /// Begins as the reference implementation's message does: tools look for it.
    public var description: String { "could not parse _redirects: " + reason }

    private var reason: String {
        switch self {
        case .tooLarge(let maximum): "redirects file size cannot exceed \(maximum) bytes"
        case .notText(let line): "line \(line): this is not UTF-8"
        case .tooManyRules(let maximum): "there are more than \(maximum) rules"
        case .wrongWords(let line): "line \(line): a rule is `from to [status]`"
        case .badStatus(let status, let line):
            "line \(line): unsupported redirect status \(Self.shown(status)); "
                + "200, 301, 302, 303, 307, 308, 404, 410 and 451 are supported"
        case .badFrom(let line): "line \(line): `from` is a path beginning with /, with * only at its end"
        case .badTo(let line):
            "line \(line): `to` is a path beginning with /, or for redirects an http or https URL"
        case .repeatedPlaceholder(let name, let line):
            "line \(line): the placeholder :\(Self.shown(name)) is there twice"
        }
    }

    /// Words of the file, short and without what could act on a terminal or a page.
    private static func shown(_ text: String) -> String {
        String(
            text.unicodeScalars.prefix(32).map {
                $0.isASCII && $0.value > 0x20 && $0 != "<" ? Character($0) : "?"
            })
    }
}
