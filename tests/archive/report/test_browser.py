"""The page in a real Chromium: no script runs, nothing overflows a phone, light and dark differ, it prints.

Skipped where there is no Chromium; ``apt-get install chromium`` brings one.
"""

from __future__ import annotations

import functools
import http.server
import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from speciate.archive.history import read_history
from speciate.archive.report import Content, write_report

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: apt-get install chromium"),
    pytest.mark.parametrize("hostile", [True], indirect=True, ids=["clocked"], scope="session"),
]

PROBE = """<!DOCTYPE html><body style="margin:0"><iframe id="page" src="report.html" style="border:0"></iframe>
<script>
const frame = document.getElementById("page"), found = {};
frame.onload = async () => {
  const page = frame.contentWindow, body = page.document;
  for (const width of [360, 1200]) {
    frame.style.width = width + "px";
    frame.style.height = "2000px";
    await new Promise(done => setTimeout(done, 100));
    found[width] = {
      overflow: body.documentElement.scrollWidth - width,
      figures: [...body.querySelectorAll("figure svg")].map(one => one.getBoundingClientRect())
        .filter(box => box.width || box.height).map(box => [box.width, box.height]),
      smallest: Math.min(...[...body.querySelectorAll("p, td, th, dd, li, summary")]
        .map(one => parseFloat(page.getComputedStyle(one).fontSize))),
    };
  }
  found.hacked = page.hacked ?? null;
  found.title = body.title;
  found.scripts = body.querySelectorAll("script, img").length;
  found.paper = page.getComputedStyle(body.body).backgroundColor;
  found.ink = page.getComputedStyle(body.body).color;
  found.axis = page.getComputedStyle(body.querySelector("figure svg text")).fill;
  document.body.textContent = "FOUND" + JSON.stringify(found) + "END";
};
</script>"""


def chromium(*arguments: str) -> subprocess.CompletedProcess[str]:
    assert CHROMIUM is not None
    command = [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Requests of the browser say nothing."""


@pytest.fixture(scope="module")
def site(hostile: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server with the report and the probe, so that one may look into the other."""
    folder = tmp_path_factory.mktemp("site")
    write_report(Content(read_history(hostile), None, {}), folder / "report.html")
    (folder / "probe.html").write_text(PROBE)
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def probed(site: str, *arguments: str) -> dict:
    said = chromium("--virtual-time-budget=8000", "--dump-dom", *arguments, f"{site}/probe.html").stdout
    match = re.search(r"FOUND(\{.*\})END</body>", said, re.DOTALL)
    assert match, said[-2000:]
    return json.loads(match[1].replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">"))


def test_in_a_browser_no_script_runs_and_nothing_overflows(site: str) -> None:
    found = probed(site)
    assert found["hacked"] is None
    assert found["title"] == "hostile – a run of speciate"
    assert found["scripts"] == 0
    for width in ("360", "1200"):
        assert found[width]["overflow"] <= 0
        assert len(found[width]["figures"]) >= 7
        assert all(0 < box[0] <= int(width) and box[1] > 10 for box in found[width]["figures"])
        assert found[width]["smallest"] >= 11


def test_figures_follow_light_and_dark(site: str) -> None:
    light, dark = probed(site), probed(site, "--blink-settings=preferredColorScheme=0")
    assert light["paper"] == "rgb(254, 254, 254)"
    assert dark["paper"] == "rgb(18, 22, 28)"
    for one in (light, dark):
        assert contrast(one["ink"], one["paper"]) >= 7
        assert contrast(one["axis"], one["paper"]) >= 4.5


def contrast(first: str, second: str) -> float:
    """The ratio of WCAG 2.2."""
    lights = sorted(map(_luminance, (first, second)))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_it_can_be_seen_and_printed(site: str, tmp_path: Path) -> None:
    from matplotlib.image import imread

    chromium(f"--screenshot={tmp_path / 'page.png'}", "--window-size=1200,1600", f"{site}/report.html")
    image = imread(tmp_path / "page.png")
    assert image.shape[:2] == (1600, 1200)
    assert image[..., :3].std() > 0.05
    chromium(f"--print-to-pdf={tmp_path / 'page.pdf'}", f"{site}/report.html")
    printed = (tmp_path / "page.pdf").read_bytes()
    assert printed.startswith(b"%PDF")
    assert printed.count(b"/Type /Page\n") + printed.count(b"/Type/Page\n") + printed.count(b"/Type /Page/") >= 1
