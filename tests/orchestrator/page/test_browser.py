"""The page in a real browser: it draws, sorts, turns dark, is usable by keyboard, and asks nobody for anything."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from orchestrator.page import bundle
from orchestrator.page.export import csv_text
from tests.orchestrator.page import browser as chromium
from tests.orchestrator.page.browser import wants_browser
from tests.orchestrator.page.folders import (
    HOSTILE,
    all_interrupted,
    experiment,
    hostile,
    one_run,
    page_of,
    view_of,
)
from tests.orchestrator.report.sample_factory import make_run

pytestmark = wants_browser

CHARTS = ["verdict", "parts", "spread", "ecdf", "timeline", "throughput", "size"]
MOST_BYTES = 4_000_000
MOST_SECONDS = 3.0


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with chromium.started(tmp_path_factory.mktemp("profile")) as started:
        yield started


@pytest.fixture(scope="module", autouse=True)
def _library(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Put together once for all of pytest's processes."""
    kept = tmp_path_factory.getbasetemp().parent / "drawing-library"
    if not kept.exists():
        beside = tmp_path_factory.mktemp("library") / "packed"
        beside.write_text(bundle.packed())
        beside.replace(kept)
    packed = kept.read_text()
    pytest.MonkeyPatch().setattr(bundle, "packed", lambda: packed)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return experiment(tmp_path_factory.mktemp("experiment") / "e")


@pytest.fixture(scope="module")
def path(folder: Path) -> Path:
    path = folder.parent / "report.html"
    path.write_text(page_of(folder))
    return path


@pytest.fixture
def page(browser: Chrome, path: Path) -> Chrome:
    chromium.open_page(browser, path)
    return browser


def _written(folder: Path, *targets: Path) -> Path:
    path = folder / "report.html"
    path.write_text(page_of(*targets))
    return path


def _drawn(page: Chrome) -> dict[str, str]:
    script = "return [...document.querySelectorAll('[data-chart]')].map((at) => [at.dataset.chart, at.dataset.drawn])"
    return dict(page.execute_script(script))


def _column(page: Chrome, heading: str) -> list[str]:
    """Of the table of all cases, what stands below `heading`."""
    headings = [each.text for each in page.find_elements(By.CSS_SELECTOR, "#cases thead th")]
    number = headings.index(heading) + 1
    return [cell.text for cell in page.find_elements(By.CSS_SELECTOR, f"#cases tbody tr > :nth-child({number})")]


def _heading(page: Chrome, text: str) -> WebElement:
    return next(th for th in page.find_elements(By.CSS_SELECTOR, "#cases thead th") if th.text.startswith(text))


def test_all_pictures_are_drawn_nothing_is_logged_and_nobody_is_asked(browser: Chrome, path: Path) -> None:
    chromium.logged(browser)
    chromium.requested(browser)
    chromium.open_page(browser, path)
    assert _drawn(browser) == dict.fromkeys(CHARTS, "yes")
    assert chromium.logged(browser) == []
    asked = chromium.requested(browser)
    assert asked[0] == path.as_uri()
    assert all(address.startswith(("blob:", "data:")) for address in asked[1:])
    drawn = "return [...document.querySelectorAll('.chart > svg, .chart > canvas')].map((it) => it.clientWidth)"
    assert all(width > 300 for width in browser.execute_script(drawn))


def test_a_policy_of_its_own_forbids_the_page_to_ask_anybody(page: Chrome) -> None:
    """So that not even a hole in what it draws with could."""
    blocked = page.execute_async_script(
        "const done = arguments[0]; fetch('http://127.0.0.1:9/').then(() => done('sent'), () => 0);"
        "document.addEventListener('securitypolicyviolation', (event) => done(event.effectiveDirective));"
    )
    chromium.logged(page)
    assert blocked == "connect-src"


def test_tables_sort_by_their_headings_by_mouse_and_keyboard(page: Chrome) -> None:
    assert _column(page, "case") == ["arrow", "json", "parquet"]
    heading = _heading(page, "case")
    button = heading.find_element(By.TAG_NAME, "button")
    button.click()
    assert heading.get_attribute("aria-sort") == "ascending"
    button.send_keys(Keys.ENTER)
    assert heading.get_attribute("aria-sort") == "descending"
    assert _column(page, "case") == ["parquet", "json", "arrow"]
    step = _heading(page, "step")
    step.find_element(By.TAG_NAME, "button").send_keys(Keys.SPACE)
    assert step.get_attribute("aria-sort") == "ascending"
    assert heading.get_attribute("aria-sort") == "none"
    assert _column(page, "case")[0] == "arrow"


def test_it_turns_dark_with_its_button_and_with_the_systems_colours(page: Chrome) -> None:
    def looks() -> tuple[str, str]:
        text = "[...document.querySelectorAll('#chart-verdict svg text')].find((it) => it.textContent === 'arrow')"
        script = f"return [getComputedStyle(document.body).backgroundColor, {text}.getAttribute('fill')]"
        return tuple(page.execute_script(script))

    light = looks()
    toggle = page.find_element(By.ID, "theme")
    toggle.click()
    dark = looks()
    assert toggle.text == "Light", "it does not say what it does next"
    assert dark[0] != light[0]
    assert dark[1] != light[1]
    toggle.click()
    assert looks() == light
    page.execute_script("delete document.documentElement.dataset.theme")
    dusk = [{"name": "prefers-color-scheme", "value": "dark"}]
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": dusk})
    WebDriverWait(page, chromium.PATIENCE_SECONDS).until(lambda _: looks() == dark)
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_by_keyboard_the_first_thing_is_the_way_to_the_answer(page: Chrome) -> None:
    ActionChains(page).send_keys(Keys.TAB).perform()
    focused = page.switch_to.active_element
    assert focused.text == "Skip to the answer"
    assert focused.rect["x"] >= 0
    outline = page.execute_script("return getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    focused.send_keys(Keys.ENTER)
    assert page.switch_to.active_element.get_attribute("id") == "answer"


def test_a_screen_reader_finds_landmarks_captions_and_a_text_for_each_picture(page: Chrome) -> None:
    tree = page.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    told = [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in tree if not node.get("ignored")]
    roles = [role for role, _ in told]
    assert {"banner", "navigation", "main", "contentinfo"} <= set(roles)
    pictures = [name for role, name in told if role in ("img", "image") and name]
    assert len(pictures) >= len(CHARTS)
    assert any("3 cases from arrow with the lowest median" in name for name in pictures)
    assert "graphics-symbol" not in roles
    assert all(name for role, name in told if role in ("table", "button", "combobox", "heading", "region"))


def test_one_case_can_be_looked_at_by_itself(page: Chrome) -> None:
    choice = page.find_element(By.CSS_SELECTOR, "#controls-ecdf select")
    choice.send_keys("parquet")
    assert choice.get_attribute("value") == "parquet"
    assert chromium.logged(page) == []


def test_raw_data_are_saved_as_csv(page: Chrome, folder: Path, tmp_path: Path) -> None:
    page.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    page.find_element(By.CSS_SELECTOR, "[data-csv=samples]").click()
    saved = tmp_path / "samples.csv"
    WebDriverWait(page, chromium.PATIENCE_SECONDS).until(lambda _: saved.exists() and saved.stat().st_size)
    assert saved.read_bytes().decode() == csv_text(view_of(folder).tables["samples"])


def test_it_fits_a_phone(page: Chrome, path: Path) -> None:
    narrow = {"width": 400, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", narrow)
    try:
        chromium.open_page(page, path)
        assert page.execute_script("return document.documentElement.scrollWidth <= 400")
        assert set(_drawn(page).values()) == {"yes"}
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_printed_from_the_dark_it_is_light(page: Chrome) -> None:
    page.find_element(By.ID, "theme").click()
    page.execute_script(
        "addEventListener('beforeprint', () => { const text = document.querySelector('#chart-verdict svg text');"
        "document.title = `${getComputedStyle(document.body).backgroundColor} ${text.getAttribute('fill')}`; })"
    )
    printed = page.execute_cdp_cmd("Page.printToPDF", {})
    assert base64.b64decode(printed["data"]).startswith(b"%PDF")
    assert page.title.endswith("#24292f")


@pytest.mark.parametrize("what", ["hostile", "all interrupted", "one step", "hostile cases"])
def test_nothing_that_a_file_says_upsets_the_page(what: str, browser: Chrome, tmp_path: Path) -> None:
    runs = {
        "hostile": hostile(),
        "all interrupted": all_interrupted(),
        "one step": make_run(run_id="r1", chains=1, steps=1, concurrency=1),
    }
    cases = {HOSTILE: 900.0, "' || x": 1_000.0, "</script>": 1_100.0}
    folder = one_run(tmp_path / "r", runs[what]) if what in runs else experiment(tmp_path / "e", cases)
    chromium.logged(browser)
    chromium.open_page(browser, _written(tmp_path, folder))
    assert set(_drawn(browser).values()) == {"yes"}
    assert chromium.logged(browser) == []
    assert browser.find_elements(By.CSS_SELECTOR, "main b, main script") == []


@pytest.mark.infra
def test_ten_thousand_samples_are_below_4_mb_and_open_within_3_seconds(browser: Chrome, tmp_path: Path) -> None:
    for number in range(10):
        serializer = ("json", "arrow", "parquet", "msgpack", "csv")[number % 5]
        compression = ("none", "zstd:3")[number // 5]
        made = make_run(
            number, run_id=f"r{number}", chains=10, steps=100, serializer=serializer, compression=compression
        )
        made.write(tmp_path)
    path = _written(tmp_path, tmp_path)
    assert path.stat().st_size < MOST_BYTES
    assert chromium.open_answer(browser, path) < MOST_SECONDS
    chromium.open_page(browser, path)
    assert set(_drawn(browser).values()) == {"yes"}
    assert chromium.logged(browser) == []
