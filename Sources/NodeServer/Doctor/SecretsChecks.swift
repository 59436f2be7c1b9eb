import Glibc
import NodeCore

/// `secrets/`: for its owner only.
struct SecretsChecks {
    let directory: String

    func findings() -> [Finding] {
        let secrets = directory + "/secrets"
        guard access(secrets, F_OK) == 0 else { return [] }
        let names = [""] + ["master-key", "admin-token", "node-key"].map { "/" + $0 }
        let open = names.filter { name in
            var status = stat()
            return lstat(secrets + name, &status) == 0 && status.st_mode & 0o077 != 0
        }
        guard open.isEmpty else {
            return [
                .fail(
                    "secrets", "others can read " + open.map { secrets + $0 }.joined(separator: ", "),
                    advice: "chmod go= \(secrets) \(secrets)/*, and think of what was in it as known to them")
            ]
        }
        guard access(secrets + "/admin-token", F_OK) == 0 else {
            return [.ok("secrets", "readable by their owner only")]
        }
        return [
            .ok("secrets", "readable by their owner only; the first administrator's token is still there")
        ]
    }
}
