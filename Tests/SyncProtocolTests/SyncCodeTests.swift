import Foundation
import TestKit
import Testing

/// What refusals are called, for those who write a client of their own.
@Suite struct SyncCodeTests {
    @Test func everyCodeIsDescribed() throws {
        let root = Vectors.directory.deletingLastPathComponent().deletingLastPathComponent()
        func text(_ path: String) throws -> String {
            try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
        }
        let codes = try text("Sources/SyncProtocol/SyncCode.swift").matches(of: /Self\("([a-z_]+)"\)/)
            .map { String($0.1) }
        #expect(codes.count > 40 && Set(codes).count == codes.count)
        let page = try text("docs/formats/sync.md")
        for code in codes {
            #expect(page.contains("`\(code)`"), "docs/formats/sync.md does not say what \(code) is")
        }
    }
}
