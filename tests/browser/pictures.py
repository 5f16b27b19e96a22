"""Makes the pictures of the page in docs/images: the real monitor on a made-up laptop that
moves for a few minutes, then a runaway process.

    python3 tests/browser/pictures.py     (about six minutes; needs Pillow)

VEDETTE_BUILD names the build folder, VEDETTE_CHROMIUM the browser.
"""
import math
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "helpers"))

from machine import MIB, Machine  # noqa: E402
from monitor import Monitor, binary  # noqa: E402
from PIL import Image  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402

IMAGES = ROOT / "docs" / "images"
QUIET_S = 300   # until something happens
AFTER_S = 14    # from then to the pictures of it
RUNAWAY = 4242
LARGE = 150_000  # bytes


class Laptop(Machine):
    """Four fast cores and four slow ones, sensors, a graphics card, and people's work."""
    CORES = 8
    MEMORY = 32 * 1024 * MIB
    WORK = (("postgres", 0.05, 900), ("firefox", 0.22, 1400), ("code", 0.12, 1100),
            ("Xorg", 0.06, 180), ("pipewire", 0.02, 30), ("containerd", 0.02, 90),
            ("redis-server", 0.01, 60), ("nginx", 0.02, 25), ("systemd-journal", 0.01, 40),
            ("sshd", 0.0, 12), ("node", 0.09, 320), ("clangd", 0.08, 760))

    def __init__(self, root):
        self.stalled = dict.fromkeys(("cpu", "memory", "io"), 1e6)
        super().__init__(root, seed=7, step=0.1)
        for i, (name, cpu, megabytes) in enumerate(self.WORK):
            self.add(1200 + 37 * i, name, cpu=cpu, rss=megabytes * MIB)

    def advance(self, seconds):
        # Every so often a page is loaded, a file saved, a query run.
        beat = max(0.0, math.sin(self.uptime / 9) + math.sin(self.uptime / 23) - 1.1)
        self.received = 2.2e6 * beat
        self.sent = 3e5 * beat
        for p in self.processes.values():
            if p.comm == "postgres":
                p.write = 4e6 * max(0.0, math.sin(self.uptime / 13))
                p.read = 9e6 * max(0.0, math.sin(self.uptime / 17) - 0.7)
            if p.comm == "firefox":
                p.cpu = 0.2 + 0.5 * beat
        for i in range(self.CORES):
            share = self.waver(f"core{i}", 0.10 if i < 4 else 0.03, 0.05, keep=0.97)
            self.user_ticks[i] += share * seconds * 100
        super().advance(seconds)
        load = sum(p.cpu for p in self.processes.values()) / self.CORES
        self.sensors(load)
        for name, share in (("cpu", 0.004 + 0.25 * max(0, load - 0.4)), ("memory", 0.0),
                            ("io", 0.003)):
            self.stalled[name] += self.waver(f"stall {name}", share, share / 3) * seconds * 1e6
            self.put(f"proc/pressure/{name}", "some avg10=0.00 avg60=0.00 avg300=0.00 "
                     f"total={self.stalled[name]:.0f}\n")

    def put(self, name, text):
        if name == "proc/loadavg":
            running = sum(p.cpu for p in self.processes.values())
            load = self.noise["load"] = 0.99 * self.noise.get("load", 0.7) + 0.01 * running
            text = f"{load:.2f} 0.66 0.61 2/412 4242\n"
        super().put(name, text)

    def sensors(self, load):
        hwmon = "sys/class/hwmon/hwmon0"
        cpu = "sys/devices/system/cpu/cpu"
        gpu = "sys/class/drm/card0/device"
        for folder in (hwmon, f"{gpu}/hwmon/hwmon1", "sys/devices/cpu_core",
                       "sys/devices/cpu_atom", *(f"{cpu}{i}/cpufreq" for i in range(8))):
            os.makedirs(os.path.join(self.root, folder), exist_ok=True)
        heat = self.noise["heat"] = 0.985 * self.noise.get("heat", 0.0) + 0.015 * load
        files = {f"{hwmon}/name": "coretemp", f"{hwmon}/temp1_label": "Package id 0",
                 f"{hwmon}/temp1_input": f"{46000 + 52000 * heat:.0f}",
                 "sys/devices/cpu_core/cpus": "0-3", "sys/devices/cpu_atom/cpus": "4-7",
                 f"{gpu}/vendor": "0x1002",
                 f"{gpu}/gpu_busy_percent": f"{self.waver('gpu', 9, 3):.0f}",
                 f"{gpu}/mem_info_vram_used": str(int(self.waver("vram", 1.9e9, 2e7))),
                 f"{gpu}/mem_info_vram_total": str(8 << 30),
                 f"{gpu}/hwmon/hwmon1/name": "amdgpu",
                 f"{gpu}/hwmon/hwmon1/temp1_input": f"{self.waver('edge', 44000, 300):.0f}"}
        for i in range(8):
            clock = self.waver(f"clock{i}", 1.5e6 if i < 4 else 1.1e6, 2e5)
            files[f"{cpu}{i}/cpufreq/scaling_cur_freq"] = f"{clock + 2.6e6 * load:.0f}"
        for name, text in files.items():
            self.put(name, text + "\n")


def save(page, name):
    path = IMAGES / f"{name}.png"
    page.screenshot(path=path)
    with Image.open(path) as image:
        small = image.convert("RGB")
    small.save(path, optimize=True)
    if path.stat().st_size > LARGE:     # few colours keep text sharp, gradients less so
        small.quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f} kB")


def analysis(monitor, browser, folder):
    """The page of an uploaded table."""
    table = folder / "sample.csv"
    subprocess.run([binary(), "generate", "--preset", "metrics2k", "-o", table], check=True)
    context = browser.new_context(viewport={"width": 1440, "height": 1000},
                                  color_scheme="dark")
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{monitor.port}/#/analyses")
    page.wait_for_selector(".drop button:enabled")
    page.set_input_files(".drop input", table)
    page.wait_for_selector(".scored tbody tr")
    page.wait_for_timeout(1000)     # charts
    save(page, "analysis-dark")
    context.close()


def pictures(monitor, laptop, browser):
    def shot(name, view, theme="dark", width=1440, height=1000, scale=1):
        context = browser.new_context(viewport={"width": width, "height": height},
                                      device_scale_factor=scale, color_scheme=theme)
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{monitor.port}/#/{view}")
        page.wait_for_selector("main canvas, main table, main .log")
        page.wait_for_timeout(2500)     # history and a tick or two
        save(page, name)
        context.close()

    monitor.wait_ready(120)
    time.sleep(max(0.0, QUIET_S - monitor.points()))
    shot("cores-dark", "cores", height=820)
    laptop.add(RUNAWAY, "report.py", cpu=5.6, rss=300 * MIB)
    event = monitor.wait_alert(30, lambda e: e["kind"] == "anomaly")
    time.sleep(AFTER_S)
    shot("overview-dark", "overview")
    shot("overview-light", "overview", theme="light")
    shot("phone-dark", "overview", width=390, height=844, scale=1.5)
    shot("detectors-light", "detectors", theme="light", height=960)
    laptop.processes[RUNAWAY].cpu = 0.0
    time.sleep(30)                      # the flight recorder runs on for half a minute
    shot("event-dark", f"events/{event['id']}", height=1360)


def main():
    IMAGES.mkdir(parents=True, exist_ok=True)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="vedette-pictures-"))
    laptop = Laptop(folder / "root")
    monitor = Monitor(folder / "data", "--root", laptop.root, "--no-desktop",
                      "--warm-up", "30s").started()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=os.environ.get("VEDETTE_CHROMIUM") or shutil.which("chromium"),
                args=["--no-sandbox", "--disable-gpu"])
            pictures(monitor, laptop, browser)
            analysis(monitor, browser, folder)
            browser.close()
        monitor.stop()
    finally:
        monitor.kill()
        laptop.close()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
