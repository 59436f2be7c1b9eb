import Multiformats
import SyncProtocol
import Testing
import TreeValues

@testable import SyncClient

/// Folders, disks and servers that fail: nothing is deleted for it, and all goes on by itself.
@Suite struct FaultTests {
    private func pairWithFiles(_ count: Int, _ change: (inout SyncOptions) -> Void = { _ in }) throws
        -> TwoDevices
    {
        let pair = try TwoDevices(change)
        try pair.there.makeDirectory("d")
        for number in 0..<count { try pair.there.write("content \(number)", to: "d/f\(number)") }
        try pair.settle()
        return pair
    }

    private func activity(_ device: SimulatedDevice) -> FolderActivity? { device.engine?.status.activity }

    // MARK: Disks that are full

    /// What has room is fetched beside what has none, which is named, and comes when there is.
    @Test func aFileThatIsTooLargeKeepsNoOtherBack() throws {
        let pair = try TwoDevices { $0.minimumFreeBytes = (1 << 40) - 100 }
        try pair.there.makeDirectory("d")
        try pair.there.write(String(repeating: "large", count: 40), to: "d/large")
        for number in 0..<5 { try pair.there.write("content \(number)", to: "d/f\(number)") }
        try pair.settle()
        #expect(try pair.files(pair.here).count == 6)
        let open = try pair.here.engine?.openItems()
        #expect(open?.map(\.path) == ["d/large"])
        #expect(open?.first?.reason == .file(.noSpace("d/large")))
        pair.here.options.minimumFreeBytes = 0
        pair.here.stop()
        try pair.settle()
        #expect(try pair.files(pair.here) == pair.files(pair.there))
    }

    // MARK: Folders that are not there

    @Test func aFolderThatIsNotMountedIsLeftAlone() throws {
        let pair = try pairWithFiles(5)
        pair.here.disk.set(unmounted: true)
        try pair.settle()
        #expect(activity(pair.here) == .folderMissing)
        #expect(try pair.files(pair.there).count == 6)
        pair.here.disk.set(unmounted: false)
        try pair.settle()
        #expect(activity(pair.here) == .settled)
        #expect(try pair.files(pair.here).count == 6)
    }

    @Test func anEmptyDirectoryInThePlaceOfTheFolderIsNotTheFolder() throws {
        let pair = try pairWithFiles(5)
        // What is below a mount point when nothing is mounted.
        try pair.here.move("d", to: ".nacre/d")
        try pair.here.disk.asUser { disk throws(FileError) in try disk.removeFile(OwnDirectory.marker) }
        try pair.settle()
        #expect(activity(pair.here) == .folderMissing)
        #expect(try pair.files(pair.there).count == 6)
    }

    @Test func theMarkerOfAnotherFolderStopsThisOne() throws {
        let pair = try pairWithFiles(1)
        try pair.here.write("another", to: OwnDirectory.marker)
        try pair.settle()
        guard case .stopped(let code, _)? = activity(pair.here) else {
            Issue.record("it is not stopped")
            return
        }
        #expect(code == "other_folder")
    }

    @Test func aFolderThatGoesAwayWithinAScanLosesNothing() throws {
        // Every call of a pass, one after the other, until one goes through.
        for calls in 1... {
            let pair = try pairWithFiles(3)
            let disk = pair.here.disk
            pair.here.stop()
            let start = disk.calls
            disk.interfere(afterCalls: calls) { disk.set(unmounted: true) }
            try pair.here.synchronize()
            let isOver = disk.calls < start + calls
            disk.set(unmounted: false)
            disk.interfere(afterCalls: .max / 2) {}
            try pair.settle()
            #expect(try pair.files(pair.there).count == 4)
            #expect(try pair.files(pair.here).count == 4)
            if isOver { break }
        }
    }

    // MARK: Disks that cannot

    @Test func aFullDiskPausesDownloadsAndNothingElse() throws {
        let pair = try pairWithFiles(2)
        try pair.there.write("new", to: "there")
        try pair.there.synchronize()
        try pair.here.write("mine", to: "here")
        pair.here.disk.set(full: true)
        try pair.here.synchronize()
        #expect(pair.here.engine?.status.downloadsPaused != nil)
        #expect(pair.here.engine?.status.uploadsPaused == nil)
        #expect(pair.server.tree()["here"] != nil)
        #expect(try pair.files(pair.here)["there"] == nil)
        pair.here.disk.set(full: false)
        try pair.settle()
        #expect(try pair.files(pair.here)["there"] == "new")
        #expect(activity(pair.here) == .settled)
    }

    /// Each file asked the disk again by its own time.
    @Test(arguments: [VirtualDisk.FilesLeft.none, .noneUncounted])
    func aDiskThatHasRoomForNoMoreFilesPausesDownloads(files: VirtualDisk.FilesLeft) throws {
        let pair = try pairWithFiles(2)
        for number in 0..<20 { try pair.there.write("new \(number)", to: "new\(number)") }
        try pair.there.synchronize()
        try pair.here.write("mine", to: "here")
        pair.here.disk.set(files: files)
        try pair.here.synchronize()
        let engine = try #require(pair.here.engine)
        let pause = try #require(engine.status.downloadsPaused)
        #expect(pause.until == pair.clock.steady() + 60_000)
        let isNamed = pause.reason.contains(files == .none ? "no more files" : "no space left for")
        #expect(isNamed, "\(pause.reason)")
        #expect(pair.server.tree()["here"] != nil, "what is here is sent")
        // Nobody asks before the minute is over.
        #expect(engine.nextRetry.map { $0 >= pause.until } ?? true)
        let refusals = pair.here.disk.refusals
        pair.clock.advance(milliseconds: 59_000)
        try pair.here.synchronize()
        #expect(pair.here.disk.refusals == refusals && engine.status.downloadsPaused == pause)
        #expect(engine.status.activity == .waiting && engine.status.pending == 20)
        pair.here.disk.set(files: .some)
        pair.clock.advance(milliseconds: 1_000)
        try pair.here.synchronize()
        #expect(engine.status.downloadsPaused == nil && engine.status.activity == .settled)
        #expect(try pair.files(pair.here)["new19"] == "new 19")
    }

    @Test func aReadOnlyDiskPausesDownloadsAndDeletesNothing() throws {
        let pair = try pairWithFiles(2)
        try pair.there.write("new", to: "there")
        try pair.there.remove("d/f0")
        try pair.there.synchronize()
        pair.here.disk.set(readOnly: true)
        try pair.here.synchronize()
        // What waits for the disk is not tried again, each for itself, before the pause is over.
        let pause = try #require(pair.here.engine?.status.downloadsPaused)
        #expect(try #require(pair.here.engine?.nextRetry) >= pause.until)
        #expect(try pair.files(pair.here) == ["d": "/", "d/f0": "content 0", "d/f1": "content 1"])
        pair.here.disk.set(readOnly: false)
        try pair.settle()
        #expect(try pair.files(pair.here) == ["d": "/", "d/f1": "content 1", "there": "new"])
    }

    @Test func oneFileThatFailsTakesNoOtherWithIt() throws {
        let pair = try pairWithFiles(0)
        for name in ["a", "b", "c"] { try pair.here.write(name, to: name) }
        pair.here.disk.set(unreadable: "b")
        try pair.here.synchronize()
        #expect(Set(pair.server.tree().keys) == ["d", "a", "c"])
        try pair.there.synchronize()
        #expect(try pair.files(pair.there) == ["d": "/", "a": "a", "c": "c"])
    }

    @Test func aTroubledItemWaitsTwiceAsLongEachTime() throws {
        let pair = try pairWithFiles(0)
        let engine = pair.here.startEngine()
        let id = NodeID(bits: 5)
        var waits: [Int64] = []
        for _ in 0..<16 {
            engine.fail(id, .blockMissing("x"))
            waits.append((engine.waitingItems().first?.retryAt ?? 0) - pair.clock.steady())
        }
        for (index, wait) in waits.enumerated() {
            let middle = min(Int64(1000) << Int64(min(index, 12)), 3_600_000)
            #expect((middle * 3 / 4...middle * 5 / 4).contains(wait))
        }
    }

    // MARK: Much at once

    /// The node weighs each commit by itself: the first ones were small enough to go.
    @Test func noneOfALargeRemovalIsSentBeforeSomebodyHasAgreed() throws {
        let pair = try TwoDevices {
            $0.freeRemovals = 3
            $0.commitBatch = 2
        }
        pair.server.guardRemovals(beyond: 3, now: { [clock = pair.clock] in clock.steady() })
        for number in 0..<10 { try pair.here.write("\(number)", to: "f\(number)") }
        try pair.settle()
        func removeAndAsk() throws {
            for number in 0..<8 { try pair.here.remove("f\(number)") }
            try pair.settle()
            #expect(pair.server.tree().count == 10)
            #expect(pair.here.engine?.status.removalsToConfirm == 8)
        }
        try removeAndAsk()
        #expect(try pair.here.startEngine().answerRemovals(.decline) == 8)
        #expect(try pair.here.files().count == 10)
        try removeAndAsk()
        #expect(try pair.here.startEngine().answerRemovals(.agree) == 8)
        #expect(pair.server.tree().count == 2)
        // As many as it may remove without a word.
        try pair.here.remove("f8")
        try pair.settle()
        #expect(pair.server.tree().count == 1)
    }

    @Test func removingMuchOfAFolderAsksFirst() throws {
        let pair = try pairWithFiles(300)
        // There, somebody has agreed.
        pair.there.stop()
        pair.there.options.guardsRemovals = false
        for number in 0..<250 { try pair.there.remove("d/f\(number)") }
        try pair.there.synchronize()
        try pair.settle()
        #expect(try pair.files(pair.here).count == 301)
        #expect(pair.here.engine?.status.removalsToConfirm == 250)
        #expect(pair.here.engine?.waitingItems(limit: 1).first?.reason == .confirmationNeeded)
        try pair.here.engine?.confirmRemovals()
        try pair.settle()
        #expect(try pair.files(pair.here).count == 51)
        #expect(activity(pair.here) == .settled)
        #expect(try pair.here.trash().count == 250)
    }

    /// Somebody else had said no, and sent all of it again: as new files in new directories.
    @Test func whatSomebodyPutBackBeforeAnAnswerIsKeptWhereItIs() throws {
        let pair = try pairWithFiles(250)
        try pair.there.makeDirectory("d/deep")
        for number in 0..<50 { try pair.there.write("deep \(number)", to: "d/deep/f\(number)") }
        try pair.settle()
        let all = try pair.files(pair.there)
        func remove(_ path: String) throws {
            for name in try pair.there.disk.asUser({ disk throws(FileError) in try disk.list(path) }) {
                let below = path + "/" + (name.name ?? "")
                if name.status?.kind == .directory { try remove(below) } else { try pair.there.remove(below) }
            }
            try pair.there.remove(path)
        }
        // There, somebody has agreed.
        pair.there.stop()
        pair.there.options.guardsRemovals = false
        try remove("d")
        try pair.there.synchronize()
        try pair.here.synchronize()
        #expect(pair.here.engine?.status.removalsToConfirm != nil)
        for (path, text) in all.sorted(by: { $0.key < $1.key }) {
            if text == "/" {
                try pair.there.makeDirectory(path)
            } else {
                try pair.there.write(text, to: path)
            }
        }
        let received = pair.here.engine?.status.counters.bytesReceived
        try pair.settle()
        #expect(pair.here.engine?.status.removalsToConfirm == nil)
        #expect(activity(pair.here) == .settled)
        #expect(try pair.files(pair.here) == all)
        #expect(try pair.here.trash().isEmpty)
        #expect(pair.here.engine?.status.counters.bytesReceived == received)
    }

    @Test func aRenamedDirectoryIsOneOperationAndMovesNoContent() throws {
        let pair = try pairWithFiles(40)
        let head = pair.server.head
        let received = pair.there.engine?.status.counters.bytesReceived
        try pair.here.move("d", to: "e")
        try pair.settle()
        #expect(pair.server.head == head + 1)
        #expect(pair.there.engine?.status.counters.bytesReceived == received)
        #expect(try pair.files(pair.there)["e/f39"] == "content 39")
    }

    @Test func anEqualFolderTransfersNothingAndRewritesNothing() throws {
        let pair = try TwoDevices()
        for device in [pair.here, pair.there] {
            try device.makeDirectory("d")
            for number in 0..<20 { try device.write("content \(number)", to: "d/f\(number)") }
        }
        func inodes() throws -> Set<FileIdentity> {
            try pair.here.disk.asUser { disk throws(FileError) in
                Set(try disk.list("d").compactMap { $0.status?.identity })
            }
        }
        let before = try inodes()
        try pair.there.synchronize()
        let head = pair.server.head
        try pair.here.synchronize()
        #expect(pair.server.head == head)
        #expect(try inodes() == before)
        #expect(pair.here.engine?.status.counters.bytesReceived == 0)
        #expect(pair.here.engine?.status.counters.downloaded == 0)
        #expect(activity(pair.here) == .settled)
    }

    // MARK: Directories that went

    /// The journal tells the newest change of each node: what was moved out of a directory before that went is
    /// told of behind it, if it was moved again.
    @Test func whatWasMovedOutOfADirectoryThatWentIsThereWithAllThatIsInIt() throws {
        let pair = try pairWithFiles(3)
        try pair.there.makeDirectory("n")
        try pair.there.move("d", to: "n/d")
        try pair.settle()
        for _ in 0..<2 {
            try pair.here.move("n/d", to: "d")
            try pair.here.synchronize()
            try pair.here.remove("n")
            try pair.here.synchronize()
            try pair.here.move("d", to: "e")
            try pair.here.synchronize()
            // The other way round for the second time.
            try pair.settle()
            for device in [pair.here, pair.there] {
                #expect(Set(try pair.files(device).keys) == ["e", "e/f0", "e/f1", "e/f2"])
            }
            #expect(pair.there.engine?.status.counters.downloaded == 0)
            try pair.there.makeDirectory("n")
            try pair.there.move("e", to: "n/d")
            try pair.settle()
        }
    }

    /// One removes directories, another one edits a file in them, and a third one sees new directories in the
    /// place of those that went, with the old file in them.
    @Test(arguments: 1...4) func directoriesThatAreMadeAgainForAnEditTakeThePlaceOfTheOldOnes(
        depth: Int
    ) throws {
        let pair = try TwoDevices()
        let third = try SimulatedDevice(
            name: "third", server: pair.server, names: .bytes, canExchange: true, clock: pair.clock,
            random: SimulationRandom(seed: 8), batch: 100)
        var directories: [String] = []
        for name in ["a", "b", "c", "d"].prefix(depth) {
            directories.append(directories.last.map { $0 + "/" + name } ?? name)
            try pair.here.makeDirectory(directories[directories.count - 1])
        }
        let file = directories[depth - 1] + "/f"
        try pair.here.write("before", to: file)
        try pair.settle()
        try third.synchronize()
        try pair.here.remove(file)
        for directory in directories.reversed() { try pair.here.remove(directory) }
        try pair.here.synchronize()
        try pair.there.write("edited", to: file)
        try pair.settle()
        for _ in 0..<3 { try third.synchronize() }
        #expect(third.engine?.status.activity == .settled)
        for device in [pair.here, pair.there, third] {
            #expect(try pair.files(device)[file] == "edited")
            #expect(try pair.files(device).count == depth + 1)
        }
    }

    // MARK: Servers that go back

    @Test func aServerFromAnOldBackupDeletesNothingAndGetsBackWhatItLost() throws {
        let pair = try pairWithFiles(3)
        let backup = pair.server.backup()
        try pair.there.write("newer", to: "d/f0")
        try pair.there.write("new", to: "d/new")
        try pair.there.makeDirectory("e")
        try pair.there.write("in e", to: "e/x")
        try pair.settle()
        let before = try pair.files(pair.here)
        pair.server.restore(backup, epoch: 2)
        try pair.settle()
        #expect(try pair.files(pair.here) == before)
        #expect(try pair.files(pair.there) == before)
        #expect(Set(pair.server.tree().keys) == Set(before.keys))
    }

    /// The number of a revision says nothing in another journal: one that others have written since the backup
    /// may be higher than that of a version which the backup does not have.
    @Test func aVersionThatARestoredServerLostIsKeptBesideWhatOthersMadeSince() throws {
        let pair = try pairWithFiles(3)
        let backup = pair.server.backup()
        try pair.here.write("lost with the server", to: "d/f0")
        try pair.here.synchronize()
        pair.server.restore(backup, epoch: 2)
        for number in 0..<5 {
            try pair.there.write("made since \(number)", to: "d/f0")
            try pair.there.synchronize()
        }
        try pair.settle()
        for device in [pair.here, pair.there] {
            let contents = try pair.files(device).values
            #expect(contents.contains("lost with the server") && contents.contains("made since 4"))
            // The directory, three files and one copy.
            #expect(contents.count == 5)
        }
    }

    @Test func aFileThatOnlyTheRestoredServerHasComesBackAndIsNotDeletedThere() throws {
        let pair = try pairWithFiles(3)
        let backup = pair.server.backup()
        try pair.there.remove("d/f1")
        try pair.settle()
        pair.server.restore(backup, epoch: 2)
        try pair.settle()
        #expect(try pair.files(pair.here)["d/f1"] == "content 1")
        #expect(try pair.files(pair.there)["d/f1"] == "content 1")
    }

    // MARK: Gone on both sides

    private func stateWithOneFile(in trees: TreeName...) throws -> (MemorySyncState, SyncNode) {
        let state = MemorySyncState(root: NodeID(bits: 1))
        let node = SyncNode(
            id: NodeID(bits: 2), parent: state.root, name: "a", kind: .file,
            content: SimulatedUser.root(of: [1]), size: 1)
        for tree in trees { state.put(node, in: tree) }
        return (state, node)
    }

    @Test func aScanForgetsWhatTheServerHasNoMore() throws {
        let (state, node) = try stateWithOneFile(in: .local, .synced)
        #expect(try ScannedTree(state).removeSubtree(node.id) == 1)
        #expect(state.states(of: node.id) == NodeStates(id: node.id, remote: nil, local: nil, synced: nil))
        let (other, same) = try stateWithOneFile(in: .remote, .local, .synced)
        #expect(try ScannedTree(other).removeSubtree(same.id) == 1)
        #expect(other.node(same.id, in: .synced) != nil, "the server is told of the removal")
    }

    @Test func theJournalForgetsWhatIsHereNoMore() throws {
        for isHere in [false, true] {
            let pair = try pairWithFiles(1)
            let id = try #require(pair.server.tree()["d/f0"]).id
            let state = pair.here.state
            if !isHere { state.base.remove(id, from: .local) }
            try pair.here.startEngine().removeRemote(id)
            #expect(state.base.node(id, in: .remote) == nil)
            #expect((state.base.node(id, in: .synced) != nil) == isHere, "what is here is removed yet")
        }
    }

    /// Whatever moment the machine stops at: once it knew that both sides had removed a file, whoever brings
    /// it back is not undone by it.
    @Test(arguments: [true, false])
    func whatBothSidesHadRemovedComesBackToStay(isRemovedHereFirst: Bool) throws {
        var cases = 0
        for transactions in 0..<40 {
            let pair = try pairWithFiles(2)
            let id = try #require(pair.server.tree()["d/f0"]).id
            try pair.there.remove("d/f0")
            try pair.there.synchronize()
            if !isRemovedHereFirst {
                pair.here.disk.set(readOnly: true)
                try pair.here.synchronize()
                pair.here.disk.set(readOnly: false)
            }
            try pair.here.remove("d/f0")
            pair.here.state.crashIn = transactions
            try pair.here.synchronize()
            let isOver = (pair.here.state.crashIn ?? -1) >= 0
            pair.here.state.crashIn = nil
            let states = pair.here.state.base.states(of: id)
            if states.remote == nil, states.local == nil {
                cases += 1
                pair.server.undelete(SimulationRandom(seed: 1), among: [id])
                try pair.settle()
                #expect(try pair.files(pair.here)["d/f0"] == "content 0", "after \(transactions)")
                #expect(try pair.files(pair.there)["d/f0"] == "content 0", "after \(transactions)")
            }
            if isOver { break }
        }
        #expect(cases > 1)
    }

    // MARK: Modes

    @Test func aPullOnlyFolderKeepsItsOwnChangesToItself() throws {
        let pair = try pairWithFiles(2) { $0.mode = .pullOnly }
        try pair.here.write("mine", to: "mine")
        try pair.here.write("edited here", to: "d/f0")
        try pair.here.remove("d/f1")
        try pair.there.write("edited there", to: "d/f0")
        try pair.there.write("new there", to: "new")
        try pair.settle()
        #expect(
            try pair.files(pair.there) == [
                "d": "/", "d/f0": "edited there", "d/f1": "content 1", "new": "new there",
            ])
        #expect(
            try pair.files(pair.here) == [
                "d": "/", "d/f0": "edited there", "d/f0 (conflict here)": "edited here", "mine": "mine",
                "new": "new there",
            ])
        #expect(activity(pair.here) == .waiting)
    }

    @Test func aPushOnlyFolderTakesNothingOver() throws {
        let pair = try pairWithFiles(2) { $0.mode = .pushOnly }
        try pair.here.write("mine", to: "mine")
        try pair.there.write("edited there", to: "d/f0")
        try pair.there.remove("d/f1")
        try pair.there.write("new there", to: "new")
        try pair.settle()
        // It takes part from the start as a sender: what was there already is not taken over either.
        #expect(try pair.files(pair.here) == ["mine": "mine"])
        #expect(try pair.files(pair.there)["mine"] == "mine")
    }
}
