// swift-tools-version:6.3
import PackageDescription

/// Swift 6 mode everywhere; the upcoming features make every import say who sees it.
let swiftSettings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

let package = Package(
    name: "nacre",
    products: [
        .executable(name: "nacre", targets: ["nacre"]),
        .library(  // for the package of benchmarks
            name: "NacreModules",
            targets: [
                "Multiformats", "Digests", "CSHA256", "IPLD", "UnixFS", "CAR", "BlockStorage", "TreeValues",
                "Catalog", "Namespaces",
            ]),
        .library(  // for the package of fuzzers
            name: "NacreFormats", targets: ["Multiformats", "Digests", "IPLD", "UnixFS", "CAR", "IPNS"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types.git", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras.git", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-http2.git", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.6"),
        .package(url: "https://github.com/groue/GRDB.swift.git", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
        .package(url: "https://github.com/swift-server/async-http-client.git", from: "1.37.0"),
        .package(url: "https://github.com/LebJe/TOMLKit.git", from: "0.6.0"),
    ],
    targets: [
        // Layer 0, values: no I/O, no async, no Foundation.
        .target(  // varint, multibase, codes, multihash, CID
            name: "Multiformats", swiftSettings: swiftSettings),
        .target(  // ids and kinds of nodes of trees, numbers of journal entries
            name: "TreeValues", swiftSettings: swiftSettings),

        // Layer 1, formats: bytes to values and back, streaming, no I/O.
        .target(  // SHA-256 kernels
            name: "CSHA256", cSettings: [.unsafeFlags(["-O3", "-Wall", "-Wextra", "-Werror"])]),
        .systemLibrary(name: "CGcrypt", pkgConfig: "libgcrypt", providers: [.apt(["libgcrypt20-dev"])]),
        .target(  // real implementations of the hash functions
            name: "Digests", dependencies: ["Multiformats", "CSHA256", "CGcrypt"],
            swiftSettings: swiftSettings),
        .target(  // blocks, codecs, paths, walking
            name: "IPLD", dependencies: ["Multiformats"], swiftSettings: swiftSettings),
        .target(  // the loop of content-defined chunking that runs over every byte, in AVX-512
            name: "CChunking", cSettings: [.unsafeFlags(["-O3", "-Wall", "-Wextra", "-Werror"])]),
        .target(  // chunkers, layouts, directories, HAMT, reading
            name: "UnixFS", dependencies: ["Multiformats", "IPLD", "Digests", "CChunking"],
            swiftSettings: swiftSettings),
        .target(  // CARv1 and CARv2, indexes
            name: "CAR", dependencies: ["Multiformats", "IPLD", "Digests"],
            swiftSettings: swiftSettings),
        .target(  // keys and names of peers, signed records
            name: "IPNS",
            dependencies: [
                "Multiformats", "IPLD", .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
            ],
            swiftSettings: swiftSettings),

        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .target(  // bodies packed for their way: gzip, zstd
            name: "ContentCoding", dependencies: ["CZlib", "CZstd"], swiftSettings: swiftSettings),
        .target(  // what sync clients and nodes say to each other, in CBOR and JSON
            name: "SyncProtocol", dependencies: ["Multiformats", "TreeValues", "IPLD"],
            swiftSettings: swiftSettings),

        // Layer 2, storage: the only modules that own bytes on disk.
        .systemLibrary(name: "CLinux"),  // system calls behind _GNU_SOURCE
        .systemLibrary(name: "CResolver"),  // the system's DNS resolver
        .systemLibrary(name: "CRocksDB", pkgConfig: "rocksdb", providers: [.apt(["librocksdb-dev"])]),
        .target(  // block store: packs, index, recovery, scrub, compaction
            name: "BlockStorage",
            dependencies: ["Multiformats", "Digests", "IPLD", "CAR", "CLinux", "CRocksDB"],
            swiftSettings: swiftSettings),
        .systemLibrary(name: "CPostgreSQL", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .target(  // SQL database: what is named, what is kept
            name: "Catalog",
            dependencies: [
                "Multiformats", "TreeValues", "CPostgreSQL", .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ],
            swiftSettings: swiftSettings),

        // Layer 3, use cases.
        .target(  // users, grants, sessions: who may do what
            name: "Access",
            dependencies: [
                "Multiformats", "TreeValues", "Catalog", .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
            ],
            swiftSettings: swiftSettings),
        .target(  // journaled trees: changes, history, snapshots
            name: "Namespaces",
            dependencies: ["Catalog", "BlockStorage", "IPLD", "UnixFS", "Multiformats", "TreeValues"],
            swiftSettings: swiftSettings),
        .target(  // data directory, add, read, pin, collect garbage, verify
            name: "NodeCore",
            dependencies: [
                "Multiformats", "Digests", "IPLD", "UnixFS", "CAR", "IPNS", "BlockStorage", "Catalog",
                "Namespaces", "TreeValues", "CResolver", "CZlib",
                .product(name: "TOMLKit", package: "TOMLKit"),
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: swiftSettings),

        .target(  // what a node can be asked and answers, for both ends
            name: "NodeMessages", dependencies: ["NodeCore", "BlockStorage", "IPLD", "Multiformats"],
            swiftSettings: swiftSettings),
        .target(  // an open node as one principal may use it, and its background work
            name: "NodeService",
            dependencies: [
                "NodeMessages", "NodeCore", "Access", "Catalog", "BlockStorage", "CAR", "Digests", "IPLD",
                "IPNS", "Multiformats", "Namespaces", "SyncProtocol", "TreeValues", "UnixFS",
            ],
            swiftSettings: swiftSettings),

        .target(  // a folder that is kept equal with a namespace
            name: "SyncClient",
            dependencies: [
                "SyncProtocol", "TreeValues", "Multiformats", "Digests", "IPLD", "UnixFS", "CLinux",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ],
            swiftSettings: swiftSettings),

        // Layer 4, edges: one module per door, none imports another.
        .target(  // requests, answers, ranges, conditions, media types; no sockets
            name: "HTTPSupport", dependencies: [.product(name: "HTTPTypes", package: "swift-http-types")],
            swiftSettings: swiftSettings),
        .target(  // the IPFS gateway
            name: "GatewayAPI",
            dependencies: [
                "HTTPSupport", "NodeCore", "Multiformats", "IPLD", "UnixFS", "CAR", "IPNS", "Catalog",
                "Namespaces", "TreeValues", "BlockStorage",
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ],
            swiftSettings: swiftSettings),

        .target(  // the API of the node
            name: "NodeAPI",
            dependencies: [
                "HTTPSupport", "NodeMessages", "NodeService", "NodeCore", "Access", "Catalog", "BlockStorage",
                "CAR", "Digests", "IPLD", "IPNS", "Multiformats", "UnixFS",
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ],
            swiftSettings: swiftSettings),

        .target(  // the sync protocol over HTTP
            name: "SyncAPI",
            dependencies: [
                "HTTPSupport", "ContentCoding", "SyncProtocol", "NodeMessages", "NodeService", "NodeCore",
                "Access", "Namespaces", "TreeValues", "CAR", "IPLD", "Multiformats",
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ],
            swiftSettings: swiftSettings),

        .target(  // a node elsewhere, through its API
            name: "NodeClient",
            dependencies: [
                "NodeMessages", "NodeCore", "BlockStorage", "CAR", "Digests", "IPLD", "Multiformats",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOFoundationCompat", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            swiftSettings: swiftSettings),

        .target(  // the folders of a user, kept equal with namespaces of nodes elsewhere
            name: "SyncAgent",
            dependencies: [
                "SyncClient", "SyncProtocol", "ContentCoding", "TreeValues", "CAR", "IPLD", "Multiformats",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOFoundationCompat", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            swiftSettings: swiftSettings),

        // Layer 5, composition.
        .target(  // the running node: sockets, routes, limits, lifecycle
            name: "NodeServer",
            dependencies: [
                "NodeAPI", "NodeMessages", "NodeService", "SyncAPI", "SyncProtocol", "Namespaces",
                "Access", "HTTPSupport", "GatewayAPI", "NodeCore", "Multiformats", "Digests", "IPNS",
                "BlockStorage", "Catalog", "CLinux",
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP2", package: "swift-nio-extras"),
                .product(name: "NIOHTTP2", package: "swift-nio-http2"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOTLS", package: "swift-nio"),
            ],
            swiftSettings: swiftSettings),
        .executableTarget(  // parse arguments, call one function, print
            name: "nacre",
            dependencies: [
                "NodeCore", "Access", "Multiformats", "Digests", "IPLD", "UnixFS", "CAR", "IPNS",
                "BlockStorage",
                "Catalog", "CLinux", "NodeServer", "GatewayAPI", "NodeMessages", "NodeService", "NodeClient",
                "SyncAgent", "SyncClient", "SyncProtocol", "TreeValues", "Namespaces",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: swiftSettings),

        // Tests mirror the sources; TestKit is the one helper library.
        .target(
            name: "TestKit",
            dependencies: ["Multiformats", "Digests", "IPLD", "BlockStorage"],
            path: "Tests/TestKit",
            // Random bytes and simulated disks at full speed, also where the code under test is a debug
            // build.
            swiftSettings: swiftSettings + [.unsafeFlags(["-O"])]),
        .testTarget(
            name: "TestKitTests",
            dependencies: ["TestKit", "Multiformats", "Digests", "IPLD", "BlockStorage"],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "NodeServiceTests",
            dependencies: [
                "NodeService", "NodeMessages", "NodeCore", "Access", "Catalog", "BlockStorage", "Digests",
                "IPLD", "Multiformats", "Namespaces", "SyncProtocol", "TreeValues", "UnixFS", "TestKit",
            ],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "HTTPSupportTests", dependencies: ["HTTPSupport", "TestKit"], swiftSettings: swiftSettings),
        .testTarget(
            name: "GatewayAPITests",
            dependencies: [
                "GatewayAPI", "HTTPSupport", "NodeCore", "Catalog", "Namespaces", "Digests", "IPNS",
                "BlockStorage", "CAR", "UnixFS", "IPLD", "Multiformats", "TestKit",
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "MultiformatsTests", dependencies: ["Multiformats", "TestKit"], swiftSettings: swiftSettings
        ),
        .target(  // the SHA-NI kernel on emulated instructions
            name: "CSHA256Emulated", dependencies: ["CSHA256"], path: "Tests/CSHA256Emulated",
            cSettings: [.unsafeFlags(["-O2", "-Wall", "-Wextra", "-Werror"])]),
        .testTarget(
            name: "DigestsTests",
            dependencies: [
                "Digests", "CSHA256", "CSHA256Emulated", "Multiformats", "TestKit",
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "IPLDTests", dependencies: ["IPLD", "Multiformats", "Digests", "TestKit"],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "UnixFSTests",
            dependencies: ["UnixFS", "CChunking", "IPLD", "Multiformats", "Digests", "CGcrypt", "TestKit"],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "CARTests", dependencies: ["CAR", "IPLD", "Multiformats", "Digests", "TestKit"],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "ContentCodingTests", dependencies: ["ContentCoding", "TestKit"],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "SyncProtocolTests",
            dependencies: ["SyncProtocol", "TreeValues", "IPLD", "Multiformats", "Digests", "TestKit"],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "IPNSTests",
            dependencies: [
                "IPNS", "IPLD", "Multiformats", "TestKit", .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
            ],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "BlockStorageTests",
            dependencies: ["BlockStorage", "CAR", "IPLD", "Multiformats", "Digests", "TestKit"],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "CatalogTests", dependencies: ["Catalog", "Multiformats", "TestKit"],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "NamespacesTests",
            dependencies: [
                "Namespaces", "Catalog", "BlockStorage", "Digests", "IPLD", "UnixFS", "Multiformats",
                "TreeValues", "TestKit",
            ],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "AccessTests", dependencies: ["Access", "Catalog", "Multiformats", "TestKit"],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "NodeCoreTests",
            dependencies: [
                "NodeCore", "BlockStorage", "Catalog", "Namespaces", "TreeValues", "UnixFS", "CAR", "IPNS",
                "IPLD", "Multiformats", "Digests", "TestKit",
            ],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "NodeServerTests",
            dependencies: [
                "NodeServer", "NodeService", "GatewayAPI", "NodeCore", "HTTPSupport", "Access",
                "BlockStorage", "ContentCoding", "SyncAPI", "SyncAgent", "SyncClient",
                "Catalog", "CAR", "IPLD", "Namespaces", "SyncProtocol", "TreeValues", "UnixFS", "Digests",
                "Multiformats", "TestKit",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
            ],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "SyncClientTests",
            dependencies: [
                "SyncClient", "SyncProtocol", "TreeValues", "Digests", "IPLD", "UnixFS", "Multiformats",
                .product(name: "GRDB", package: "GRDB.swift"),
            ],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "LayeringTests", dependencies: ["TestKit"], swiftSettings: swiftSettings),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "nacre", "Multiformats", "Digests", "CAR", "IPLD", "UnixFS", "Catalog", "TestKit",
            ],
            swiftSettings: swiftSettings),
    ],
    swiftLanguageModes: [.v6]
)
