"""Syncthing, Unison and rsync at the same work."""
import os
import shutil
import subprocess
import time
import urllib.request

from files import count
from nodes import Process, free_port, wait_for


def rsync(source, target):
    start = time.monotonic()
    subprocess.run(["rsync", "-a", source + "/", target + "/"], check=True)
    return time.monotonic() - start


def unison(source, target, directory):
    if not shutil.which("unison"):
        return None
    env = {**os.environ, "UNISON": os.path.join(directory, "unison-state"), "HOME": directory}
    start = time.monotonic()
    subprocess.run(
        ["unison", source, target, "-batch", "-silent", "-confirmbigdel=false"], env=env, check=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.monotonic() - start


class Syncthing:
    """Two instances that share one folder, with the watcher's delay at its minimum."""

    def __init__(self, directory, first, second):
        self.paths = [first, second]
        self.processes, self.ids, self.guis, self.keys, self.homes = [], [], [], [], []
        addresses = []
        for index in range(2):
            home = os.path.join(directory, f"syncthing-{index}")
            subprocess.run(
                ["syncthing", "generate", "--home", home, "--no-default-folder", "--skip-port-probing"],
                check=True, capture_output=True)
            self.homes.append(home)
            self.ids.append(
                subprocess.run(
                    ["syncthing", "--home", home, "--device-id"], check=True, capture_output=True,
                    text=True).stdout.strip())
            self.guis.append(free_port())
            addresses.append(free_port())
            self.keys.append(f"bench-{index}-key")
        for index in range(2):
            self._configure(index, addresses)
        for index in range(2):
            self.processes.append(
                Process(
                    ["syncthing", "serve", "--home", self.homes[index], "--no-browser", "--no-restart",
                     "--no-upgrade"],
                    {**os.environ, "STNODEFAULTFOLDER": "1"}, os.path.join(directory, f"syncthing-{index}.log")))

    def _configure(self, index, addresses):
        devices = "".join(
            f'<device id="{self.ids[other]}" name="d{other}" compression="never">'
            f"<address>{'tcp://127.0.0.1:%d' % addresses[other] if other != index else 'dynamic'}</address></device>"
            for other in range(2))
        folder = (
            f'<folder id="bench" path="{self.paths[index]}" type="sendreceive" rescanIntervalS="3600" '
            'fsWatcherEnabled="true" fsWatcherDelayS="1" ignorePerms="false">'
            + "".join(f'<device id="{device}"></device>' for device in self.ids)
            + "<minDiskFree unit=\"%\">0</minDiskFree></folder>")
        with open(os.path.join(self.homes[index], "config.xml"), "w") as file:
            file.write(
                f'<configuration version="35">{folder}{devices}'
                f'<gui enabled="true" tls="false"><address>127.0.0.1:{self.guis[index]}</address>'
                f"<apikey>{self.keys[index]}</apikey></gui><options>"
                f"<listenAddress>tcp://127.0.0.1:{addresses[index]}</listenAddress>"
                "<globalAnnounceEnabled>false</globalAnnounceEnabled>"
                "<localAnnounceEnabled>false</localAnnounceEnabled><relaysEnabled>false</relaysEnabled>"
                "<natEnabled>false</natEnabled><urAccepted>-1</urAccepted><startBrowser>false</startBrowser>"
                "<crashReportingEnabled>false</crashReportingEnabled><autoUpgradeIntervalH>0</autoUpgradeIntervalH>"
                "</options></configuration>")

    def wait_connected(self):
        def connected():
            try:
                request = urllib.request.Request(
                    f"http://127.0.0.1:{self.guis[0]}/rest/system/connections",
                    headers={"X-API-Key": self.keys[0]})
                return b'"connected": true' in urllib.request.urlopen(request, timeout=2).read()
            except OSError:
                return False
        wait_for(connected, 60, "the two are connected")

    def wait_files(self, wanted, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if count(self.paths[1]) == wanted:
                return True
            time.sleep(0.25)
        return False

    def stop(self):
        for process in self.processes:
            process.stop()
