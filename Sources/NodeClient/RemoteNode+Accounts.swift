import NIOHTTP1
public import NodeMessages

extension RemoteNode {
    public func addUser(_ request: UserRequest) throws -> UserMessage {
        try connection.send(.POST, "/users", request)
    }

    public func forEachUser(_ body: (UserMessage) throws -> Void) throws {
        try forEachPage("/users", [("limit", "1000")], body)
    }

    public func user(matching text: String) throws -> UserMessage {
        try connection.send(.GET, path(ofUser: text))
    }

    public func setPassword(_ password: String, ofUser text: String) throws -> UserMessage {
        try connection.send(.PUT, path(ofUser: text) + "/password", PasswordRequest(password: password))
    }

    public func setUser(_ text: String, isEnabled: Bool) throws -> UserMessage {
        try connection.send(.POST, path(ofUser: text) + (isEnabled ? "/enable" : "/disable"))
    }

    public func addProject(_ request: ProjectRequest) throws -> ProjectMessage {
        try connection.send(.POST, "/projects", request)
    }

    public func forEachProject(_ body: (ProjectMessage) throws -> Void) throws {
        try forEachPage("/projects", [("limit", "1000")], body)
    }

    public func project(matching text: String) throws -> ProjectMessage {
        try connection.send(.GET, path(ofProject: text))
    }

    public func renameProject(_ text: String, to name: String) throws -> ProjectMessage {
        try connection.send(.PATCH, path(ofProject: text), ProjectChange(name: name))
    }

    public func removeProject(_ text: String) throws -> ProjectMessage {
        try connection.send(.DELETE, path(ofProject: text))
    }

    public func setRole(
        _ role: String, ofUser user: String, inProject project: String
    ) throws -> MemberMessage {
        try connection.send(.PUT, path(ofMember: user, of: project), RoleRequest(role: role))
    }

    public func removeMember(_ user: String, fromProject project: String) throws -> MemberMessage {
        try connection.send(.DELETE, path(ofMember: user, of: project))
    }

    private func path(ofUser text: String) -> String { "/users/" + NodeConnection.encoded(text) }

    private func path(ofProject text: String) -> String { "/projects/" + NodeConnection.encoded(text) }

    private func path(ofMember user: String, of project: String) -> String {
        path(ofProject: project) + "/members/" + NodeConnection.encoded(user)
    }

    // MARK: Jobs

    public func forEachJob(state: String?, _ body: (JobMessage<JSONValue>) throws -> Void) throws {
        try forEachPage("/jobs", [("limit", "1000")] + (state.map { [("state", $0)] } ?? []), body)
    }

    public func job(_ id: String, waitSeconds: Int) throws -> JobMessage<JSONValue> {
        try connection.send(
            .GET, "/jobs/" + NodeConnection.encoded(id), wait: waitSeconds > 0 ? waitSeconds : nil)
    }

    public func cancelJob(_ id: String) throws -> JobMessage<JSONValue> {
        try connection.send(.POST, "/jobs/\(NodeConnection.encoded(id))/cancel")
    }

    // MARK: Authority

    public func forEachAuditEntry(_ query: AuditQuery, _ body: (AuditMessage) throws -> Void) throws {
        var parameters = [("limit", "1000")]
        for (name, value) in [
            ("since", query.since), ("until", query.until), ("principal", query.principal),
            ("operation", query.operation), ("outcome", query.outcome),
        ] {
            if let value { parameters.append((name, value)) }
        }
        try forEachPage("/audit", parameters, body)
    }

    public func confirmMasterKey() throws { try connection.send(.POST, "/master-key/confirm") }
}
