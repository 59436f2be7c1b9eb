import Access
import Foundation
import HTTPSupport
import HTTPTypes
import Multiformats
import NodeMessages
import NodeService

/// A request of the API after it was allowed.
struct APIRequest: Sendable {
    let request: DoorRequest
    /// What stands for the placeholders of the route, decoded.
    let values: [String: String]
    let query: [String: String]
    /// The node as whoever asks may use it.
    let node: LocalNode
    let jobs: NodeJobs
    let imports: ImportSessions
    let admission: Admission
    /// The members that the JSON of the body may have; `nil` for any.
    private let members: Set<String>?
    /// Read once, by the handler alone.
    let body: any RequestBytes

    /// The most bytes of JSON.
    static let maximumJSONBytes: Int64 = 1024 * 1024

    /// - Throws: `invalid-value` where a name comes twice, or is none of the route's.
    init(
        _ request: DoorRequest, _ route: APIRoute, values: [String: String], node: LocalNode, jobs: NodeJobs,
        imports: ImportSessions, admission: Admission, body: any RequestBytes
    ) throws {
        self.request = request
        self.values = values
        self.node = node
        self.jobs = jobs
        self.imports = imports
        self.admission = admission
        self.body = body
        members = OpenAPISchemas.members(of: route)
        let items = request.target.queryItems
        // A wish that cannot be read would go unfulfilled without a word.
        guard items.count == request.target.query?.split(separator: "&").count ?? 0 else {
            throw Self.invalid("the query is not percent-encoded UTF-8")
        }
        let known = Set(route.parameters.map(\.name))
        var query: [String: String] = [:]
        for (name, value) in items {
            // What signs a URL is the authority's.
            if name.hasPrefix("nacre-") { continue }
            guard known.contains(name) else {
                let names =
                    known.isEmpty ? "it takes none" : "it takes " + known.sorted().joined(separator: ", ")
                throw Self.invalid("\(Self.shown(name)) is no parameter of \(route.path): \(names)")
            }
            guard query.updateValue(value, forKey: name) == nil else {
                throw Self.invalid("\(name) is given twice")
            }
        }
        self.query = query
    }

    func value(_ name: String) -> String { values[name] ?? "" }

    /// - Throws: `invalid-value`.
    func cid(_ name: String) throws -> CID {
        do { return try CID(text: value(name)) } catch {
            throw Self.invalid("\(Self.shown(value(name))): \(error)")
        }
    }

    /// A number in the query.
    func number(_ name: String, _ range: ClosedRange<Int64>) throws -> Int64? {
        guard let text = query[name] else { return nil }
        guard let number = Int64(text), range.contains(number) else {
            throw Self.invalid("\(name) is a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    func flag(_ name: String) throws -> Bool? {
        switch query[name] {
        case nil: nil
        case "true": true
        case "false": false
        default: throw Self.invalid("\(name) is true or false")
        }
    }

    /// How many entries of a list are wanted.
    func limit() throws -> Int { Int(try number("limit", 1...1000) ?? 100) }

    /// The body as JSON.
    ///
    /// - Throws: `invalid-json` with what is wrong and where.
    func json<Value: Decodable>(_ type: Value.Type) throws -> Value {
        let media = request.fields[.contentType]?.prefix { $0 != ";" }.lowercased().filter { $0 != " " }
        guard media == nil || media == "application/json" else {
            throw NodeFailure(
                .unsupported, code: "unsupported-type", detail: "the body is to be application/json")
        }
        var reader = RequestBodyReader(body, limit: Self.maximumJSONBytes)
        var bytes = try reader.readAll()
        // Nothing said is everything left out.
        if bytes.isEmpty { bytes = Array("{}".utf8) }
        do {
            // A mistyped member would be a wish that nobody notices was not fulfilled, such as a dry run.
            if let members,
                case .object(let given) = try JSONDecoder().decode(JSONValue.self, from: Data(bytes)),
                let unknown = given.keys.sorted().first(where: { !members.contains($0) })
            {
                throw Self.invalid(
                    "\(Self.shown(unknown)) is no member of this body: it takes "
                        + members.sorted().joined(separator: ", "))
            }
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch let error as DecodingError {
            throw NodeFailure(.invalid, code: "invalid-json", detail: Self.text(error))
        }
    }

    static func invalid(_ detail: String) -> NodeFailure {
        NodeFailure(.invalid, code: "invalid-value", detail: detail)
    }

    /// A foreign text, short.
    static func shown(_ text: String) -> String { String(text.prefix(100)) }

    private static func text(_ error: DecodingError) -> String {
        func place(_ path: [any CodingKey]) -> String {
            path.isEmpty ? "the body" : path.map(\.stringValue).joined(separator: ".")
        }
        return switch error {
        case .keyNotFound(let key, let context):
            "\(place(context.codingPath)) has no \(key.stringValue)"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            "\(place(context.codingPath)) is of another type: \(context.debugDescription)"
        case .dataCorrupted(let context): "\(place(context.codingPath)): \(context.debugDescription)"
        @unknown default: "the body is not as it should be"
        }
    }
}

extension DoorResponse {
    /// A value as JSON.
    static func json(_ value: some Encodable, _ status: HTTPResponse.Status = .ok) throws -> DoorResponse {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return DoorResponse(
            status, fields: [.contentType: "application/json", .cacheControl: "no-store"],
            body: .bytes(Array(try encoder.encode(value)) + [0x0A]))
    }
}
