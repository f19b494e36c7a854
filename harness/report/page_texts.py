"""The page's texts in English and Chinese (`templates/texts.toml`), and how a template says one in both."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Final

from markupsafe import Markup, escape

LANGUAGES: Final = ("en", "zh")


@cache
def tables() -> dict[str, dict[str, list[str]]]:
    """Return the file: `texts` by key, and the `words` of drawings by their English; each in every language."""
    text = files("harness.report").joinpath("templates", "texts.toml").read_text(encoding="utf-8")
    found: dict[str, dict[str, list[str]]] = tomllib.loads(text)
    return found


def say(key: str, **values: object) -> Markup:
    """Return a text in every language; the page shows the one that was chosen. KeyError for a key without a text."""
    return Markup("").join(
        Markup('<span lang="{}">{}</span>').format(language, filled(key, language, values)) for language in LANGUAGES
    )


def filled(key: str, language: str, values: dict[str, object]) -> Markup:
    """Return a text in one language, its {places} filled and escaped."""
    text = tables()["texts"][key][LANGUAGES.index(language)]
    return Markup(escape(text)).format(**{name: shown(value) for name, value in values.items()})


def shown(value: object) -> object:
    """Spell a number with commas between thousands, and anything else as it is."""
    return f"{value:,}" if isinstance(value, int) else value
