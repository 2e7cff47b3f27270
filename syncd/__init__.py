"""syncd: a directory synchronization daemon: people in one place become users in another."""

__version__ = "0.1.0"
