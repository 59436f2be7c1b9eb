import CSHA256

/// The ways in which SHA-256 can be computed here.
public enum SHA256Kernels {
    /// The one in use for many messages: `avx512`, `shani`, `avx2` or `portable`.
    public static var best: String { String(cString: nacre_sha256_kernel_name()) }
}
