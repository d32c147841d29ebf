"""Debian's Chromium, driven by its own driver; tests that want it are skipped where it is not installed."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.wait import WebDriverWait

PATIENCE_SECONDS = 60
FLAGS = (
    *("--headless", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--force-prefers-reduced-motion", "--window-size=1280,900"),
)

wants_browser = pytest.mark.skipif(
    shutil.which("chromium") is None or shutil.which("chromedriver") is None,
    reason="chromium or chromedriver is not installed (on Debian: apt-get install chromium chromium-driver)",
)


@contextmanager
def started(profile: Path) -> Iterator[Chrome]:
    """A browser with an empty profile, which keeps what it logs and what it asks a network for."""
    options = Options()
    options.binary_location = shutil.which("chromium") or ""
    sandbox = ["--no-sandbox"] if os.getuid() == 0 else []  # root has none
    for flag in (*FLAGS, *sandbox, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        yield browser
    finally:
        browser.quit()


def open_page(browser: Chrome, path: Path) -> None:
    """Until all of its pictures are drawn."""
    browser.get(path.as_uri())
    _until(browser, "ready")


def open_answer(browser: Chrome, path: Path) -> float:
    """Seconds from the navigation's begin until the first picture is drawn, by the browser's own clock."""
    browser.get(path.as_uri())
    _until(browser, "answered")
    seconds: float = browser.execute_script("return performance.now() / 1000")
    return seconds


def _until(browser: Chrome, state: str) -> None:
    script = f"return document.documentElement.dataset.{state} === 'yes'"
    WebDriverWait(browser, PATIENCE_SECONDS, poll_frequency=0.02).until(lambda it: it.execute_script(script))


def logged(browser: Chrome) -> list[str]:
    """What stands on the console since it was last asked for: warnings and errors."""
    return [str(entry["message"]) for entry in browser.get_log("browser")]  # type: ignore[no-untyped-call] # selenium leaves it out


def requested(browser: Chrome) -> list[str]:
    """The addresses of everything that was asked for since."""
    found = []
    for entry in browser.get_log("performance"):  # type: ignore[no-untyped-call]
        message: dict[str, Any] = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            found.append(str(message["params"]["request"]["url"]))
    return found
