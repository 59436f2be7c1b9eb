import Catalog

extension AccessError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .credentialsMissing:
            "this needs a key; send its token as `Authorization: Bearer …` (`nacre key create` makes one)"
        case .credentialsInvalid:
            "the credentials are not accepted; check that the token or URL was copied whole"
        case .notYetValid(let from): "the key does not count before \(UTCText.time(from))"
        case .expired(let at): "the key or URL expired at \(UTCText.time(at)); ask for a new one"
        case .revoked: "the key was revoked; ask for a new one"
        case .roleEnded:
            "whose key this is has no part in it any more: is no member by now, or was removed or disabled; ask its "
                + "owner. The key itself was not revoked"
        case .csrfTokenInvalid:
            "the request does not prove that it comes from the node's own page; reload the page"
        case .foreignPage:
            "a page of another origin asked for this with the cookie of a session; only the node's own page may"
        case .operationNotAllowed(let operation): "this needs a key that allows `\(operation.rawValue)`"
        case .outOfScope(.node):
            "this is about the whole node, which the key does not reach: it needs an administrator's key "
                + "(`nacre key create --name admin --allow admin --scope node` on the node's machine)"
        case .outOfScope(let resource): "the key does not reach \(resource)"
        case .sourceNotAllowed(let address):
            "the key may not be used from \(address?.description ?? "an unknown address")"
        case .referrerNotAllowed: "the key may not be used from that page"
        case .contentTypeNotAllowed(let type): "the key does not allow content of type \(type)"
        case .usesExhausted(let limit):
            "the key was good for \(limit == 1 ? "one use, and it is" : "\(limit) uses, and all are") used; "
                + "ask for a new one"
        case .bytesExhausted(let limit, let left):
            "the key is good for \(limit) bytes in all, \(left) are left; ask for a new one"
        case .tooLarge(let bytes, let limit): "\(bytes) bytes are too many; the limit is \(limit)"
        case .wrongContent(let expected, let actual):
            "the URL is for \(expected), what was uploaded is \(actual)"
        default: managementDescription
        }
    }

    private var managementDescription: String {
        switch self {
        case .notNarrower(let limit):
            "a key can only be narrowed: --\(limit.option) goes beyond what the key above it allows"
        case .tooDeep(let maximum): "a key has at most \(maximum) keys above it"
        case .grantAbsent(let name): "there is no key \(name); `nacre key ls` lists them"
        case .grantNameAmbiguous(let name, let ids):
            "\(ids.count) keys are named \(name); name one by its id: "
                + ids.prefix(5).joined(separator: ", ") + (ids.count > 5 ? ", …" : "")
        case .projectAbsent(let id): "there is no project \(id); `nacre project ls` lists them"
        case .projectNameAmbiguous(let name, let count):
            "\(count) projects are named \(name); name one by its id (`nacre project ls` lists them)"
        case .projectIsDefault:
            "the project default cannot be removed: it owns what is brought in without another one"
        case .projectNotEmpty(let id, let holdings):
            "the project \(id) still has \(holdings.text); remove that first (\(holdings.remedy)), then repeat"
        case .userAbsent(let name): "there is no user \(name); `nacre user ls` lists them"
        case .memberAbsent(let name, let namespace):
            "\(name) is no member of \(namespace); `nacre ns members \(namespace)` lists them"
        case .invalidOperation(let text):
            "“\(text)” is no operation; there are "
                + Operation.allCases.map(\.rawValue).joined(separator: ", ")
        case .invalidScope(let text):
            "“\(text)” is no scope; write node, project:ID, namespace:PROJECT/NAME[/PATH] or archive:PROJECT/NAME"
        case .invalidAddressRange(let text):
            "“\(text)” is no address or range; write 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32"
        case .invalidContentType(let text): "“\(text)” is no content type; write image/png or image/*"
        case .invalidReferrer(let text):
            "“\(text)” is no page; write https://example.org, https://*.example.org or https://example.org/shop/"
        case .invalidLimit(let limit, let number): "--\(limit.option) cannot be \(number)"
        case .invalidPath(let path):
            "“\(path)” cannot be signed: a path begins with / and has no . or .. in it"
        case .invalidMethod(let method): "\(method) cannot be signed; GET, PUT and POST can"
        case .nothingAllowed: "a key must allow something; name at least one operation"
        case .invalidToken(let problem): problem.description
        default: systemDescription
        }
    }

    private var systemDescription: String {
        switch self {
        case .loginRefused: "name or password are wrong"
        case .loginThrottled(let seconds):
            "too many wrong passwords; try again in \(seconds) \(seconds == 1 ? "second" : "seconds")"
        case .passwordMissing: "this link asks for a password"
        case .linkAbsent: "there is no such link"
        case .tooManyLogins: "too many people log in at once; try again in a few seconds"
        case .invalidUserName(let name):
            "“\(name)” cannot be a user's name: 1 to 64 small letters, digits and . _ - @ can"
        case .invalidPassword(let minimum, let maximum):
            "a password has at least \(minimum) and at most \(maximum) bytes"
        case .secretMissing(let path):
            "\(path) is missing; put it back from a backup, or copy it from another node on the same catalog. "
                + Self.resetRemedy
        case .secretDamaged(let path):
            "\(path) is damaged; put it back from a backup. " + Self.resetRemedy
        case .secretForeign(let path):
            "\(path) is damaged, or not the key that this catalog was used with; put the right one back from a backup. "
                + Self.resetRemedy
        case .secretReadableByOthers(let path, let mode):
            "\(path) can be read by others (mode \(String(mode, radix: 8))); run `chmod go= \(path)`, and think about "
                + "who may have read it"
        case .secretUnusable(let path, let reason): "\(path) cannot be used: \(reason)"
        default: code
        }
    }

    private static let resetRemedy =
        "If it is lost for good, remove the file and run `nacre key reset-master`: signed URLs, logins and stored secrets "
        + "are lost then, keys go on"
}

extension ProjectHoldings {
    private var parts: [(count: Int64, one: String, many: String, remedy: String)] {
        [
            (pins, "pin", "pins", "`nacre pin rm`"), (names, "name", "names", "`nacre name rm`"),
            (grants, "key", "keys", "`nacre key revoke`"),
            (namespaces, "namespace", "namespaces", "delete the namespaces"),
            (jobs, "job under way", "jobs under way", "`nacre job cancel`"),
        ].filter { $0.count > 0 }
    }

    fileprivate var text: String {
        parts.map { "\($0.count) \($0.count == 1 ? $0.one : $0.many)" }.joined(separator: ", ")
    }

    fileprivate var remedy: String { parts.map(\.remedy).joined(separator: ", ") }
}

extension GrantLimit {
    /// As the command line calls it.
    fileprivate var option: String { self == .operations ? "allow" : rawValue }
}

extension TokenProblem: CustomStringConvertible {
    public var description: String {
        switch self {
        case .prefixMissing: "a token begins with \(GrantToken.prefix)"
        case .wrongLength(let count): "a token has \(GrantToken.textLength) characters, this has \(count)"
        case .wrongCharacter: "the token holds a character that no token has; copy it again"
        case .wrongChecksum: "the token is mistyped or cut: its checksum does not fit; copy it again"
        }
    }
}
