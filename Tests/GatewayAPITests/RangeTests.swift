import Foundation
import HTTPTypes
import IPLD
import Multiformats
import TestKit
import Testing

/// Several ranges in one request, and conditions on them.
@Suite struct RangeTests {
    let laboratory: GatewayLaboratory
    let target: String
    let whole: [UInt8]

    init() throws {
        laboratory = try GatewayLaboratory()
        let root = try laboratory.load("path_gateway_unixfs__dir-with-files.car")
        target = "/ipfs/\(root)/multiblock.txt"
        whole = try laboratory.get(target).bytes
    }

    /// The parts of a multipart body: what `Content-Range` says, and the bytes.
    private func parts(_ answer: GatewayLaboratory.Answer) throws -> [(range: String, bytes: [UInt8])] {
        let type = try #require(answer["Content-Type"])
        let boundary = try #require(type.split(separator: "=").last.map(String.init))
        #expect(type == "multipart/byteranges; boundary=\(boundary)")
        #expect(answer["Content-Range"] == nil)
        // Latin-1 keeps every byte.
        let text = String(String.UnicodeScalarView(answer.bytes.map { Unicode.Scalar($0) }))
        #expect(text.hasPrefix("\r\n--\(boundary)\r\n") && text.hasSuffix("\r\n--\(boundary)--\r\n"))
        return try text.components(separatedBy: "\r\n--\(boundary)").dropFirst().dropLast().map { part in
            let end = try #require(part.range(of: "\r\n\r\n"))
            let head = part[..<end.lowerBound]
            #expect(head.contains("\r\nContent-Type: text/plain; charset=utf-8"))
            let range = try #require(head.components(separatedBy: "Content-Range: ").last)
            return (range, part[end.upperBound...].unicodeScalars.map { UInt8($0.value) })
        }
    }

    @Test func severalRangesComeInOneBodyInTheOrderAskedFor() throws {
        let answer = try laboratory.get(target, ["Range": "bytes=1000-1009, 0-4,-3"])
        #expect(answer.status == 206)
        let parts = try parts(answer)
        #expect(parts.map(\.range) == ["bytes 1000-1009/1026", "bytes 0-4/1026", "bytes 1023-1025/1026"])
        #expect(parts.map(\.bytes) == [Array(whole[1000..<1010]), Array(whole[..<5]), Array(whole[1023...])])
        let head = try laboratory.get(target, ["Range": "bytes=1000-1009, 0-4,-3"], method: .head)
        #expect(head.status == 206 && head["Content-Type"]?.hasPrefix("multipart/byteranges") == true)
        let block = try laboratory.get(target + "?format=raw", ["Range": "bytes=0-1,4-5"])
        #expect(block.status == 206 && block["Content-Type"]?.hasPrefix("multipart/byteranges") == true)
    }

    @Test(arguments: [
        ("bytes=0-9,5-19", "bytes 0-19/1026"), ("bytes=5-9,0-4", "bytes 0-9/1026"),
        ("bytes=0-0,2-2,1-1", "bytes 0-2/1026"), ("bytes=2000-,7-7", "bytes 7-7/1026"),
        ("bytes=-18446744073709551615,0-", "bytes 0-1025/1026"),
    ])
    func badInput28RangesThatMeetAreOne(header: String, range: String) throws {
        let answer = try laboratory.get(target, ["Range": header])
        #expect(answer.status == 206 && answer["Content-Range"] == range)
        #expect(answer["Content-Type"] == "text/plain; charset=utf-8")
    }

    @Test func badInput28NobodyGetsMoreThanThereIs() throws {
        let many = (0..<1000).map { "\($0)-\($0)" }.joined(separator: ",")
        let tooMany = try laboratory.get(target, ["Range": "bytes=" + many])
        #expect(tooMany.status == 200 && tooMany.bytes == whole)
        let same = [String](repeating: "0-", count: 16).joined(separator: ",")
        let once = try laboratory.get(target, ["Range": "bytes=" + same])
        #expect(once.status == 206 && once.bytes == whole)
        let apart = (0..<16).map { "\($0 * 2)-\($0 * 2)" }.joined(separator: ",")
        #expect(try parts(laboratory.get(target, ["Range": "bytes=" + apart])).count == 16)
        let beyond = try laboratory.get(target, ["Range": "bytes=5000-,6000-"])
        #expect(beyond.status == 416 && beyond["Content-Range"] == "bytes */1026")
        let block = try laboratory.get(target + "?format=raw", ["Range": "bytes=5000-"])
        #expect(block.status == 416 && block.text.contains("bytes"))
    }

    @Test(arguments: [
        ("W/\"TAG\"", 304), ("\"x\", \"TAG\"", 304), ("\"x\",W/\"TAG\"", 304), ("*", 304), ("\"x\"", 200),
        ("\"TAG-gzip\"", 200), ("W/\"x\", *", 200),
    ])
    func tagsAreComparedWeakly(condition: String, status: Int) throws {
        let tag = try #require(try laboratory.get(target)["Etag"]?.dropFirst().dropLast())
        for method in [HTTPRequest.Method.get, .head] {
            let answer = try laboratory.get(
                target, ["If-None-Match": condition.replacingOccurrences(of: "TAG", with: tag)],
                method: method)
            #expect(answer.status == status)
            #expect(answer["Etag"] == "\"\(tag)\"")
            #expect(answer["Cache-Control"] == "public, max-age=29030400, immutable")
        }
    }
}
