import HTTPSupport

/// Answers of doors that want to be asked again in a moment, as the gateway does where somebody else's turn
/// takes all that it does for readers at once: the request waits, and no thread does.
enum PatientAnswer {
    /// So long a reader waits before it is said to try again.
    private static let patience = Duration.seconds(20)

    static func get(_ ask: () async -> DoorResponse) async -> DoorResponse {
        let end = ContinuousClock.now + patience
        var pause = Duration.milliseconds(10)
        while true {
            let response = await ask()
            guard response.isMomentary, ContinuousClock.now < end else { return response }
            // Cancelled when nobody waits for the answer any more.
            do { try await Task.sleep(for: pause) } catch { return response }
            pause = min(pause * 2, .milliseconds(500))
        }
    }
}
