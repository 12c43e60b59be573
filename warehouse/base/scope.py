"""Who may see what. Every evaluate, export, snapshot and log line takes a Scope and an actor."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Scope:
    """The subtrees (node codes) and themes a viewer may see; None means all of them."""

    nodes: frozenset[str] | None = None
    domains: frozenset[str] | None = None

    @classmethod
    def everything(cls) -> Scope:
        """Return the scope of the store's owner."""
        return cls()

    def allows_theme(self, theme: str) -> bool:
        """Tell whether figures of this theme may be seen."""
        return self.domains is None or theme in self.domains
