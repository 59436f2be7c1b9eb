import Catalog
import Testing

@testable import NodeService

@Suite struct UnnamedBytesTests {
    private let hour: Int64 = 3600 * 1000

    @Test func whatCameIsCountedUntilItIsNamedOrADayOld() throws {
        let namespace = try NamespaceID(text: "00000000000000000000000001")
        let other = try NamespaceID(text: "00000000000000000000000002")
        var bytes = UnnamedBytes()
        func add(_ count: Int64, hours: Int64) -> Bool {
            bytes.add(count, to: namespace, limit: 100, at: hours * hour)
        }
        let results = [add(60, hours: 1), add(40, hours: 2), add(1, hours: 3)]
        #expect(results == [true, true, false])
        let elsewhere = bytes.add(100, to: other, limit: 100, at: hour)
        #expect(elsewhere)
        bytes.name(70, in: namespace)
        let after = [add(70, hours: 3), add(1, hours: 4)]
        #expect(after == [true, false])
        let nextDay = [add(30, hours: 26), add(1, hours: 26), add(70, hours: 27)]
        #expect(nextDay == [true, false, true])
        bytes.name(.max, in: namespace)
        let everything = add(100, hours: 28)
        #expect(everything)
    }
}
