"""Commands about CI: `ci render`."""

from __future__ import annotations

import click

from harness import ci as rendering
from harness.commands.base import ROOT, command, out
from harness.peers import manifest


@click.group()
def ci() -> None:
    """The workflows of CI."""


@ci.command()
@click.option("--check", is_flag=True, help="Change nothing; exit code 1 if a workflow is not as it is rendered.")
@command
def render(check: bool) -> int:
    """Write .github/workflows/ from ci/templates/ and the peers' manifests."""
    rendered = rendering.render(ROOT, manifest.find(ROOT / "peers"))
    changed = rendering.stale(ROOT, rendered) if check else rendering.write(ROOT, rendered)
    for path in changed:
        out.print(f"{'is not as it is rendered' if check else 'written'}: {path}", markup=False)
    return int(check and bool(changed))
