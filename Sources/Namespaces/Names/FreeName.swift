/// Names for what is taken in beside something that is called so already.
package enum FreeName {
    /// How many names are tried.
    package static let maximumAttempts = 24

    /// `Soup.pdf`, `Soup (2).pdf`, `Soup (3).pdf` and so on; after that by chance, so that many of one name
    /// cost few attempts.
    ///
    /// - Parameter attempt: from 1 on.
    package static func name(_ name: String, attempt: Int) -> String {
        if attempt == 1 { return name }
        let mark = attempt <= 9 ? "\(attempt)" : String(UInt64.random(in: 1 << 20...1 << 40), radix: 32)
        return fitted(name, " (\(mark))")
    }

    /// The name with a mark before its extension, cut to what a name may have.
    package static func fitted(_ name: String, _ mark: String = "") -> String {
        var (stem, end) = (name, "")
        if let dot = name.lastIndex(of: "."), dot != name.startIndex, name[dot...].utf8.count <= 20 {
            (stem, end) = (String(name[..<dot]), String(name[dot...]))
        }
        while stem.utf8.count + mark.utf8.count + end.utf8.count > NameRules.maximumNameBytes, !stem.isEmpty {
            stem.removeLast()
        }
        return stem + mark + end
    }
}
