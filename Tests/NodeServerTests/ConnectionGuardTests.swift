import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import Synchronization
import Testing

@testable import NodeServer

/// The guard on a loop whose time the test makes.
@Suite struct ConnectionGuardTests {
    private final class Reasons: Sendable {
        private let all = Mutex<[String]>([])
        var value: [String] { all.withLock { $0 } }
        func add(_ reason: String) { all.withLock { $0.append(reason) } }
    }

    private let loop = EmbeddedEventLoop()
    private let reasons = Reasons()

    private func channel(_ change: (inout ConnectionGuard.Limits) -> Void = { _ in }) throws
        -> EmbeddedChannel
    {
        var limits = ConnectionGuard.Limits(
            header: .seconds(10), body: .seconds(20), bodyBytes: 100, write: .seconds(60))
        change(&limits)
        let channel = EmbeddedChannel(
            handler: ConnectionGuard(limits: limits) { [reasons] in reasons.add($0) }, loop: loop)
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/test")).wait()
        return channel
    }

    private let head = HTTPRequestPart.head(
        HTTPRequest(method: .post, scheme: "http", authority: "x", path: "/"))

    private func pass(_ seconds: Int64) { loop.advanceTime(by: .seconds(seconds)) }

    @Test func badInput27AHeaderThatDoesNotComeIsNotWaitedFor() throws {
        let channel = try channel()
        pass(9)
        #expect(channel.isActive)
        pass(2)
        #expect(!channel.isActive && reasons.value == ["header"])
    }

    @Test func anAnsweredRequestIsFollowedByAsMuchIdlenessAsOneLikes() throws {
        let channel = try channel { $0.request = .seconds(100) }
        try channel.writeInbound(head)
        try channel.writeInbound(HTTPRequestPart.end(nil))
        try channel.writeOutbound(HTTPResponsePart.head(HTTPResponse(status: .ok)))
        try channel.writeOutbound(HTTPResponsePart.end(nil))
        pass(1000)
        #expect(channel.isActive && reasons.value == [])
    }

    @Test func badInput27ABodyThatDripsIsGivenUpAndOneThatFlowsIsNot() throws {
        let channel = try channel()
        try channel.writeInbound(head)
        for _ in 0..<10 {
            channel.read()
            try channel.writeInbound(HTTPRequestPart.body(ByteBuffer(repeating: 1, count: 100)))
            channel.read()
            pass(19)
        }
        #expect(channel.isActive)
        for _ in 0..<3 {
            try channel.writeInbound(HTTPRequestPart.body(ByteBuffer(repeating: 1, count: 1)))
            channel.read()
            pass(19)
        }
        #expect(!channel.isActive && reasons.value == ["body"])
    }

    @Test func aBodyThatNobodyReadsIsNotLate() throws {
        let channel = try channel()
        try channel.writeInbound(head)
        try channel.writeInbound(HTTPRequestPart.body(ByteBuffer(repeating: 1, count: 1)))
        // The door is busy with what came, and asks for no more.
        pass(1000)
        #expect(channel.isActive)
        channel.read()
        pass(41)
        #expect(!channel.isActive && reasons.value == ["body"])
    }

    @Test(arguments: ["request", "upload", "download"])
    func aRequestThatGoesOnForEverIsEndedAtTheLongestDuration(what: String) throws {
        let channel = try channel {
            switch what {
            case "request": $0.request = .seconds(100)
            case "upload": $0.upload = .seconds(100)
            default: $0.download = .seconds(100)
            }
        }
        try channel.writeInbound(head)
        if what != "upload" { try channel.writeInbound(HTTPRequestPart.end(nil)) }
        if what == "download" { try channel.writeOutbound(HTTPResponsePart.head(HTTPResponse(status: .ok))) }
        for _ in 0..<9 {
            if what == "upload" {
                try channel.writeInbound(HTTPRequestPart.body(ByteBuffer(repeating: 1, count: 1000)))
            } else if what == "download" {
                try channel.writeOutbound(HTTPResponsePart.body(ByteBuffer(repeating: 1, count: 1000)))
            }
            pass(10)
        }
        #expect(channel.isActive)
        pass(20)
        #expect(!channel.isActive && reasons.value == [what])
    }
}
