/// Who may import whom, and why not.
///
/// The layers are those of `ARCHITECTURE.md`. A module that is not listed fails the tests: whoever adds
/// one decides here what it may see.
enum LayerTable {
    struct Module {
        let layer: Int
        let allowed: Set<String>
        /// Why anything else is refused: the end of the sentence "A imports B: …".
        let reason: String
    }

    static let modules: [String: Module] = [
        "Multiformats": Module(
            layer: 0, allowed: [], reason: "values stand at the bottom and depend on nothing"),
        "TreeValues": Module(
            layer: 0, allowed: ["Synchronization"], reason: "values stand at the bottom and depend on nothing"
        ),
        "Digests": Module(
            layer: 1, allowed: ["Multiformats", "CSHA256", "CGcrypt"],
            reason: "hash functions turn bytes into digests and do no I/O"),
        "IPLD": Module(
            layer: 1, allowed: ["Multiformats", "Digests"],
            reason: "formats do no I/O, and codecs know no files and no archives"),
        "UnixFS": Module(
            layer: 1, allowed: ["Multiformats", "Digests", "IPLD", "CChunking"],
            reason: "formats do no I/O; blocks come from a BlockSource and go to a closure"),
        "CAR": Module(
            layer: 1, allowed: ["Multiformats", "Digests", "IPLD"],
            reason: "formats do no I/O; an archive holds blocks of any codec, so it knows none"),
        "IPNS": Module(
            layer: 1, allowed: ["Multiformats", "IPLD", "Crypto", "CryptoExtras"],
            reason: "records are bytes and keys; who keeps them, and where, is not their matter"),
        "ContentCoding": Module(
            layer: 1, allowed: ["CZlib", "CZstd"],
            reason: "bodies are packed and unpacked whatever they say, and whoever sends them"),
        "SyncProtocol": Module(
            layer: 1, allowed: ["Multiformats", "TreeValues", "IPLD"],
            reason: "messages turn into bytes and back, whoever sends them"),
        "BlockStorage": Module(
            layer: 2, allowed: ["Multiformats", "Digests", "IPLD", "CAR", "CRocksDB", "CLinux"],
            reason: "a store keeps bytes by multihash and knows neither files nor the catalog"),
        "Catalog": Module(
            layer: 2, allowed: ["Multiformats", "TreeValues", "CPostgreSQL", "GRDB", "GRDBSQLite"],
            reason: "rows never hold block-level references; the catalog knows roots by CID only"),
        "Access": Module(
            layer: 3, allowed: ["Multiformats", "TreeValues", "Catalog", "Crypto", "CryptoExtras"],
            reason: "who may do what is decided without HTTP, without SQL and without blocks"),
        "Namespaces": Module(
            layer: 3,
            allowed: [
                "Catalog", "BlockStorage", "IPLD", "UnixFS", "Multiformats", "TreeValues", "Foundation",
                "Synchronization",
            ],
            reason: "trees are rows and blocks of any store; whose a store is, and who asks, is for others"),
        "NodeCore": Module(
            layer: 3,
            allowed: [
                "Multiformats", "Digests", "IPLD", "UnixFS", "CAR", "IPNS", "BlockStorage", "Catalog",
                "Namespaces", "TreeValues", "CSHA256", "CResolver", "CZlib", "Crypto", "TOMLKit",
            ],
            reason: "use cases know what is below them, no command line, no HTTP, no SQL library"),
        "HTTPSupport": Module(
            layer: 4, allowed: ["HTTPTypes"],
            reason: "requests and answers are values; sockets belong to the server"),
        "NodeMessages": Module(
            layer: 3, allowed: ["Multiformats", "IPLD", "BlockStorage", "NodeCore"],
            reason: "what both ends say to each other knows neither of them"),
        "NodeService": Module(
            layer: 3,
            allowed: [
                "Multiformats", "Digests", "IPLD", "UnixFS", "CAR", "IPNS", "BlockStorage", "Catalog",
                "NodeCore", "Namespaces", "Access", "NodeMessages", "SyncProtocol", "TreeValues",
            ],
            reason: "what a principal may use of a node is decided without HTTP"),
        "SyncClient": Module(
            layer: 3,
            allowed: [
                "SyncProtocol", "TreeValues", "Multiformats", "Digests", "IPLD", "UnixFS", "CLinux", "GRDB",
                "GRDBSQLite", "Foundation", "Synchronization",
            ],
            reason: "a folder knows its server and its disk as protocols, so that a simulator stands in"),
        "SyncAgent": Module(
            layer: 4,
            allowed: [
                "SyncClient", "SyncProtocol", "ContentCoding", "TreeValues", "CAR", "IPLD", "Multiformats",
                "AsyncHTTPClient",
                "NIOCore", "NIOFoundationCompat", "NIOHTTP1", "NIOPosix", "NIOSSL",
            ],
            reason: "connections, threads and the control socket; what is done about a file is the client's"),
        "SyncAPI": Module(
            layer: 4,
            allowed: [
                "Access", "HTTPSupport", "HTTPTypes", "ContentCoding", "SyncProtocol", "NodeMessages",
                "NodeService", "NodeCore", "TreeValues", "Namespaces", "CAR", "IPLD", "Multiformats",
            ],
            reason: "edges stay independent so that either can be switched off"),
        "NodeAPI": Module(
            layer: 4,
            allowed: [
                "Multiformats", "Digests", "IPLD", "UnixFS", "CAR", "IPNS", "BlockStorage", "Catalog",
                "NodeCore",
                "Access", "NodeMessages", "NodeService", "HTTPSupport", "HTTPTypes",
            ],
            reason: "edges stay independent of one another and of sockets, so that each can be switched off"),
        "NodeClient": Module(
            layer: 4,
            allowed: [
                "Multiformats", "Digests", "IPLD", "CAR", "BlockStorage", "NodeCore", "NodeMessages",
                "AsyncHTTPClient", "NIOCore", "NIOFoundationCompat", "NIOHTTP1", "NIOPosix", "NIOSSL",
            ],
            reason: "a client knows what is said, not how the other end does it"),
        "GatewayAPI": Module(
            layer: 4,
            allowed: [
                "HTTPSupport", "HTTPTypes", "Catalog", "Namespaces", "TreeValues", "NodeCore", "Multiformats",
                "IPLD", "UnixFS", "CAR", "IPNS", "BlockStorage",
            ],
            reason: "edges stay independent of one another and of sockets, so that each can be switched off"),
        "NodeServer": Module(
            layer: 5,
            allowed: [
                "Access", "HTTPSupport", "GatewayAPI", "NodeCore", "Multiformats", "Digests", "IPNS",
                "BlockStorage", "Catalog", "HTTPTypes",
                "HummingbirdCore",
                "Logging", "NIOCore", "NIOPosix", "NIOHTTP1", "NIOHTTP2", "NIOHTTPTypes", "NIOHTTPTypesHTTP1",
                "NIOHTTPTypesHTTP2",
                "NIOSSL", "NIOTLS", "ServiceLifecycle", "NodeAPI", "NodeMessages", "NodeService",
                "Namespaces", "SyncAPI", "SyncProtocol", "Synchronization",
            ],
            reason: "the server wires doors to sockets and decides nothing about content"),
        "nacre": Module(
            layer: 5,
            allowed: [
                "Multiformats", "Digests", "IPLD", "UnixFS", "CAR", "IPNS", "BlockStorage", "Catalog",
                "NodeCore", "Access", "NodeServer", "GatewayAPI", "ArgumentParser", "Logging",
                "NodeMessages", "NodeService", "NodeClient", "Namespaces", "SyncAgent", "SyncClient",
                "SyncProtocol",
                "TreeValues", "ServiceLifecycle", "UnixSignals",
            ],
            reason: "the executable parses arguments, calls the core, and prints"),
    ]

    /// Modules of the toolchain and the system that any layer may import.
    static let everywhere: Set<String> = ["Swift", "Synchronization", "Builtin"]

    /// Modules of the system that reach a disk or the world outside: from layer 2 on.
    static let fromLayer2: Set<String> = [
        "Glibc", "Musl", "Darwin", "Foundation", "FoundationEssentials", "Dispatch",
    ]

    /// Single files that import more than their layer allows, and what for.
    static let exceptions: [String: Set<String>] = [
        "Sources/nacre/Nacre.swift": ["CLinux"],  // settings of malloc for the whole process
        "Sources/NodeServer/HotAnswers/MemoryFile.swift": ["CLinux"],  // files that are nowhere but in memory
        "Sources/NodeServer/Doctor/DataDirectoryChecks.swift": ["CLinux"],  // whether space can be reserved
        "Sources/NodeServer/Doctor/MachineChecks.swift": ["CLinux"],  // whether the clock is kept right
    ]
}
