import Foundation
import Testing

extension NacreProcess.Outcome {
    /// The output as JSON: every line is one object.
    func objects() throws -> [[String: Any]] {
        try lines.map { line in
            try #require(
                try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
                "not an object: \(line)")
        }
    }
}
