"""What people do to a folder, at random: all that a file manager, an editor and a build do to one."""
import ctypes
import os
import shutil
import stat
import time

# Names that are one for some file systems, or for some people, and names that programs trip over.
NAMES = [
    "a", "b", "c", "d", "e", "f", "g", "h", "a.txt", "b.txt", "c.md", "readme", "README", "Readme", "\u00e9", "e\u0301",
    "-rf", " blank", "dot.", "new\nline", "%41", "\U0001f600.txt", ".hidden",
]
DIRECTORIES = ["d0", "d1", "d2", "d3", "d4", "D1", "m0", "m1", "m2"]
EXCHANGE = 2
AT_FDCWD = -100
libc = ctypes.CDLL(None, use_errno=True)


class User:
    """Whoever sits at a device.

    `texts` are those that nobody may lose: everybody's, together. A text that its writer takes away within seconds may never
    have been sent, and is none of them any more.
    """

    ACTS = {
        "write": 5, "edit": 5, "save": 1, "stealth": 1, "attributes": 1, "rename": 2, "replace": 1, "swap": 1, "exchange": 1,
        "spell": 1, "link": 1, "copy": 1, "symlink": 0.5, "move": 2, "swap_directories": 1, "turn_inside_out": 0.5,
        "make_directory": 1, "remove": 1, "remove_tree": 0.5, "make_again": 1, "change_kind": 1, "replace_directory": 0.5,
    }

    def __init__(self, device, texts, choice, note):
        self.device, self.texts, self.choice, self.note = device, texts, choice, note
        self.folder = device.folder
        # When each text was written here.
        self.born = {}

    def act(self):
        self.files, self.directories = self.entries()
        kind = self.choice.choices(list(self.ACTS), list(self.ACTS.values()))[0]
        try:
            done = getattr(self, kind)()
            self.note(self.device.name, kind, done)
        except (OSError, IndexError, ValueError) as error:
            # The other side was quicker, or there is too little here yet.
            self.note(self.device.name, kind, "not done:", error)

    # --- what is there ------------------------------------------------------------------------------------

    def entries(self):
        files, directories = [], []
        for place, names, leaves in os.walk(self.folder):
            if place == self.folder:
                names[:] = [name for name in names if name != ".nacre"]
            directories += [os.path.join(place, name) for name in names if not os.path.islink(os.path.join(place, name))]
            files += [os.path.join(place, name) for name in leaves]
        return sorted(files), sorted(directories)

    def plain(self):
        return [path for path in self.files if not os.path.islink(path)]

    def some_directory(self):
        return self.choice.choice([self.folder] + self.directories)

    def free(self, directory, names=NAMES):
        path = os.path.join(directory, self.choice.choice(names))
        if os.path.lexists(path):
            raise ValueError("something is there")
        return path

    def read(self, path):
        if os.path.islink(path):
            return None
        try:
            with open(path, newline="") as file:
                return file.read()
        except (OSError, UnicodeDecodeError):
            return None

    # --- texts --------------------------------------------------------------------------------------------

    def new_text(self):
        return f"{self.device.name} {len(self.born)} {self.choice.random()}\n" * self.choice.choice([1, 1, 3, 400])

    def destroyed(self, text):
        """Only what was synced before can be asked for afterwards. Whether it was nobody here knows; what was written here
        within the last seconds may not have been, whatever it is called by now."""
        if text not in self.born:
            return
        if self.device.seconds_running() < 5 or time.monotonic() - self.born[text] < 5:
            self.texts.discard(text)

    def put(self, path, text):
        before = self.read(path)
        with open(path, "w", newline="") as file:
            file.write(text)
        self.texts.add(text)
        self.born[text] = time.monotonic()
        if before is not None:
            self.destroyed(before)
        return path, text[:30], "over", (before or "")[:30]

    def take_away(self, path):
        if os.path.isdir(path) and not os.path.islink(path):
            for name in os.listdir(path):
                self.take_away(os.path.join(path, name))
            os.rmdir(path)
        else:
            before = self.read(path)
            os.remove(path)
            if before is not None:
                self.destroyed(before)
        return path

    # --- files --------------------------------------------------------------------------------------------

    def write(self):
        path = os.path.join(self.some_directory(), self.choice.choice(NAMES))
        if os.path.isdir(path) or os.path.islink(path):
            return None
        return self.put(path, self.new_text())

    def edit(self):
        return self.put(self.choice.choice(self.plain()), self.new_text())

    def save(self):
        """As editors do: another file takes the name."""
        path = self.choice.choice(self.plain())
        temporary = os.path.join(os.path.dirname(path), ".#" + os.path.basename(path))
        done = self.put(temporary, self.new_text())
        before = self.read(path)
        os.rename(temporary, path)
        if before is not None:
            self.destroyed(before)
        return done, path

    def stealth(self):
        """Another content of the same size, and the time given back."""
        path = self.choice.choice(self.plain())
        before, status = self.read(path), os.stat(path)
        if not before:
            return None
        done = self.put(path, str(self.choice.randrange(10)) + before[1:-1] + self.choice.choice("xyz"))
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        return done

    def attributes(self):
        path = self.choice.choice(self.plain())
        if self.choice.random() < 0.5:
            os.chmod(path, self.choice.choice([0o600, 0o644, 0o755, 0o444]))
        else:
            moment = self.choice.choice([0, 1, -5, 1_234_567_890_123_456_789, 4_102_444_800_000_000_001])
            os.utime(path, ns=(moment, moment))
        return path

    def rename(self):
        path = self.choice.choice(self.files)
        to = self.free(self.choice.choice([os.path.dirname(path), self.some_directory()]))
        os.rename(path, to)
        return path, to

    def replace(self):
        """A file takes the name of another one, which is gone."""
        path, to = self.choice.sample(self.plain(), 2)
        before = self.read(to)
        os.rename(path, to)
        if before is not None:
            self.destroyed(before)
        return path, to

    def swap(self):
        return self.swap_names(*self.choice.sample(self.files, 2))

    def exchange(self):
        """At once, as one call; files, links and directories alike."""
        path, other = self.choice.sample(self.files + self.directories, 2)
        if path.startswith(other + "/") or other.startswith(path + "/"):
            return None
        if libc.renameat2(AT_FDCWD, os.fsencode(path), AT_FDCWD, os.fsencode(other), EXCHANGE):
            raise OSError(ctypes.get_errno(), "renameat2")
        return path, other

    def spell(self):
        path = self.choice.choice(self.files + self.directories)
        to = os.path.join(os.path.dirname(path), os.path.basename(path).swapcase())
        if os.path.lexists(to):
            return None
        os.rename(path, to)
        return path, to

    def link(self):
        path = self.choice.choice(self.plain())
        to = self.free(self.some_directory())
        os.link(path, to)
        return path, to

    def copy(self):
        path = self.choice.choice(self.plain())
        to = self.free(self.some_directory())
        shutil.copy2(path, to)
        return path, to

    def symlink(self):
        to = self.free(self.some_directory())
        os.symlink(self.choice.choice(["a", "..", "/nowhere", "d0/b"]), to)
        return to

    def remove(self):
        return self.take_away(self.choice.choice(self.files))

    def make_again(self):
        path = self.choice.choice(self.plain())
        self.take_away(path)
        time.sleep(self.choice.choice([0, 0, 0.3]))
        return self.put(path, self.new_text())

    # --- directories --------------------------------------------------------------------------------------

    def make_directory(self):
        if len(self.directories) >= 14:
            return None
        path = self.free(self.some_directory(), DIRECTORIES)
        os.mkdir(path)
        return path

    def move(self):
        path = self.choice.choice(self.directories)
        into = self.some_directory()
        if (into + "/").startswith(path + "/"):
            return None
        to = self.free(into, DIRECTORIES + [os.path.basename(path)])
        os.rename(path, to)
        return path, to

    def swap_directories(self):
        path, other = self.choice.sample(self.directories, 2)
        if path.startswith(other + "/") or other.startswith(path + "/"):
            return None
        return self.swap_names(path, other)

    def swap_names(self, path, other):
        between = os.path.join(self.folder, f"between{self.choice.randrange(1_000_000)}")
        os.rename(path, between)
        os.rename(other, path)
        os.rename(between, other)
        return path, other

    def turn_inside_out(self):
        """A directory comes to be in what was in it."""
        outer, inner = self.choice.sample(self.directories, 2)
        if not inner.startswith(outer + "/"):
            return None
        between = os.path.join(self.folder, f"between{self.choice.randrange(1_000_000)}")
        os.rename(inner, between)
        os.rename(outer, os.path.join(between, os.path.basename(outer)))
        os.rename(between, outer)
        return outer, inner

    def remove_tree(self):
        return self.take_away(self.choice.choice(self.directories))

    def replace_directory(self):
        """A directory goes elsewhere, and another one has its name."""
        path = self.choice.choice(self.directories)
        to = self.free(os.path.dirname(path), DIRECTORIES)
        os.rename(path, to)
        os.mkdir(path)
        return to, self.put(os.path.join(path, self.choice.choice(NAMES)), self.new_text())

    def change_kind(self):
        """A file, a link or a directory where something of another kind was."""
        path = self.choice.choice(self.files + self.directories)
        was = stat.S_IFMT(os.lstat(path).st_mode)
        self.take_away(path)
        if was != stat.S_IFDIR and self.choice.random() < 0.5:
            os.mkdir(path)
            path = os.path.join(path, "a")
        elif was != stat.S_IFLNK and self.choice.random() < 0.3:
            os.symlink("a", path)
            return path
        return self.put(path, self.new_text())
