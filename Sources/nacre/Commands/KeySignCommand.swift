import Access
import ArgumentParser
import Multiformats
import NodeCore
import NodeMessages
import NodeServer

extension KeyCommand {
    struct Sign: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Sign a URL: whoever holds it may do this one thing, on behalf of a key. Prints the URL.",
            discussion: """
                The URL ends with the key, and can be ended alone by `nacre key revoke URL`. For uploads \
                (PUT, POST) it is good once if nothing else is said.
                """)

        @OptionGroup var global: GlobalOptions
        @Argument(help: ArgumentHelp("The key: its id or name.", valueName: "key"))
        var key: String
        @Argument(
            help: ArgumentHelp("GET, PUT or POST.", valueName: "method"),
            completion: .list(["GET", "PUT", "POST"]))
        var method: String
        @Argument(
            help: ArgumentHelp(
                "The path, percent-encoded, with a query if need be; or a whole URL.", valueName: "path"))
        var target: String
        @Option(
            name: .long,
            help: ArgumentHelp(
                "When it ends: a duration as 30d, or a time; at the latest with the key.", valueName: "when"))
        var expires = "1h"
        @Option(
            name: .long, parsing: .unconditional,
            help: ArgumentHelp("How many requests in all.", valueName: "count"))
        var maxUses: Int64?
        @Option(
            name: .long, parsing: .unconditional,
            help: ArgumentHelp("The most bytes of the body, as 10MiB.", valueName: "bytes"))
        var maxBytes: String?
        @Option(
            name: .long, help: ArgumentHelp("Only a body of this type, as image/*.", valueName: "type"))
        var contentType: String?
        @Option(
            name: .long, help: ArgumentHelp("The root that the upload must have.", valueName: "cid"))
        var root: String?

        func validate() throws { try KeyTime.checkUses(maxUses) }

        func run() throws {
            let (base, path, query) = Self.parts(target)
            var request = SignedURLRequest(
                method: method.uppercased(), path: path,
                expires: try KeyTime.expiry(expires, now: TimeText.now()))
            request.query = query.isEmpty ? nil : query
            request.maxUses = maxUses
            request.maxBytes = try maxBytes.map { try KeyTime.bytes($0, "--max-bytes") }
            request.contentType = try contentType.map { try ContentTypePattern(text: $0).description }
            request.root = try root.map { try CID(text: $0).description }
            request.grant = try KeyName.name(key)
            try global.withNode(grants: true) { node in
                var out = StandardOutput()
                try out.write(line: base + node.signURL(request))
                try out.flush()
            }
            warn(request)
        }

        /// The URL is right all the same: another version of the node may answer there.
        private func warn(_ request: SignedURLRequest) {
            let what = "\(request.method) \(PathText.printable(request.path.utf8))"
            switch SignedLead(method: request.method, path: request.path) {
            case .use: break
            case .nowhere: Terminal.warn("nothing answers \(what): the URL leads nowhere")
            // There a key reads what its project may read.
            case .open where ["/ipfs/", "/ipns/", "/n/"].contains(where: { request.path.hasPrefix($0) }):
                break
            case .open:
                Terminal.warn("\(what) is answered to anybody, by no key: there is nothing to sign")
            case .keysAlone:
                Terminal.warn("\(what) takes keys, and no signed URLs: it will be refused")
            case .needs(let operation):
                Terminal.warn(
                    "\(what) needs a key that allows \(operation.rawValue), and a signed URL carries reading (GET) "
                        + "or writing (PUT, POST) alone: it will be refused")
            }
        }

        /// The origin, which is not signed, the path and the query.
        private static func parts(_ target: String) -> (base: String, path: String, query: String) {
            var base = ""
            var rest = target[...]
            for scheme in ["http://", "https://"] where target.hasPrefix(scheme) {
                let host = target.dropFirst(scheme.count).prefix { $0 != "/" && $0 != "?" }
                base = scheme + host
                rest = target.dropFirst(base.count)
            }
            let path = rest.prefix { $0 != "?" }
            return (base, path.isEmpty ? "/" : String(path), String(rest.dropFirst(path.count + 1)))
        }
    }
}

/// A signed URL as a person gives it back.
enum SignedText {
    /// Whether a text is one, rather than the name of a key.
    static func isSigned(_ text: String) -> Bool {
        guard let mark = text.firstIndex(of: "?") else { return false }
        return SignedURL.isSigned(query: String(text[text.index(after: mark)...]))
    }
}

/// Times, numbers and sizes in the options of keys.
enum KeyTime {
    static func checkUses(_ count: Int64?) throws {
        guard let count, count < 1 else { return }
        throw ValidationError("--max-uses is a number of requests, at least 1")
    }

    static func bytes(_ text: String, _ option: String) throws -> Int64 {
        guard let bytes = ByteCount.parse(text) else {
            throw ValidationError("\(option) is a number of bytes, such as 1048576, 10MiB or 5GiB")
        }
        return bytes
    }

    /// When a key or a URL ends: in the future. So far in it that nobody will remember is worth a warning.
    static func expiry(_ text: String, now: Int64) throws -> Int64 {
        let time = try parse(text, now: now, "--expires")
        guard time > now else {
            throw ValidationError("--expires \(text) is in the past: nothing would ever be allowed")
        }
        let years = (time - now) / (365 * 86400 * 1000)
        if years >= 10 {
            Terminal.warn("--expires is \(years) years away: whoever finds the token may use it until then")
        }
        return time
    }

    /// A duration from now on, or a time; in Unix milliseconds.
    static func parse(_ text: String, now: Int64, _ option: String) throws -> Int64 {
        if let duration = DurationText.parse(text) {
            let (seconds, attoseconds) = duration.components
            let (time, overflow) = now.addingReportingOverflow(
                seconds &* 1000 &+ attoseconds / 1_000_000_000_000_000)
            if !overflow, seconds < Int64.max / 2000 { return time }
        }
        if let time = TimeText.milliseconds(utc: text) { return time }
        throw ValidationError(
            "\(option) is a duration such as 12h or 30d, or a time as 2030-01-31T12:00:00Z")
    }
}
