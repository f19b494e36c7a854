"""Processor groups of Windows: how a number of a logical processor and a mask of a group belong together. Pure."""

from __future__ import annotations

from collections.abc import Sequence


def one_group(cores: Sequence[int], sizes: Sequence[int]) -> tuple[int, int]:
    """Return the group of these processors and their mask in it; `sizes` is how many each group holds.

    ValueError for none, for one that the machine lacks, and for processors of several groups.
    """
    if not cores:
        raise ValueError("no core is named")
    found: dict[int, int] = {}
    for core in cores:
        first = 0
        for group, size in enumerate(sizes):
            if first <= core < first + size:
                found[group] = found.get(group, 0) | 1 << (core - first)
                break
            first += size
        else:
            raise ValueError(f"there is no core {core}: this machine has 0 to {sum(sizes) - 1}")
    if len(found) > 1:
        told = " and ".join(f"group {group}" for group in sorted(found))
        raise ValueError(f"the cores are of {told}; a thread of Windows runs in one processor group: name cores of one")
    return next(iter(found.items()))


def numbers(group: int, mask: int, sizes: Sequence[int]) -> list[int]:
    """Return the processors of a group's mask, counted through over all groups."""
    first = sum(sizes[:group])
    return [first + bit for bit in range(sizes[group]) if mask >> bit & 1]
