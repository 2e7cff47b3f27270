"""What a daemon shows of itself over HTTP: /livez, /readyz, /metrics. It asks no provider anything."""

from syncd.health.board import Board

__all__ = ["Board"]
