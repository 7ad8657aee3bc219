"""Texts that leave the services: log files and metrics, looked through for PHI."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import httpx

from throughline.checker.invariants.secrets_kept import Search

CHUNK_BYTES = 1_000_000
OVERLAP_BYTES = 1_000
METRICS_SECONDS = 5.0


def search_logs(places: Iterable[Path], search: Search) -> int:
    """Looks through every file of these folders and files; how many there were."""
    count = 0
    for place in places:
        for file in sorted(_files(place)):
            count += 1
            for start, chunk in _chunks(file):
                search.look("logs", f"log {file.name} from byte {start}", chunk)
    return count


def search_metrics(urls: Iterable[str], search: Search) -> list[str]:
    """Looks through what the services tell of themselves; the addresses that do not answer."""
    silent = []
    for url in urls:
        try:
            answer = httpx.get(url, timeout=METRICS_SECONDS, trust_env=False)
        except httpx.TransportError:
            silent.append(url)
            continue
        search.look("metrics", f"metrics {url}", answer.content)
    return silent


def _files(place: Path) -> Iterator[Path]:
    if place.is_file():
        yield place
    elif place.is_dir():
        yield from (file for file in place.rglob("*") if file.is_file() and not file.is_symlink())


def _chunks(file: Path) -> Iterator[tuple[int, bytes]]:
    """Pieces that overlap, so that nothing is cut in two unseen."""
    with file.open("rb") as content:
        start, tail = 0, b""
        while block := content.read(CHUNK_BYTES):
            yield start, tail + block
            start += len(block)
            tail = block[-OVERLAP_BYTES:]
