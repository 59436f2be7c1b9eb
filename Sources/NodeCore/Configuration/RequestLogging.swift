/// Which requests have a line of their own in the log. The raw values are those of `log.requests`.
public enum RequestLogging: String, CaseIterable, Sendable {
    case off
    /// Those that the node failed to answer, and answers that broke off.
    case errors
    case all
}
