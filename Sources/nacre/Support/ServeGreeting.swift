import Access
import Catalog
import Foundation
import NodeCore
import NodeServer
import SyncAgent

/// What somebody who starts a node in a terminal wants to know: where it is, what to open, what to type.
struct ServeGreeting {
    /// `http` or `https`.
    let scheme: String
    let address: ListenAddress
    let node: StorageNode

    /// Whether somebody asked for it: then it is printed wherever standard error leads.
    let isAskedFor: Bool

    /// Prints it to a terminal, or where it was asked for; logs of services stay free of it.
    func print() {
        guard Terminal.isErrorTerminal || isAskedFor else { return }
        var lines = [("", ""), ("Nacre serves", url), ("", "")]
        if let pin = newestPublicPin {
            lines.append(("open", "\(url)/ipfs/\(pin.root)/"))
        }
        let token = node.directory + "/" + Authority.directoryName + "/admin-token"
        if FileManager.default.fileExists(atPath: token) { lines.append(("admin key", token)) }
        lines.append(("data", node.directory))
        lines += [
            ("add a file", "\(command) add FILE, in another terminal"),
            ("look", "\(command) doctor"), ("stop", "Ctrl-C"), ("", ""),
        ]
        for (label, text) in lines {
            Terminal.note(label.isEmpty ? "" : "  " + Columns.padded(label, 14) + text)
        }
    }

    /// How this program is to be called so that it finds the same directory.
    private var command: String {
        let program = CommandLine.arguments.first ?? "nacre"
        let isDefault =
            node.directory
            == GlobalOptions.defaultDirectory(
                Environment.current.filter { $0.key != "NACRE_DATA" })
        return isDefault ? program : program + " --data " + ShellText.quoted(node.directory)
    }

    /// A failure to list is no reason not to serve.
    private var newestPublicPin: Pin? {
        var filter = PinFilter()
        filter.visibility = .public
        return try? node.catalog.pins.list(filter, limit: 1).pins.first
    }

    /// As it can be opened on this machine.
    private var url: String {
        let host = ["0.0.0.0": "127.0.0.1", "::": "::1"][address.host] ?? address.host
        return "\(scheme)://\(ListenAddress(host: host, port: address.port))"
    }
}
