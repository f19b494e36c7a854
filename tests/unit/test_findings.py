"""The pages of `docs/findings/`: each names the cells that it explains, as `tests/known_issues.toml` does."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

import pytest

from harness.model import known
from harness.model.payloads import PAYLOADS
from harness.plugin import ROOT

FOLDER = ROOT / "docs" / "findings"
ISSUES = known.parse((ROOT / "tests" / "known_issues.toml").read_text(encoding="utf-8"), "known_issues.toml")
PAGES = sorted({issue.link for issue in ISSUES if issue.link.startswith("docs/findings/")})


def behaviours(page: str) -> set[str]:
    """Return what the entries that link a page call its cells, in the last part of their ids."""
    words = {
        word for issue in ISSUES if issue.link == page for cell in issue.cells for word in cell.split("/")[4].split("|")
    }
    return words - {"*"}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_names_the_cells_of_its_known_issues(page: str) -> None:
    section = (ROOT / page).read_text(encoding="utf-8").partition("\n## Cells\n")[2].partition("\n## ")[0]
    assert behaviours(page) - set(re.findall(r"[\w-]+", section)) == set()


@pytest.mark.parametrize("page", PAGES)
def test_the_table_of_findings_names_the_behaviours_that_show_a_page(page: str) -> None:
    rows = (FOLDER / "README.md").read_text(encoding="utf-8").splitlines()
    row = next(row for row in rows if row.startswith("|") and f"]({page.rpartition('/')[2]})" in row)
    globs = re.findall(r"`([^`]+)`", row.split("|")[-2])
    unnamed = {word for word in behaviours(page) - set(PAYLOADS) if not any(fnmatchcase(word, glob) for glob in globs)}
    assert unnamed == set()


def test_every_page_stands_in_the_table() -> None:
    table = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in FOLDER.glob("*-*.md") if f"]({page.name})" not in table] == []
