"""An Appwrite project of twelve people and two strangers, in order; then two leave, one comes, one is renamed, and something goes wrong."""

from __future__ import annotations

from collections import Counter

from syncd.engine.report import Report
from tests.end_to_end.app import App, ident, mail, person, prefs
from tests.end_to_end.office import result

WRITE = "{attributes: {prefs.team: department}, deprovision: {out_of_scope: delete, departed: delete, grace: 0s}}"
STRANGERS = ("canary-1", "canary-2")
LEAVERS = {mail(1), mail(2)}
RENAMED, NEWCOMER = mail(3), mail(13)
CODES = {
    "20429": "general_rate_limit_exceeded", "20500": "general_unknown", "20503": "general_unknown", "20003": "general_unauthorized_scope",
    "20403": "general_access_forbidden",
}  # fmt: skip


def told(cause: str) -> str:
    """What the other provider's tests expect of a message, in this one's words."""
    for theirs, ours in {**{f"(code {a})": f"(code {b})" for a, b in CODES.items()}, "/v1/Users": "/users"}.items():
        cause = cause.replace(theirs, ours)
    return cause.removesuffix(" Too Many Requests").removesuffix(" Forbidden: the credentials are refused")


class Bureau:
    """``made``: e-mail address -> how often syncd made its account since the beginning."""

    def __init__(self, app: App) -> None:
        self.app, self.made = app, Counter[str]()
        self.wanted: dict[str, tuple[str, str]] = {}

    def employ(self, *rows: dict[str, str]) -> None:
        self.app.people(*rows)
        self.wanted = {row["email"]: (row["name"], row["department"]) for row in rows}

    async def opened(self) -> Bureau:
        project = self.app.project
        self.app.configure(WRITE, more="    dialect: 1.8", concurrency=4, lease="10m")
        for name in STRANGERS:
            project.create(name, f"{name}@else.example", name="Somebody")
            project.update(name, labels=("vip",), prefs='{"kept":[1,2]}')
        self.strangers = [project.users[name] for name in STRANGERS]
        self.employ(*(person(n, department="Sales") for n in range(1, 13)))
        assert (await self.run()).converged
        rest = [person(n, department="Sales") for n in range(4, 14)]
        self.employ(person(3, name="Person Renamed", department="Sales"), *rest)
        return self

    async def run(self) -> Report:
        report = await self.app.run("full")
        self.made.update(self.app.posts())
        return report

    def accounts(self) -> dict[str, tuple[str, str]]:
        users = [user for id, user in self.app.project.users.items() if id not in STRANGERS]
        return {user["email"]: (user["name"], prefs(user).get("team")) for user in users}

    def deletions(self) -> list[str]:
        gone = [one for one in self.app.log() if (one.method, one.status) == ("DELETE", 204) and not one.path.endswith("/sessions")]
        return sorted(one.identity or "" for one in gone)

    def unharmed(self) -> None:
        """What syncd does not own is as it was, to the byte; each account was made once."""
        assert [self.app.project.users[name] for name in STRANGERS] == self.strangers
        assert set(self.made.values()) == {1}, self.made

    async def recovers(self) -> None:
        """The fault is over: converged within two runs, all as wanted, and nothing more to do."""
        self.app.sandbox.faults = ()
        for _ in range(2):
            report = await self.run()
            if report.converged:
                break
        assert report.converged, (report, self.app.pending())
        await self.in_order()

    async def in_order(self) -> None:
        assert self.accounts() == self.wanted
        assert all(len(self.app.user(n)["labels"]) == 1 for n in range(3, 14) if ident(n) in self.app.project.users)
        self.unharmed()
        await self.app.rests()

    def error(self, report: Report) -> str:
        return result(report, "app").error
