public import BlockStorage
import Testing

/// A power cut after every operation of a workload, in every variant.
///
/// Runs the workload once on a recording file system, builds each disk that a power cut could leave, opens
/// the store on it, and asks: is everything there that was acknowledged, and nothing half there?
///
/// - Parameters:
///   - seed: of the torn and reordered variants.
///   - base: the file system under the recording one.
///   - root: the directory that the store is in. What is in it at the beginning counts as durable.
///   - stride: builds the disk after every so many operations only; all of them in the full test.
///   - work: opens a store on the file system, works on it, tells the ledger. It may leave the store open.
///   - reopen: opens the store on the image that stands in a directory of the real disk, checks it as
///     thoroughly as it can, and returns it.
/// - Returns: how many images were opened.
@discardableResult
public func checkCrashSafety<Store: BlockStore>(
    seed: UInt64, base: any FileSystem, root: String, stride: Int = 1,
    work: (RecordingFileSystem, StoreLedger) throws -> Void,
    reopen: (CrashImage, String) throws -> Store
) throws -> Int {
    let recording = try RecordingFileSystem(base: base, root: root)
    let ledger = StoreLedger(clock: { recording.operationCount })
    try work(recording, ledger)
    var images = 0
    let offset = Int(seed % UInt64(stride))
    let variants = { (count: Int) -> [CrashVariant] in
        guard count % stride == offset || count == recording.operationCount else { return [] }
        return RecordingFileSystem.allVariants(seed: seed &* 1_000_003 &+ UInt64(count))
    }
    try recording.forEachImage(variants: variants) { image in
        let directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        try image.materialize(at: directory.path)
        do {
            let store = try reopen(image, directory.path)
            let complaints = ledger.complaints(about: store, at: image.operationCount)
            if !complaints.isEmpty { Issue.record("\(image), seed \(seed): \(complaints.prefix(3))") }
        } catch {
            Issue.record("\(image), seed \(seed): \(error)")
        }
        images += 1
    }
    return images
}

/// A fault at every call of a workload, until it passes without one.
///
/// For every n the workload runs on a new directory whose n-th call fails; then the store is opened again
/// on a healthy disk. Every error must be one that `isTyped` knows; what was acknowledged must be there.
///
/// - Parameters:
///   - base: the file system under the faulty one.
///   - step: tries every so many calls only.
///   - work: opens a store on the file system, works on it, tells the ledger. Throws what the store throws.
///   - reopen: opens the store in the directory on a healthy disk, checks it, and returns it.
/// - Returns: how many faults were tried.
@discardableResult
public func checkFaultSafety<Store: BlockStore>(
    base: any FileSystem, kinds: [FaultyFileSystem.Kind] = FaultyFileSystem.Kind.allCases, step: Int = 1,
    isTyped: (any Error) -> Bool,
    work: (FaultyFileSystem, String, StoreLedger) throws -> Void,
    reopen: (String, StoreLedger) throws -> Store
) throws -> Int {
    var tried = 0
    for kind in kinds {
        for staysBroken in [false, true] {
            var call = 0
            while true {
                let directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
                let plan = FaultyFileSystem.Plan(call: call, kind: kind, staysBroken: staysBroken)
                let system = FaultyFileSystem(base: base, plan: plan)
                let ledger = StoreLedger()
                do {
                    try work(system, directory.path, ledger)
                } catch {
                    if !isTyped(error) { Issue.record("\(plan): untyped error \(type(of: error)): \(error)") }
                    if system.faults == 0 { Issue.record("\(plan): failed without a fault: \(error)") }
                }
                let place = "\(plan): \(system.log.dropFirst(call).first ?? "no such call")"
                do {
                    let complaints = ledger.complaints(about: try reopen(directory.path, ledger))
                    if !complaints.isEmpty { Issue.record("\(place): \(complaints.prefix(3))") }
                } catch {
                    Issue.record("\(place): cannot be opened again: \(error)")
                }
                if system.faults == 0 { break }
                tried += 1
                call += step
            }
        }
    }
    return tried
}
