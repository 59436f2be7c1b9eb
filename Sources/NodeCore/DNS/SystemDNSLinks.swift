import CResolver
public import IPNS

/// Asks the DNS through the resolver of the system, which goes by `/etc/resolv.conf`.
///
/// Only TXT records of `_dnslink.` names are asked for, so that a request cannot make the node connect to anything
/// that a domain points to. A query is a socket of its own and blocks for at most ``Options/seconds`` times
/// ``Options/tries`` for each configured server.
public struct SystemDNSLinks: DNSLinkResolver {
    /// How long to wait, and whom to ask.
    public struct Options: Hashable, Sendable {
        public var seconds = 2
        public var tries = 2
        /// A server on 127.0.0.1 with this port in the place of those of the system; 0 for those of the system.
        public var loopbackPort: UInt16 = 0

        public init() {}
    }

    private let options: Options

    public init(_ options: Options = Options()) { self.options = options }

    public func link(of domain: DomainName) throws -> DNSLink? {
        guard let packet = try query(domain) else { return nil }
        let answer: DNSAnswer
        do {
            answer = try DNSAnswer(packet: packet)
        } catch {
            throw DNSLinkError.malformedAnswer(domain)
        }
        guard let target = DNSLink.target(in: answer.texts) else { return nil }
        return DNSLink(target: target, ttl: .seconds(Int64(answer.ttlSeconds ?? 0)))
    }

    /// - Returns: `nil` if the name does not exist, or has no TXT record.
    private func query(_ domain: DomainName) throws -> [UInt8]? {
        var answer = [UInt8](repeating: 0, count: DNSAnswer.maximumBytes)
        var failure: Int32 = 0
        // The point at the end keeps the resolver from trying the search list of the machine.
        let count = nacre_resolver_txt(
            DNSLink.recordName(of: domain) + ".", UInt32(0x7F00_0001).bigEndian, options.loopbackPort,
            Int32(clamping: options.seconds), Int32(clamping: options.tries), &answer,
            Int32(answer.count), &failure)
        guard count >= 0 else {
            if failure == HOST_NOT_FOUND || failure == NO_DATA { return nil }
            throw DNSLinkError.unanswered(domain)
        }
        return Array(answer.prefix(Int(count)))
    }
}
