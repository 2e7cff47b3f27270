"""dlt in a process of its own: users by its rest_api source, merged into PostgreSQL, twice; prints seconds and CPU seconds of each run.

It waits for a line before each run and after the last, so that whoever started it can look at the database meanwhile.
"""

from __future__ import annotations

import json
import os
import sys
import time

import dlt
from dlt.sources.rest_api import rest_api_source


def main(api: str, user: str, password: str, database: str, directory: str) -> None:
    """``database``: its URL; dlt wants a host in it, though the socket in its query is what leads there."""
    place = dlt.destinations.postgres(database.replace("@/", "@localhost/"))
    pipeline = dlt.pipeline("bench", pipelines_dir=directory, destination=place, dataset_name="bench")
    for _ in range(2):
        sys.stdin.readline()
        before, started = sum(os.times()[:4]), time.perf_counter()
        pipeline.run(_users(api, user, password)).raise_on_failed_jobs()
        print(json.dumps([time.perf_counter() - started, sum(os.times()[:4]) - before]), flush=True)
    sys.stdin.readline()


def _users(api: str, user: str, password: str) -> object:
    endpoint = {"path": "Users", "params": {"PageSize": 50}, "data_selector": "users"}
    return rest_api_source(
        {
            "client": {
                "base_url": f"{api}/v1/",
                "auth": {"type": "http_basic", "username": user, "password": password},
                "paginator": {"type": "json_link", "next_url_path": "meta.next_page_url"},
            },
            "resources": [{"name": "users", "primary_key": "sid", "write_disposition": "merge", "endpoint": endpoint}],
        }
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
