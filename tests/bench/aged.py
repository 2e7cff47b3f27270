"""The sandbox as a process of its own, with Appwrite users who were made a day ago: what was just made counts as just changed."""

from __future__ import annotations

import sys
import threading
from datetime import timedelta

from syncd.environment import Environment
from syncd.sandbox import Sandbox, serve
from syncd.sandbox.appwrite_queries import stamp


def main(users: int) -> None:
    """Prints a configuration, then serves until its process is ended."""
    sandbox = Sandbox(users=users, only=["appwrite"])
    sandbox.appwrite.project.born = stamp(Environment().now() - timedelta(days=1))
    with serve(sandbox) as url:
        print(sandbox.config_yaml(url, ["appwrite"]), end="", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main(int(sys.argv[1]))
