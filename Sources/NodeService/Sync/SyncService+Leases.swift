import Access
import Catalog
import Namespaces
import NodeCore
public import SyncProtocol
public import TreeValues

/// Leases: what a device says of a file for a while.
extension SyncService {
    /// The leases that count.
    public func leases(of text: String) throws -> [LeaseInfo] {
        try leases(in: try namespace(text, for: .read))
    }

    func leases(in namespace: Namespace) throws -> [LeaseInfo] {
        try node.catalog.leases.list(of: namespace).map { try info($0, namespace) }
    }

    /// Takes or renews a lease: for who may change what is there, since it keeps others from that.
    ///
    /// - Parameter isRenewal: then it must be there, and keeps its mode unless another is given.
    /// - Throws: `locked` where another device has it, `unknown_node`, `unknown_lease`, `bad_request`,
    ///   `forbidden`.
    public func lease(
        _ request: LeaseRequest, _ node: NodeID, isRenewal: Bool = false, of text: String
    ) throws -> LeaseInfo {
        let namespace = try changeable(text)
        guard !device.isEmpty else {
            throw SyncFailure.badRequest("a lease is a device's: X-Device-Id says which")
        }
        guard let found = try namespaces.node(node, in: namespace), !found.isDeleted else {
            throw SyncFailure.unknownNode(node.text)
        }
        let holder = try leaseHolder(device)
        let known = try self.node.catalog.leases.list(of: namespace).first {
            $0.node == node && $0.isOf(holder, in: deviceProject)
        }
        if isRenewal, known == nil { throw SyncFailure.unknownLease(node.text) }
        guard let mode = Lease.Mode(rawValue: request.mode ?? known?.mode.rawValue ?? "advisory") else {
            throw SyncFailure.badRequest("mode is advisory or exclusive")
        }
        let time = self.node.catalog.leases.currentTime
        do {
            return try info(
                try self.node.catalog.leases.take(
                    Lease(
                        namespace: namespace.number, node: node, project: deviceProject, device: holder,
                        mode: mode, created: time, expires: time + Int64(request.seconds) * 1000)),
                namespace)
        } catch CatalogError.leaseTaken(let other) {
            throw SyncFailure.refused(
                code: .locked, message: "\(try holderName(other, in: namespace)) has a lease of it")
        } catch let error as CatalogError {
            guard case .tooManyLeases = error else { throw error }
            throw SyncFailure.badRequest(error.description)
        }
    }

    /// Ends one's own lease; who administers the namespace ends any.
    ///
    /// - Throws: `unknown_lease`.
    public func endLease(_ node: NodeID, of text: String) throws {
        let namespace = try namespace(text, for: .write)
        let leases = self.node.catalog.leases
        let holder = try leaseHolder(device)
        if try leases.end(of: node, in: namespace, project: deviceProject, device: holder) > 0 { return }
        let resource = namespace.resource
        guard principal.mayPerform(.admin, on: resource),
            try leases.end(of: node, in: namespace, project: deviceProject, device: nil) > 0
        else { throw SyncFailure.unknownLease(node.text) }
    }

    /// The exclusive leases of other devices.
    func foreignLocks(in namespace: Namespace) throws -> [NodeID: Lease] {
        let holder = try leaseHolder(device)
        let locks = try node.catalog.leases.list(of: namespace).filter {
            $0.mode == .exclusive && !$0.isOf(holder, in: deviceProject)
        }
        return Dictionary(locks.map { ($0.node, $0) }) { first, _ in first }
    }

    /// What a change is refused with that a lease is in the way of.
    func locked(_ lease: Lease, _ namespace: Namespace) throws -> SyncFailure {
        let seconds = max(1, (lease.expires - node.catalog.leases.currentTime) / 1000)
        return .refused(
            code: .locked,
            message: "\(try holderName(lease.device, in: namespace)) works on it, for \(seconds) s at most")
    }

    private func info(_ lease: Lease, _ namespace: Namespace) throws -> LeaseInfo {
        let id = Self.device(ofLeaseHolder: lease.device)
        let name = try holderName(lease.device, in: namespace)
        return LeaseInfo(
            node: lease.node, path: try namespaces.path(of: lease.node, in: namespace), device: id,
            deviceName: name == id ? nil : name,
            mode: lease.mode.rawValue, expires: lease.expires,
            isOwn: lease.isOf(try leaseHolder(device), in: deviceProject))
    }

    private func holderName(_ holder: String, in namespace: Namespace) throws -> String {
        try deviceName(Self.device(ofLeaseHolder: holder), in: namespace)
    }
}
