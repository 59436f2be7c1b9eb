import Multiformats
import Synchronization
import Testing

@testable import SyncClient

/// How much is moved at once, and what is told of it meanwhile.
@Suite struct TransferPaceTests {
    @Test func aSlowLineIsHeardOfOftenAndAQuickOneSeldom() {
        var pace = TransferPace(maximum: 16 << 20)
        #expect(pace.bytes == TransferPace.initialBytes)
        for _ in 0..<10 { pace.note(milliseconds: 40_000) }
        #expect(pace.bytes == TransferPace.minimumBytes)
        for _ in 0..<10 { pace.note(milliseconds: 10) }
        #expect(pace.bytes == 16 << 20)
        pace.note(milliseconds: 2000)
        #expect(pace.bytes == 16 << 20, "that is as it should be")
        #expect(TransferPace(maximum: 4096).bytes == 4096)
    }

    /// What is told of files on their way ends with all of each, and with nothing on its way.
    @Test func eachFileIsToldOfUntilAllOfItWasMoved() throws {
        let pair = try TwoDevices()
        let random = SimulationRandom(seed: 3)
        let text = String(
            decoding: (0..<200_000).flatMap { _ in String(random.next(), radix: 36).utf8 }, as: UTF8.self)
        try pair.here.write(text, to: "large")
        try pair.here.synchronize()
        try pair.there.synchronize()
        for (device, isUpload) in [(pair.here, true), (pair.there, false)] {
            let told = device.progress.all
            #expect(told.count > 2 && told.last == .some(nil))
            let file = told.compactMap { $0 }
            #expect(file.allSatisfy { $0.path == "large" && $0.isUpload == isUpload })
            #expect(file.allSatisfy { (0...$0.bytesTotal).contains($0.bytesDone) })
            #expect(zip(file, file.dropFirst()).allSatisfy { $0.bytesDone <= $1.bytesDone })
            #expect(file.first?.bytesDone == 0 && file.last?.bytesDone == file.last?.bytesTotal)
            #expect(file.last?.bytesTotal == Int64(text.utf8.count))
        }
    }
}
