/// A file that holds some space of the disk until the disk is full.
///
/// Opening the index, removing pins and collecting write a little before they free anything. Where others have
/// filled the disk, the space of this file is what they write into; it is taken again once there is room.
struct ReserveFile {
    static let bytes: Int64 = 2 * 1024 * 1024

    private let path: String
    private let directory: String
    private let files: any FileSystem

    init(directory: String, files: any FileSystem) {
        self.directory = directory
        path = directory + "/reserve"
        self.files = files
    }

    /// Gives the space free if the disk has less than that left.
    func releaseIfNeeded() throws {
        guard try files.availableBytes(at: directory) < Self.bytes, try files.exists(path) else { return }
        try files.remove(path)
    }

    /// Takes the space if there is plenty of it. Failing to costs nothing but the reserve.
    func take() {
        guard let available = try? files.availableBytes(at: directory), available > 64 * Self.bytes,
            (try? files.exists(path)) == false, let file = try? files.open(path, .create)
        else { return }
        if (try? file.allocate(upTo: Self.bytes)) == nil { try? files.remove(path) }
        try? file.close()
    }
}
