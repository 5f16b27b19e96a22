#!/usr/bin/env python3
"""What a page that is open costs a browser: CPU time of all processes of a headless Chromium,
and bytes of the live feed, over a minute of one view on this machine.

    bench/page.py [VIEW...] [--seconds 60] [--warm 60]

Needs the Python packages of tests/requirements.txt. VEDETTE_BUILD names the build folder
(build/release), VEDETTE_CHROMIUM the browser. The same browser with an empty page is measured
first: what it costs by itself is printed beside, and not taken off.
"""
import argparse
import os
import pathlib
import shutil
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "helpers"))
os.environ.setdefault("VEDETTE_BUILD", "build/release")

from monitor import Monitor  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402

SETTLE_S = 20
TICK = os.sysconf("SC_CLK_TCK")
OPTIONS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-extensions",
           "--disable-background-networking", "--disable-component-update", "--disable-sync"]


def stat_of(pid):
    """(parent, seconds of CPU) of a process; None when it is gone."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    fields = text[text.rindex(")") + 2:].split()
    return int(fields[1]), (int(fields[11]) + int(fields[12])) / TICK


def cpu_below(root):
    """Seconds of CPU by process, of all that descend from `root`, itself left out."""
    seen = {int(p.name): stat_of(p.name) for p in pathlib.Path("/proc").iterdir()
            if p.name.isdigit()}
    seen = {pid: stat for pid, stat in seen.items() if stat is not None}

    def descends(pid):
        while pid in seen and pid != root:
            pid = seen[pid][0]
        return pid == root

    return {pid: cpu for pid, (_, cpu) in seen.items() if pid != root and descends(pid)}


def role_of(pid):
    try:
        command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return "gone"
    parts = command.replace("\0", " ").split()  # its children run their arguments together
    return next((p.removeprefix("--type=") for p in parts if p.startswith("--type=")),
                "browser")


def watch(page, url, seconds):
    """(share of a core, by role, bytes a second of the live feed) of one address."""
    feed = [0]
    page.on("websocket", lambda s: s.on("framereceived", lambda text: count(feed, text)))
    page.goto(url)
    page.wait_for_timeout(SETTLE_S * 1000)
    feed[0] = 0
    before, at = cpu_below(chromium_root(page)), time.monotonic()
    page.wait_for_timeout(seconds * 1000)
    spent = time.monotonic() - at
    roles = {}
    for pid, cpu in cpu_below(chromium_root(page)).items():
        role = role_of(pid)
        roles[role] = roles.get(role, 0.0) + (cpu - before.get(pid, 0.0)) / spent
    return sum(roles.values()), roles, feed[0] / spent


def count(feed, text):
    feed[0] += len(text if isinstance(text, bytes) else text.encode())


def chromium_root(page):
    """The browser descends from Playwright's driver, which is no part of it."""
    parents = {}
    for pid, stat in ((int(p.name), stat_of(p.name)) for p in
                      pathlib.Path("/proc").iterdir() if p.name.isdigit()):
        if stat is not None:
            parents[pid] = stat[0]
    mine = [pid for pid, parent in parents.items() if parent == os.getpid()
            and b"playwright" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()]
    return mine[0]


def measure(browser, url, seconds):
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="dark")
    page = context.new_page()
    try:
        return watch(page, url, seconds)
    finally:
        context.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("views", nargs="*", default=["overview"])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--warm", type=float, default=60, help="age of the monitor at the start")
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="vedette-page-"))
    monitor = Monitor(folder / "data", "--no-desktop").started()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=os.environ.get("VEDETTE_CHROMIUM") or shutil.which("chromium"),
                args=OPTIONS)
            time.sleep(options.warm)
            base = f"http://127.0.0.1:{monitor.port}/#/"
            print("view,percent_of_a_core,bytes_per_s,by_process")
            for view in ["(empty)", *options.views]:
                url = "about:blank" if view == "(empty)" else base + view
                share, roles, rate = measure(browser, url, options.seconds)
                parts = " ".join(f"{name}={100 * part:.1f}" for name, part in
                                 sorted(roles.items()) if part > 0.0005)
                print(f"{view},{100 * share:.1f},{rate:.0f},{parts}", flush=True)
            browser.close()
        monitor.stop()
    finally:
        monitor.kill()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
