import SyncProtocol
import Testing
import TreeValues

@testable import SyncClient

/// Somebody saves while a change of the server is taken over: at every single call of the disk.
@Suite struct LastMomentTests {
    private enum Saving: CaseIterable { case inPlace, byRename }

    private func save(_ text: String, _ saving: Saving, on disk: VirtualDisk) {
        try? disk.asUser { disk throws(FileError) in
            switch saving {
            case .inPlace:
                if try disk.status("a") == nil { try disk.create("a") }
                try disk.replaceContents(of: "a", with: Array(text.utf8))
            case .byRename:
                try disk.create("a~")
                try disk.replaceContents(of: "a~", with: Array(text.utf8))
                try disk.rename("a~", to: "a", replacing: true)
            }
        }
    }

    private func check(
        canExchange: Bool, _ saving: Saving, _ change: (SimulatedDevice) throws -> Void
    ) throws {
        for calls in 1... {
            let pair = try TwoDevices(canExchange: canExchange)
            try pair.there.write("old", to: "a")
            try pair.settle()
            try change(pair.there)
            try pair.there.synchronize()
            let disk = pair.here.disk
            let start = disk.calls
            disk.interfere(afterCalls: calls) { save("mine, in the last moment", saving, on: disk) }
            try pair.here.synchronize()
            let isOver = disk.calls < start + calls
            disk.interfere(afterCalls: .max / 2) {}
            try pair.settle()
            let files = try pair.files(pair.here)
            #expect(try files == pair.files(pair.there), "call \(calls)")
            if isOver { break }
            #expect(files.values.contains("mine, in the last moment"), "call \(calls): \(files)")
        }
    }

    /// It was in the trash, and nowhere else.
    @Test(arguments: [true, false], Saving.allCases)
    private func whatIsSavedInTheLastMomentStaysWhereANewVersionComes(
        canExchange: Bool, saving: Saving
    ) throws {
        try check(canExchange: canExchange, saving) { try $0.write("theirs", to: "a") }
    }

    @Test(arguments: Saving.allCases)
    private func whatIsSavedInTheLastMomentStaysWhereItIsRemoved(saving: Saving) throws {
        try check(canExchange: true, saving) { try $0.remove("a") }
    }
}
