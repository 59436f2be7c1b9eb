import Glibc

/// The text of an `errno`, with what to do where that is clear.
enum SystemErrorText {
    static func of(_ code: Int32) -> String {
        let text = String(cString: strerror(code))
        switch code {
        case ENOSPC, EDQUOT: return text + "; free some space"
        case EACCES, EPERM: return text + "; check who owns it"
        case EROFS: return text + "; mount it writable"
        case EIO: return text + "; the disk may be failing"
        default: return text
        }
    }
}
