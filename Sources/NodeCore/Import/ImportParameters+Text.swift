import Multiformats
public import UnixFS

extension ImportParameters {
    /// The parameters as they are recorded with a pin and shown: the name of the profile, or every parameter.
    public var recordText: String {
        if let profileName { return profileName }
        let hashName = MulticodecTable.name(of: hash.rawValue) ?? "0x" + String(hash.rawValue, radix: 16)
        let threshold = directory.hamtThreshold.map { "\($0)" } ?? "never"
        return
            "cid-version=\(cidVersion) raw-leaves=\(rawLeaves) hash=\(hashName) chunker=\(chunker) layout=\(layout.rawValue) "
            + "max-links=\(maximumLinks) hamt-threshold=\(threshold) hamt-estimate=\(directory.hamtEstimate.rawValue) "
            + "hamt-fanout=\(directory.fanout)"
    }
}
