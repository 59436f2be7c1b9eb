public import Foundation

/// Known answers: the files under `Tests/Vectors`.
///
/// Every folder there has a `SOURCE.md` that says where the files are from.
public enum Vectors {
    /// The folder `Tests/Vectors`.
    public static let directory = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Vectors")

    /// The place of a file, given as `group/file`.
    public static func url(_ path: String) -> URL { directory.appendingPathComponent(path) }

    /// The contents of a file, given as `group/file`.
    public static func bytes(_ path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: url(path))) }

    /// A JSON file, decoded as `type`.
    public static func json<T: Decodable>(_ path: String, as type: T.Type = T.self) throws -> T {
        try JSONDecoder().decode(type, from: Data(contentsOf: url(path)))
    }

    /// A JSON file as dictionaries, arrays, strings, numbers: for files without a fixed shape.
    public static func jsonObject(_ path: String) throws -> Any {
        try JSONSerialization.jsonObject(with: Data(contentsOf: url(path)), options: .fragmentsAllowed)
    }

    /// The names of the files directly in a folder, sorted; hidden ones and `SOURCE.md` left out.
    public static func names(in group: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: url(group).path)
            .filter { !$0.hasPrefix(".") && $0 != "SOURCE.md" }.sorted()
    }
}
