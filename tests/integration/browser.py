"""A page as a browser shows it: its tables as they are read, and what of it a reader may not be able to use."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
ANSWER_SECONDS = 60
_FACTS = re.compile(r'<pre id="facts">(.*?)</pre>', re.DOTALL)
_SCRIPT = """
<script>
addEventListener("load", () => {
  const all = (root, what) => [...root.querySelectorAll(what)];
  const light = (text) => {
    const [r, g, b] = text.match(/[0-9.]+/g).slice(0, 3).map((part) => {
      const share = Number(part) / 255;
      return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (node) => {
    for (; node; node = node.parentElement) {
      const colour = getComputedStyle(node).backgroundColor;
      if (colour !== "rgba(0, 0, 0, 0)") return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const contrast = (node) => {
    const [one, other] = [light(getComputedStyle(node).color), light(behind(node))].sort((a, b) => b - a);
    return (one + 0.05) / (other + 0.05);
  };
  const texts = all(document.body, "*").filter((node) => node.tagName !== "SCRIPT" && node.innerText);
  const cells = (row) => [...row.cells].map((cell) => cell.innerText.trim());
  const facts = {
    lang: document.documentElement.lang,
    title: document.title,
    mains: all(document, "main").length,
    headings: all(document, "h1, h2, h3").map((node) => Number(node.tagName[1])),
    tables: all(document, "table").map((table) => ({
      heading: table.closest("section").querySelector("h2").innerText,
      caption: table.caption ? table.caption.innerText : "",
      headers_without_scope: all(table, "th:not([scope])").length,
      rows_without_header: [...table.tBodies[0].rows].filter((row) => row.cells[0].tagName !== "TH").length,
      rows: [...table.tBodies[0].rows].map(cells),
    })),
    told: Object.fromEntries(all(document, "dt").map((dt) => [dt.innerText, dt.nextElementSibling.innerText])),
    please: document.querySelector(".pay").innerText,
    contrast_least: Math.min(...texts.map(contrast)),
    font_pixels_least: Math.min(...texts.map((node) => parseFloat(getComputedStyle(node).fontSize))),
    width: innerWidth,
    width_needed: document.documentElement.scrollWidth,
    loaded: performance.getEntriesByType("resource").length,
  };
  const shown = document.createElement("pre");
  shown.id = "facts";
  shown.textContent = JSON.stringify(facts);
  document.body.append(shown);
});
</script>
"""


@dataclass(frozen=True, slots=True)
class SeenTable:
    """One table under its heading; the rows as they are read, header first."""

    heading: str
    caption: str
    headers_without_scope: int
    rows_without_header: int
    rows: list[list[str]]


@dataclass(frozen=True, slots=True)
class SeenPage:
    """What the browser computed of a page. Contrast is the ratio of WCAG 2, from 1 to 21."""

    lang: str
    title: str
    mains: int
    headings: list[int]
    tables: list[SeenTable]
    told: dict[str, str]
    please: str
    contrast_least: float
    font_pixels_least: float
    width: int
    width_needed: int
    loaded: int


def seen(page: Path, folder: Path, width: int = 1000) -> SeenPage:
    """Opens a page in Chromium without a window, that wide, and reads it back."""
    marked = folder / f"{page.stem}-{width}.html"
    marked.write_text(page.read_text(encoding="utf-8").replace("</head>", f"{_SCRIPT}</head>"), encoding="utf-8")
    words = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'browser'}"]
    done = subprocess.run(
        [_chromium(), *words, f"--window-size={width},1000", "--dump-dom", marked.as_uri()],
        capture_output=True,
        timeout=ANSWER_SECONDS,
        check=True,
    )
    found = _FACTS.search(done.stdout.decode())
    assert found is not None, "the page ran its script"
    facts = json.loads(html.unescape(found.group(1)))
    return SeenPage(**(facts | {"tables": [SeenTable(**each) for each in facts["tables"]]}))


def _chromium() -> str:
    for name in CHROMIUM:
        if found := shutil.which(name):
            return found
    pytest.skip("no Chromium is installed (Debian's package `chromium`)")
