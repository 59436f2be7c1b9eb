/// A `Content-Disposition` header. Spec: RFC 6266; the plain form has `_` for what is not ASCII.
public enum ContentDisposition: String, Sendable {
    case inline
    case attachment

    /// The header's value. Quotes, control characters and marks that turn the writing direction do not
    /// survive, nor does what would make a path of the name.
    public func value(filename: String? = nil) -> String {
        guard let filename, !filename.isEmpty else { return rawValue }
        let clean = filename.unicodeScalars.filter { !Self.isUnsafe($0) }
            .map { $0 == "/" || $0 == "\\" ? "_" : $0 }
        let plain = clean.map { $0.isASCII && $0 != "\"" ? Character($0) : "_" }
        var value = "\(rawValue); filename=\"\(String(plain))\""
        if clean.contains(where: { !$0.isASCII }) {
            var text = String.UnicodeScalarView()
            text.append(contentsOf: clean)
            value += "; filename*=UTF-8''" + PercentCoding.encode(segment: String(text).utf8)
        }
        return value
    }

    private static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: true
        default: false
        }
    }
}
