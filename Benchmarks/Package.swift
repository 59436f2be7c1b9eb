// swift-tools-version:6.3
import PackageDescription

let swiftSettings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

let package = Package(
    name: "nacre-benchmarks",
    dependencies: [.package(name: "nacre", path: "..")],
    targets: [
        // OpenSSL, to compare hashing with.
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        // Clock, memory, medians, the report.
        .target(name: "Harness", swiftSettings: swiftSettings),
        .executableTarget(
            name: "nacre-bench",
            dependencies: ["Harness", "COpenSSL", .product(name: "NacreModules", package: "nacre")],
            swiftSettings: swiftSettings),
    ],
    swiftLanguageModes: [.v6]
)
