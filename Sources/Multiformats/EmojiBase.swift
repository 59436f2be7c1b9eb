/// base256emoji: a picture for each byte.
///
/// Spec: multiformats/multibase, "rfcs/Base256Emoji.md".
enum EmojiBase {
    static func encode(_ bytes: [UInt8]) -> [UInt8] {
        var text = ""
        for byte in bytes { text.unicodeScalars.append(pictures[Int(byte)]) }
        return Array(text.utf8)
    }

    static func decode(_ text: ArraySlice<UInt8>) throws(MultibaseError) -> [UInt8] {
        var bytes: [UInt8] = []
        for (position, scalar) in String(decoding: text, as: UTF8.self).unicodeScalars.enumerated() {
            guard let byte = bytesOfPictures[scalar] else {
                throw .invalidCharacter(Character(scalar), position: position + 1)
            }
            bytes.append(byte)
        }
        return bytes
    }

    private static let pictures = Array(
        ("🚀🪐☄🛰🌌🌑🌒🌓🌔🌕🌖🌗🌘🌍🌏🌎🐉☀💻🖥💾💿😂❤😍🤣😊🙏💕😭😘👍😅👏😁🔥🥰💔💖💙😢🤔😆🙄💪😉☺👌🤗💜"
            + "😔😎😇🌹🤦🎉💞✌✨🤷😱😌🌸🙌😋💗💚😏💛🙂💓🤩😄😀🖤😃💯🙈👇🎶😒🤭❣😜💋👀😪😑💥🙋😞😩😡🤪👊🥳"
            + "😥🤤👉💃😳✋😚😝😴🌟😬🙃🍀🌷😻😓⭐✅🥺🌈😈🤘💦✔😣🏃💐☹🎊💘😠☝😕🌺🎂🌻😐🖕💝🙊😹🗣💫💀👑🎵🤞"
            + "😛🔴😤🌼😫⚽🤙☕🏆🤫👈😮🙆🍻🍃🐶💁😲🌿🧡🎁⚡🌞🎈❌✊👋😰🤨😶🤝🚶💰🍓💢🤟🙁🚨💨🤬✈🎀🍺🤓😙💟🌱"
            + "😖👶🥴▶➡❓💎💸⬇😨🌚🦋😷🕺⚠🙅😟😵👎🤲🤠🤧📌🔵💅🧐🐾🍒😗🤑🌊🤯🐷☎💧😯💆👆🎤🙇🍑❄🌴💣🐸"
            + "💌📍🥀🤢👅💡💩👐📸👻🤐🤮🎼🥵🚩🍎🍊👼💍📣🥂").unicodeScalars)

    private static let bytesOfPictures = Dictionary(
        uniqueKeysWithValues: pictures.enumerated().map { ($1, UInt8(truncatingIfNeeded: $0)) })
}
