import Glibc
public import IPNS

extension IPNSTime {
    /// The moment by the clock of the system.
    public static var now: IPNSTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return IPNSTime(seconds: Int64(time.tv_sec), nanoseconds: Int32(time.tv_nsec))
    }
}
