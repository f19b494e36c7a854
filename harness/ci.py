"""The workflows, rendered from `ci/templates/` and the peers' manifests: a new peer is in CI by its manifest."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import jinja2

from harness.errors import SetupFault
from harness.peers.manifest import Manifest

TEMPLATES: Final = Path("ci") / "templates"
WORKFLOWS: Final = Path(".github") / "workflows"
SUFFIX: Final = ".yml.j2"

SETTINGS: Final = {
    "systems": {"linux": "ubuntu-latest", "windows": "windows-latest", "macos": "macos-latest"},
    "python": "3.13",
    "shards": 3,
    "logic": "tests/unit tests/contract tests/host tests/windows tests/proofs",
    "soak": "2h",
}
"""What the templates are filled with, beside the peers."""


def render(root: Path, manifests: Mapping[str, Manifest]) -> dict[Path, str]:
    """Return each workflow's text by its path below `root`. SetupFault for a template that cannot be filled."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(root / TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    languages = {one.language for one in manifests.values()}
    found = {}
    try:
        for name in sorted(environment.list_templates()):
            if name.endswith(SUFFIX):
                text = environment.get_template(name).render(SETTINGS, peers=[*manifests], languages=languages)
                found[WORKFLOWS / name.removesuffix(".j2")] = text.lstrip("\n")
    except jinja2.TemplateError as error:
        raise SetupFault(f"{TEMPLATES}: {error}") from None
    if not found:
        raise SetupFault(f"{root / TEMPLATES}: no template (*{SUFFIX}) is there")
    return found


def stale(root: Path, rendered: Mapping[Path, str]) -> list[Path]:
    """Return the workflows that are not as they are rendered, and those that no template makes."""
    there = {file.relative_to(root) for file in (root / WORKFLOWS).glob("*.yml")}
    changed = {
        path
        for path, text in rendered.items()
        if path not in there or (root / path).read_text(encoding="utf-8") != text
    }
    return sorted(changed | (there - rendered.keys()))


def write(root: Path, rendered: Mapping[Path, str]) -> list[Path]:
    """Write what is not as it should be, and remove what no template makes; returns what was changed."""
    changed = stale(root, rendered)
    for path in changed:
        file = root / path
        if path in rendered:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(rendered[path], encoding="utf-8", newline="\n")
        else:
            file.unlink()
    return changed
