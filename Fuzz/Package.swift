// swift-tools-version:6.3
import PackageDescription

let swiftSettings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

// Built by run.sh, which instruments all modules and links the runtime of libFuzzer that the toolchain has.
let package = Package(
    name: "nacre-fuzz",
    dependencies: [.package(name: "nacre", path: "..")],
    targets: [
        // The entry point of libFuzzer.
        .systemLibrary(name: "CLibFuzzer"),
        .executableTarget(
            name: "nacre-fuzz",
            dependencies: ["CLibFuzzer", .product(name: "NacreFormats", package: "nacre")],
            swiftSettings: swiftSettings),
    ],
    swiftLanguageModes: [.v6]
)
