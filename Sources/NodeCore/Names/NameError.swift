public import IPNS
public import Multiformats

/// Why a name leads nowhere.
public enum NameError: Error, Equatable, Sendable {
    /// No label and no key of this text is here.
    case notFound(String)
    /// Nobody published the name here, or nobody gave its record to this node.
    case noRecord(PeerID)
    case expired(PeerID, at: IPNSTime)
    /// A record that is valid and points nowhere.
    case badTarget(PeerID, ContentPathError)
    /// The domain has no TXT record `dnslink=…`.
    case noDNSLink(DomainName)
    /// Names that lead to names, more of them than are followed; they may go in a circle.
    case tooManySteps(maximum: Int)
    /// The name is not at the sequence that the caller expected.
    case unexpectedSequence(PeerID, expected: UInt64, found: UInt64?)
    case sequenceExhausted(PeerID)
    /// A name and the namespace that it is to follow belong to different projects.
    case namespaceOfOtherProject(String)
    case followsNothing(PeerID)
    /// A lifetime or TTL that no record can have.
    case badDuration(String)

    /// The sort of failure, for exit codes and HTTP statuses.
    public var kind: NodeError.Kind {
        switch self {
        case .notFound, .noRecord, .expired, .noDNSLink, .followsNothing: .notFound
        case .unexpectedSequence, .namespaceOfOtherProject: .conflict
        case .badTarget, .tooManySteps, .sequenceExhausted: .failed
        case .badDuration: .usage
        }
    }
}

extension NameError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .notFound(let text): "there is no name \(text); `nacre name ls` lists the names"
        case .noRecord(let name):
            "this node has no record of \(name.ipnsName); publish one (`nacre name publish`) or put it here"
        case .expired(let name, let time):
            "the record of \(name.ipnsName) was valid until \(time); publish it again"
        case .badTarget(let name, let error): "\(name.ipnsName) points nowhere: \(error)"
        case .noDNSLink(let domain):
            "\(domain) has no DNSLink: no TXT record dnslink=/ipfs/… at \(DNSLink.recordName(of: domain))"
        case .tooManySteps(let maximum):
            "the name leads to another, and so on, more than \(maximum) times; they may go in a circle"
        case .unexpectedSequence(let name, let expected, let found):
            "\(name.ipnsName) is at sequence \(found.map(String.init) ?? "none"), not \(expected); look at it and try again"
        case .sequenceExhausted(let name):
            "\(name.ipnsName) has the highest sequence there is and cannot be published any more"
        case .namespaceOfOtherProject(let namespace):
            "namespace “\(namespace)” is of another project than the name; make a name in that project"
        case .followsNothing(let name):
            "\(name.ipnsName) follows no namespace, so that there is nothing to end"
        case .badDuration(let what): "\(what) must be between 0 and 100 years"
        }
    }
}
