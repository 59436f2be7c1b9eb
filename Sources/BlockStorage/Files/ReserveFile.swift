/// A file that holds some space of the disk until the disk is full.
///
/// Opening the index and the catalog, removing pins and collecting write a little before they free anything.
/// Where others have filled the disk, the space of this file is what they write into. It is taken again once
/// there is room, and a part of it at once: a node that is started again and again on a disk that stays full
/// starts, and serves what it has.
struct ReserveFile {
    static let bytes: Int64 = 8 * 1024 * 1024
    /// What opening may need, and some changes after it.
    static let needed: Int64 = 2 * 1024 * 1024

    private let path: String
    private let directory: String
    private let files: any FileSystem

    init(directory: String, files: any FileSystem) {
        self.directory = directory
        path = directory + "/reserve"
        self.files = files
    }

    /// Gives the space free if the disk has too little left to open what is here.
    func releaseIfNeeded() throws {
        guard try files.availableBytes(at: directory) < Self.needed, try files.exists(path) else { return }
        try files.remove(path)
    }

    /// Takes the space if there is plenty of it, and a part of what is left if there is not. Failing to costs
    /// nothing but the reserve.
    func take() {
        guard let available = try? files.availableBytes(at: directory) else { return }
        let isThere = (try? files.exists(path)) ?? true
        let isPlenty = available > 4 * Self.bytes
        guard isPlenty || !isThere,
            let file = try? files.open(path, isThere ? .update : .create)
        else { return }
        if (try? file.allocate(upTo: isPlenty ? Self.bytes : min(Self.bytes, available / 2))) == nil, !isThere
        {
            try? files.remove(path)
        }
        try? file.close()
    }
}
