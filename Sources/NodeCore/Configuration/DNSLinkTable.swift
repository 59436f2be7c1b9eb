import IPNS

/// The value of `gateway.dnslink` as one text: `domain=/ipfs/…, domain=/ipns/…`.
enum DNSLinkTable {
    /// - Returns: `nil` if any part of it is wrong.
    static func parse(_ text: String) -> [DomainName: ContentPath]? {
        var table: [DomainName: ContentPath] = [:]
        for pair in pairs(text) {
            guard let (domain, path) = try? read(pair) else { return nil }
            table[domain] = path
        }
        return table
    }

    /// What is wrong with a value; `nil` if nothing.
    static func problem(with text: String) -> String? {
        var seen: Set<DomainName> = []
        for pair in pairs(text) {
            do throws(Problem) {
                let (domain, _) = try read(pair)
                guard seen.insert(domain).inserted else { return "\(domain) is there twice" }
            } catch {
                return error.text
            }
        }
        return nil
    }

    private struct Problem: Error {
        let text: String
    }

    private static func pairs(_ text: String) -> [Substring] {
        text.split(separator: ",").filter { !$0.allSatisfy(\.isWhitespace) }
    }

    private static func read(_ pair: Substring) throws(Problem) -> (DomainName, ContentPath) {
        let sides = pair.split(separator: "=", maxSplits: 1).map { side in
            var side = side.drop(while: \.isWhitespace)
            while side.last?.isWhitespace == true { side.removeLast() }
            return String(side)
        }
        guard sides.count == 2 else { throw Problem(text: "\(pair) is not of the form domain=/ipfs/…") }
        guard let domain = DomainName(sides[0]) else { throw Problem(text: "\(sides[0]) is not a domain") }
        do {
            return (domain, try ContentPath(text: sides[1]))
        } catch {
            throw Problem(text: "\(domain): \(error)")
        }
    }
}
