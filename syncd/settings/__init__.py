"""The configuration: found, read, checked and frozen."""

from syncd.settings.load import find, load
from syncd.settings.settings import Log, Settings, Store

__all__ = ["Log", "Settings", "Store", "find", "load"]
