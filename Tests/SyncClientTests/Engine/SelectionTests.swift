import SyncProtocol
import Testing
import TreeValues

@testable import SyncClient

/// A part of a namespace here, all of it there; and what is selected changes.
@Suite struct SelectionTests {
    private let pair: TwoDevices

    init() throws {
        pair = try TwoDevices()
        for directory in ["soups", "cakes", "cakes/old"] { try pair.there.makeDirectory(directory) }
        for path in ["soups/leek", "cakes/plum", "cakes/old/tart", "notes"] {
            try pair.there.write("text of \(path)", to: path)
        }
    }

    private static let everything = [
        "soups": "/", "cakes": "/", "cakes/old": "/", "soups/leek": "text of soups/leek",
        "cakes/plum": "text of cakes/plum", "cakes/old/tart": "text of cakes/old/tart",
        "notes": "text of notes",
    ]

    private func select(_ paths: String..., ignoring ignored: String = "") {
        let rules = FolderRules(shared: ignored, selected: paths)
        pair.here.stop()
        pair.here.options.isExcluded = { rules.isExcluded($0, isDirectory: $1) }
        pair.here.options.rulesFingerprint = { rules.fingerprint }
    }

    private var isSettled: Bool {
        pair.here.engine?.status.activity == .settled && pair.here.engine?.status.pending == 0
    }

    @Test func whatIsNotSelectedIsNotWaitedFor() throws {
        select("soups")
        try pair.settle()
        #expect(try pair.files(pair.here) == ["soups": "/", "soups/leek": "text of soups/leek"])
        #expect(isSettled)
        try pair.here.write("more", to: "soups/leek")
        try pair.there.write("more", to: "cakes/plum")
        try pair.settle()
        #expect(try pair.files(pair.there)["soups/leek"] == "more" && isSettled)
    }

    @Test func whatIsSelectedLaterComes() throws {
        select("soups")
        try pair.settle()
        select("soups", "cakes/old")
        try pair.settle()
        #expect(
            try pair.files(pair.here) == [
                "soups": "/", "soups/leek": "text of soups/leek", "cakes": "/", "cakes/old": "/",
                "cakes/old/tart": "text of cakes/old/tart",
            ])
        select()
        try pair.settle()
        #expect(try pair.files(pair.here) == Self.everything && isSettled)
    }

    @Test func whatIsTakenOutStaysHereAndThere() throws {
        select()
        try pair.settle()
        select("soups")
        try pair.settle()
        #expect(try pair.files(pair.here) == Self.everything && isSettled)
        try pair.there.write("edit", to: "cakes/plum")
        try pair.settle()
        #expect(try pair.files(pair.here) == Self.everything && isSettled)
        #expect(try pair.files(pair.there)["cakes/plum"] == "edit")
    }

    /// It was taken for removed by the user once it was selected again, and was removed on the node.
    @Test func whatIsTakenOutAndRemovedHereComesBackOnceItIsSelectedAgain() throws {
        select()
        try pair.settle()
        select("soups")
        try pair.settle()
        for path in ["cakes/old/tart", "cakes/old", "cakes/plum", "cakes"] { try pair.here.remove(path) }
        try pair.settle()
        #expect(try pair.files(pair.there) == Self.everything)
        select("soups", "cakes")
        try pair.settle()
        #expect(try pair.files(pair.there) == Self.everything)
        var here = Self.everything
        here["notes"] = "text of notes"
        #expect(try pair.files(pair.here) == here && isSettled)
    }

    /// The same where a directory that is not followed was moved meanwhile.
    @Test func whatWasMovedWhileItWasNotFollowedComesWhereItIs() throws {
        select()
        try pair.settle()
        select("soups")
        try pair.settle()
        try pair.there.move("cakes", to: "baking")
        try pair.settle()
        for path in ["cakes/old/tart", "cakes/old", "cakes/plum", "cakes"] { try pair.here.remove(path) }
        select()
        try pair.settle()
        #expect(try pair.files(pair.here)["baking/old/tart"] == "text of cakes/old/tart")
        #expect(try pair.files(pair.there) == pair.files(pair.here))
    }

    @Test func whatIsIgnoredAndRemovedHereComesBackOnceItIsNotIgnored() throws {
        select()
        try pair.settle()
        select(ignoring: "cakes/")
        try pair.settle()
        for path in ["cakes/old/tart", "cakes/old", "cakes/plum", "cakes"] { try pair.here.remove(path) }
        try pair.settle()
        select()
        try pair.settle()
        #expect(try pair.files(pair.there) == Self.everything)
        #expect(try pair.files(pair.here) == Self.everything && isSettled)
    }

    /// What is not here cannot have been meant.
    @Test func aDirectoryThatIsRemovedHereKeepsWhatWasNeverHere() throws {
        select("cakes/old")
        try pair.settle()
        for path in ["cakes/old/tart", "cakes/old", "cakes"] { try pair.here.remove(path) }
        try pair.settle()
        #expect(try pair.files(pair.there)["cakes/plum"] == "text of cakes/plum")
        #expect(try pair.files(pair.there)["cakes/old"] == nil)
        #expect(try pair.files(pair.here) == ["cakes": "/"] && isSettled)
    }

    /// Edited here while it was not followed: both versions are kept.
    @Test func whatWasEditedWhileItWasNotFollowedIsKept() throws {
        select()
        try pair.settle()
        select("soups")
        try pair.settle()
        try pair.here.write("mine", to: "cakes/plum")
        try pair.there.write("theirs", to: "cakes/plum")
        try pair.settle()
        select()
        try pair.settle()
        #expect(try pair.files(pair.here)["cakes/plum"] == "theirs")
        #expect(try pair.files(pair.here)["cakes/plum (conflict here)"] == "mine")
        #expect(try pair.files(pair.there) == pair.files(pair.here))
    }
}
