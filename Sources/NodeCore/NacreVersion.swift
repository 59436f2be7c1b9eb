/// The version of the program.
public enum NacreVersion {
    public static let text = "0.1.0"
}
