"""The pages without cells in a real browser: studies, and two runs compared."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.report import changes, comparison, page_small
from tests.browser.conftest import Browser
from tests.browser.runs import small
from tests.unit.test_page_plots import SOAK

pytestmark = pytest.mark.browser


@pytest.fixture(params=["studies", "comparison"])
def page(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return one of the pages."""
    if request.param == "studies":
        (tmp_path / "soak.json").write_text(json.dumps(SOAK), encoding="utf-8")
        return page_small.studies(tmp_path, "soak")
    before, after = small()
    assert comparison.of(before, after).changes.of(changes.Kind.BROKEN)
    return page_small.comparison(tmp_path / "changes.html", comparison.of(before, after))


def test_a_click_changes_the_language_and_a_link_keeps_it(browser: Browser, page: Path) -> None:
    browser.open(page)
    first = browser.text("h1")
    assert first.isascii()
    browser.click("[data-language=zh]")
    assert browser.fragment == "#lang=zh"
    assert not browser.text("h1").isascii()
    browser.open(page, "#lang=zh")
    assert not browser.text("h1").isascii()
    browser.click("[data-language=en]")
    assert browser.text("h1") == first


def test_a_phone_needs_no_scrolling_sideways(browser: Browser, page: Path) -> None:
    browser.open(page, width=390)
    assert browser.ask("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_can_be_read_on_their_colours(browser: Browser, page: Path, scheme: str) -> None:
    browser.open(page)
    browser.do("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    assert browser.ask(Path(__file__).with_name("contrast.js").read_text(encoding="utf-8")) == []
