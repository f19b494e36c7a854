"""A real browser without a network, and the pages that it opens."""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from harness.report import changes, page
from tests.browser.runs import large, small

BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "chrome")
INSTALL: Final = "no browser to look at the page with; run: apt-get install chromium chromium-driver"


def programs() -> tuple[str, str]:
    """Return browser and driver; skips the test where a person may leave them out, and fails it in CI."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if browser and driver:
        return browser, driver
    if os.environ.get("CI", "").lower() not in ("", "0", "false"):
        pytest.fail(INSTALL)
    pytest.skip(INSTALL)


class Browser:
    """A headless Chromium that reaches no host; what its console says is kept."""

    def __init__(self, program: str, driver: str, profile: Path) -> None:
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service

        options = webdriver.ChromeOptions()
        options.binary_location = program
        for word in ("headless=new", "disable-gpu", "disable-dev-shm-usage", "lang=en-US", f"user-data-dir={profile}"):
            options.add_argument(f"--{word}")
        options.add_argument("--host-resolver-rules=MAP * ~NOTFOUND")
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            options.add_argument("--no-sandbox")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options, Service(driver))
        self.told: list[str] = []

    def open(self, file: Path, fragment: str = "", width: int = 1280) -> None:
        """Load a page anew."""
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        self.do("Emulation.setDeviceMetricsOverride", **size)
        self.driver.get("about:blank")
        self.driver.get(f"{file.as_uri()}{fragment}")

    def do(self, command: str, **params: Any) -> Any:
        """Carry out a command of the DevTools protocol."""
        return self.driver.execute_cdp_cmd(command, params)

    def ask(self, expression: str) -> Any:
        """Return the value of a JavaScript expression."""
        return self.driver.execute_script(f"return {expression}")

    def run(self, script: str) -> None:
        """Run a script in the page."""
        self.driver.execute_script(script)

    def click(self, selector: str) -> None:
        """Click the first such element, where the user would have to scroll to it."""
        element = self.driver.find_element("css selector", selector)
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", element)
        element.click()

    def press(self, *keys: str) -> None:
        """Press keys, wherever the focus is."""
        from selenium.webdriver import ActionChains

        for key in keys:
            ActionChains(self.driver).send_keys(key).perform()

    def text(self, selector: str) -> str:
        """Return what such an element shows."""
        return str(self.driver.find_element("css selector", selector).text)

    def count(self, selector: str) -> int:
        """Return how many such elements there are."""
        return len(self.driver.find_elements("css selector", selector))

    @property
    def fragment(self) -> str:
        """The part of the address after #."""
        return str(self.ask("location.hash"))

    @property
    def complaints(self) -> list[str]:
        """What the console said since the last time, errors and warnings."""
        return [str(line["message"]) for line in self.driver.get_log("browser")]  # type: ignore[no-untyped-call]

    def printed(self) -> bytes:
        """Print the page; returns a PDF."""
        return base64.b64decode(self.do("Page.printToPDF", printBackground=True)["data"])


@pytest.fixture(scope="session")
def _browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    started = Browser(*programs(), tmp_path_factory.mktemp("profile"))
    yield started
    started.driver.quit()


@pytest.fixture
def browser(_browser: Browser) -> Iterator[Browser]:
    """The browser; a test in which its console complains has failed."""
    _browser.do("Emulation.setEmulatedMedia", media="", features=[])
    yield _browser
    assert _browser.complaints == []


@pytest.fixture(scope="session")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a run with every verdict, compared with a run before it."""
    before, after = small()
    file = tmp_path_factory.mktemp("few") / page.PAGE
    file.write_text(page.render(after, changes.between(before, after), file.parent), encoding="utf-8")
    return file


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a run of 5,000 cells."""
    file = tmp_path_factory.mktemp("many") / page.PAGE
    file.write_text(page.render(large(), None, file.parent), encoding="utf-8")
    return file
