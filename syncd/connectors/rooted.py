"""Options of a provider that is reached over HTTP: where its API begins."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import Field, model_validator

from syncd.connectors.base import Options
from syncd.connectors.url import Root


class RootedOptions(Options):
    """``base_url``: the API root to which the documented paths are appended; each connector has its own default."""

    UNSEEN: ClassVar[frozenset[str]] = frozenset({"insecure_http"})

    base_url: str
    insecure_http: bool = Field(default=False, description="allow plain http beyond loopback")

    @model_validator(mode="after")
    def _rooted(self) -> Self:
        self.root()
        return self

    def root(self) -> Root:
        try:
            return Root.parse(self.base_url, self.insecure_http)
        except ValueError as error:
            raise ValueError(f"base_url {error}") from None
