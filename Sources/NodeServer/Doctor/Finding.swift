/// What one look at the machine or the configuration found.
public struct Finding: Hashable, Sendable {
    /// How bad it is.
    public enum Verdict: String, CaseIterable, Sendable {
        case ok
        /// The node works; something should be mended all the same.
        case warn
        /// The node does not work, or will not start.
        case fail
    }

    /// What was looked at, for scripts: lower case with dashes, never changed.
    public let check: String
    public let verdict: Verdict
    /// What is so.
    public let text: String
    /// What to do about it; `nil` if it is fine.
    public let advice: String?

    /// It is as it should be.
    public static func ok(_ check: String, _ text: String) -> Finding {
        Finding(check: check, verdict: .ok, text: text, advice: nil)
    }

    /// It works, and should be mended all the same.
    public static func warn(_ check: String, _ text: String, advice: String) -> Finding {
        Finding(check: check, verdict: .warn, text: text, advice: advice)
    }

    /// It does not work.
    public static func fail(_ check: String, _ text: String, advice: String) -> Finding {
        Finding(check: check, verdict: .fail, text: text, advice: advice)
    }
}
