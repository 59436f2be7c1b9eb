import HTTPSupport
import HTTPTypes
import NodeService
import SyncProtocol

extension SyncAPI {
    static let deviceRoutes: [SyncRoute] = [
        SyncRoute(.get, "/devices") { call in
            try call.answer(DeviceList(try call.service.devices()).value(call.form))
        },
        SyncRoute(.post, "/devices") { call in
            let request = try DeviceRequest(try call.message())
            return try call.answer(try call.service.register(request).value(call.form), .created)
        },
        SyncRoute(.get, "/devices/{id}") { call in
            try call.answer(try call.service.deviceInfo(call.value("id")).value(call.form))
        },
        SyncRoute(.patch, "/devices/{id}") { call in
            let request = try DeviceRequest(try call.message())
            return try call.answer(
                try call.service.renameDevice(call.value("id"), request).value(call.form))
        },
        SyncRoute(.delete, "/devices/{id}") { call in
            try call.answer(try call.service.revokeDevice(call.value("id")).value(call.form))
        },
    ]
}
