"""Peer manifests: small TOML files that say how a peer is built and run (CONTRACT.md, section 8)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from harness.errors import SetupFault
from harness.model.patterns import IMPLEMENTATIONS, MIXED

SUFFIX: Final = ".peer.toml"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")
_KEYS: Final = {"name", "language", "sources", "build", "toolchain", "run", "env", "library"}


@dataclass(frozen=True, slots=True)
class Manifest:
    """How to build and run one peer. Commands may hold ``{output}``, ``{python}`` and ``{here}``."""

    name: str
    language: str
    file: Path
    run: tuple[str, ...]
    build: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    toolchain: tuple[tuple[str, ...], ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    library: str = ""

    @property
    def here(self) -> Path:
        """The folder that relative paths and globs start from."""
        return self.file.parent

    def with_arguments(self, name: str, *arguments: str) -> Manifest:
        """Return the same peer under another name, started with more arguments (planted faults use this)."""
        return replace(self, name=name, run=(*self.run, *arguments))


def load(file: Path) -> Manifest:
    """Read one manifest. SetupFault names file, key and reason."""
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SetupFault(f"{file}: cannot be read: {error.strerror}; give the path of a manifest") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SetupFault(f"{file}: not TOML: {error}") from None
    if extra := data.keys() - _KEYS:
        raise SetupFault(f"{file}: unknown key {sorted(extra)[0]!r}; known are {', '.join(sorted(_KEYS))}")
    name = data.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise SetupFault(f"{file}: key 'name' must be letters, digits and '-', not {name!r}")
    if name == MIXED:
        raise SetupFault(f"{file}: key 'name': {MIXED!r} means several peers at once; take another name")
    if not isinstance(data.get("language"), str) or not data["language"]:
        raise SetupFault(f"{file}: key 'language' must be a text that is not empty")
    library = data.get("library", "")
    if not isinstance(library, str) or any(map(str.isspace, library)):
        raise SetupFault(f"{file}: key 'library' must be the name of a package or module, not {library!r:.60}")
    run = _words(file, "run", data.get("run"))
    if not run:
        raise SetupFault(f"{file}: key 'run' must name a command")
    build = _words(file, "build", data.get("build", []))
    if any("{output}" in word for word in run) and not any("{output}" in word for word in build):
        raise SetupFault(f"{file}: key 'run' uses {{output}}, but 'build' does not make it")
    toolchain = data.get("toolchain", [])
    if not isinstance(toolchain, list) or [] in toolchain:
        raise SetupFault(f"{file}: key 'toolchain' must be a list of commands")
    env = data.get("env", {})
    if not isinstance(env, dict) or not all(isinstance(value, str) for value in env.values()):
        raise SetupFault(f"{file}: key 'env' must be a table of texts")
    for variable, value in env.items():
        if not variable or "=" in variable or "\0" in variable + value:
            raise SetupFault(f"{file}: key 'env.{variable}': no variable can have this name or value")
    for word in (*run, *build):
        for hole in re.findall(r"\{(\w*)\}", word):
            if hole not in ("output", "python", "here"):
                raise SetupFault(f"{file}: {{{hole}}} is no placeholder; there are {{output}}, {{python}}, {{here}}")
    return Manifest(
        name=name,
        language=data["language"],
        file=file.resolve(),
        run=run,
        build=build,
        sources=_words(file, "sources", data.get("sources", [])),
        toolchain=tuple(_words(file, "toolchain", command) for command in toolchain),
        env=tuple(sorted(env.items())),
        library=library,
    )


def _words(file: Path, key: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(word, str) and word for word in value):
        raise SetupFault(f"{file}: key {key!r} must be a list of texts, not {value!r:.60}")
    return tuple(value)


def find(folder: Path, extra: Iterable[Path] = ()) -> dict[str, Manifest]:
    """Read every manifest below `folder`, and the extra ones; the harness's own implementations come first."""
    manifests: dict[str, Manifest] = {}
    for file in [*sorted(folder.rglob(f"*{SUFFIX}")), *extra]:
        manifest = load(file)
        if manifest.name in manifests:
            raise SetupFault(f"{file}: key 'name': {manifest.name!r} is taken by {manifests[manifest.name].file}")
        manifests[manifest.name] = manifest
    if not manifests:
        raise SetupFault(f"{folder}: no peer manifest (*{SUFFIX}) below this folder")
    return {name: manifests[name] for name in ordered(manifests)}


def ordered(names: Iterable[str]) -> Sequence[str]:
    """Sort implementation names: those that come with the harness in their order, then the others by name."""
    pool = set(names)
    return [*(name for name in IMPLEMENTATIONS if name in pool), *sorted(pool - set(IMPLEMENTATIONS))]
