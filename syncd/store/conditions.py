"""Conditions that tables and queries share; a module of their own, because SQLModel is slow to import and only migrations need tables."""

from __future__ import annotations


def out_of_step(prefix: str = "") -> str:
    """The condition of the partial index: the sides differ, and neither a vain write nor a person's no is about just this pair."""

    def pair(name: str) -> str:
        return (
            f"({prefix}desired IS NOT DISTINCT FROM {prefix}{name}_desired AND {prefix}actual IS NOT DISTINCT FROM {prefix}{name}_actual)"
        )

    return f"{prefix}desired IS DISTINCT FROM {prefix}actual AND NOT {pair('tried')} AND NOT {pair('refused')}"
