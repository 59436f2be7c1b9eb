import HTTPSupport

/// What the gateway's own pages have in common. They need no script and nothing from elsewhere.
enum PageStyle {
    static let contentSecurityPolicy =
        "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; form-action 'none'; frame-ancestors 'none'; "
        + "base-uri 'none'"

    static func head(title: String) -> String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>\(HTMLText.escape(title))</title>
        <style>\(css)</style>
        </head>
        <body>

        """
    }

    /// Below what was made of blocks.
    static let foot = foot(
        "Served by <b>Nacre</b>, which checked the blocks of this page against their CIDs.")

    private static func foot(_ html: String) -> String {
        "<footer>\(html)</footer>\n</body>\n</html>\n"
    }

    /// What a page shows, which decides what can be said below it.
    enum Kind {
        /// Blocks that were read.
        case content
        /// Nothing that has a CID.
        case message
    }

    static func page(title: String, _ kind: Kind, _ body: String) -> String {
        let end = kind == .content ? foot : foot("This page was made by <b>Nacre</b>.")
        return head(title: title) + body + "\n" + end
    }

    private static let css = """
        :root{color-scheme:light dark;--line:#d8dee4;--soft:#59636e;--back:#fff;--front:#1f2328;
        --link:#0a5ea8;--band:#f4f7f9}
        @media(prefers-color-scheme:dark){:root{--line:#333b44;--soft:#9aa5b1;--back:#15191e;
        --front:#e6ebf0;--link:#7cc0ff;--band:#1c2228}}
        *{box-sizing:border-box}
        body{margin:0;font:16px/1.5 system-ui,sans-serif;background:var(--back);color:var(--front)}
        header,main,footer{max-width:75rem;margin:0 auto;padding:1rem 1.25rem}
        header{padding-top:2rem}h1{font-size:1.35rem;margin:0 0 .25rem;overflow-wrap:anywhere}
        a{color:var(--link);text-decoration:none}
        a:hover,a:focus-visible,p a,.crumbs a{text-decoration:underline}
        a:focus-visible{outline:2px solid var(--link);outline-offset:2px;border-radius:2px}
        .skip{position:absolute;left:-99rem}.skip:focus{left:1rem;top:.5rem;background:var(--back)}
        .meta,footer,.status,caption,.kind,.size{color:var(--soft);font-size:.875rem}
        .crumbs{margin:0 0 .75rem;overflow-wrap:anywhere}
        code{font:.85em ui-monospace,monospace;overflow-wrap:anywhere}pre{white-space:pre-wrap}
        table{width:100%;border-collapse:collapse}caption{text-align:left;padding:.25rem .5rem}
        th{text-align:left;font-weight:600;color:var(--soft);font-size:.875rem}
        th,td{padding:.4rem .5rem;border-bottom:1px solid var(--line);vertical-align:baseline}
        tr:hover td{background:var(--band)}td.name{overflow-wrap:anywhere;min-width:10rem}
        .folder a{font-weight:600}.folder::after{content:"/";color:var(--soft)}
        .kind{white-space:nowrap}td.size,th.size{text-align:right;white-space:nowrap}
        .cid a{display:block;max-width:20rem;overflow:hidden;text-overflow:ellipsis;white-space:nowrap;
        font:.8rem ui-monospace,monospace}
        nav{margin:.75rem 0}nav a{margin-right:1.25rem}.crumbs a{margin:0}
        .versions p{margin:0}.versions ol{list-style:none;margin:.5rem 0;padding:0;columns:18rem}
        summary{cursor:pointer;font-size:.875rem;color:var(--soft)}[aria-current]{font-weight:600}
        .error{padding-top:4rem}.status{font-size:3rem;margin:0;line-height:1}.path code{word-break:break-all}
        @media(max-width:48rem){.cid{display:none}}@media(max-width:26rem){.kind{display:none}}
        """
}
