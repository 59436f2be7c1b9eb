import Access
import HTTPSupport
import HTTPTypes
import NodeCore
import NodeService
import SyncAPI
import SyncProtocol

extension Doorkeeper {
    /// Lets a call of the sync protocol in, or says why not. What it may do is asked namespace by
    /// namespace; how often and how much is counted here.
    func admit(
        _ request: DoorRequest, _ route: SyncRoute, to node: StorageNode, _ hub: SyncHub,
        _ rates: DeviceRates.Limits
    ) throws(RefusedRequest) -> SyncService {
        var facts = RequestFacts(
            source: IPAddress(request.remoteAddress), referrer: request.fields[.referer])
        // Files that sync have no type: then it is this one, RFC 9110 section 8.3.
        facts.contentType = "application/octet-stream"
        do {
            if route.requirement != .nothing, case .signedURL = credentials(of: request) {
                throw SyncFailure.signedURL
            }
            let authorizer = authority.authorizer
            guard route.requirement != .nothing else {
                // Nobody yet, who comes from somewhere.
                let stranger = try authorizer.principal(for: .none, facts)
                return SyncService(node, as: stranger, hub: hub, rates: rates)
            }
            let principal = try self.principal(of: request, authorizer, facts)
            let device = try SyncAPI.device(of: request)
            let admission =
                route.isCounted
                ? try authorizer.authorizeUse(principal, isUpload: route.isUpload, facts: facts)
                : try authorizer.authorizeWaiting(principal, facts: facts)
            let service = SyncService(
                node, as: principal, device: device, hub: hub, rates: rates, authority: authority,
                admission: admission)
            do { try service.admitDevice() } catch {
                try? admission.giveBack()
                throw error
            }
            return service
        } catch  where error is AccessError || error is SyncFailure {
            throw RefusedRequest(response: SyncAPI.refusal(error, to: request))
        } catch {
            let problem = SyncProblem(
                code: .unavailable, message: "whether this is allowed cannot be decided now; try again",
                retryAfterSeconds: 1)
            throw RefusedRequest(
                response: SyncAPI.refusal(.serviceUnavailable, problem, SyncAPI.form(of: request)))
        }
    }
}
