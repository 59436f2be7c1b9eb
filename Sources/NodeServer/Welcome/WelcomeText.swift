/// What is in the welcome folder. Links are relative: the page does not know the address of its node.
enum WelcomeText {
    static let page = """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Your Nacre node is running</title>
        <link rel="icon" href="pearl.svg">
        <style>
        :root { color-scheme: light dark; }
        body { font: 1.05rem/1.6 system-ui, sans-serif; max-width: 42rem; }
        body { margin: 0 auto; padding: 2.5rem 1.25rem; }
        header { display: flex; align-items: center; gap: 1rem; }
        header img { width: 4.5rem; height: 4.5rem; }
        h1 { font-size: 1.7rem; line-height: 1.2; margin: 0; }
        h2 { font-size: 1.15rem; margin-top: 2rem; }
        code, pre { font: 0.92em ui-monospace, monospace; }
        pre { background: #8881; border: 1px solid #8884; border-radius: .5rem; }
        pre { padding: .8rem 1rem; overflow-x: auto; }
        li { margin: .3rem 0; }
        footer { margin-top: 3rem; font-size: .9rem; opacity: .75; }
        </style>
        </head>
        <body>
        <header>
        <img src="pearl.svg" alt="">
        <h1>Your Nacre node is running</h1>
        </header>
        <p>You are looking at the first folder it holds. The address of this page is its content
        identifier (CID): it names exactly these bytes, here and on any other IPFS gateway. Every block was
        checked against its CID on the way to you.</p>

        <h2>Look around</h2>
        <ul>
        <li><a href="notes/">A folder without a page of its own</a> is shown as a list.</li>
        <li><a href="notes/first.txt">A file in it</a>, and
        <a href="notes/lost.txt">one that is not there</a>: the page of errors says what was looked for.</li>
        <li><a href="./?format=car">This folder as a CAR file</a>, which any IPFS tool can check and import,
        and <a href="notes/?format=tar">the notes as a tar archive</a>.</li>
        </ul>

        <h2>Add something of your own</h2>
        <p>In the place where the node was started:</p>
        <pre>nacre add photos</pre>
        <p>prints a line for each file, the folder itself last. Put its CID behind <code>/ipfs/</code> in the
        address bar. What you add is published unless you say <code>--private</code>;
        <code>nacre pin unpublish photos</code> takes it back.</p>

        <h2>Let an address stay while the content changes</h2>
        <pre>nacre name create site
        nacre name publish site photos</pre>
        <p>prints <code>/ipns/k51…</code>, an address that you can point to something else later. A domain can
        lead to it as well.</p>

        <h2>Before others may come in</h2>
        <p>The node listens on this machine only. The folder <code>docs/how-to</code> of the sources says
        how to run it as a service, behind nginx, with a domain, with Docker, how to watch it and how to back
        it up.
        <code>nacre doctor</code> looks at the machine and says what to mend.</p>

        <footer>This folder is pinned as <code>welcome</code>.
        <code>nacre pin rm welcome</code> removes it.</footer>
        </body>
        </html>

        """

    static let pearl = """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">
        <defs><radialGradient id="g" cx="38%" cy="32%" r="70%">
        <stop offset="0" stop-color="#fff"/><stop offset=".45" stop-color="#e8e3f4"/>
        <stop offset=".75" stop-color="#b9c8e0"/><stop offset="1" stop-color="#8c86a8"/>
        </radialGradient></defs>
        <circle cx="32" cy="32" r="28" fill="url(#g)"/>
        <path d="M14 40a22 22 0 0 0 36 0M18 46a18 18 0 0 0 28 0" fill="none" stroke="#fff" stroke-opacity=".5"/>
        </svg>

        """

    static let firstNote = """
        Nacre is what an oyster builds, one thin layer on another.
        Every change adds a layer; nothing that was kept is written over.

        """

    static let secondNote = """
        The same bytes have the same name everywhere. Change one of them, and it is another name.

        """
}
