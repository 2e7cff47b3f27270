"""What `syncd init --connector NAME` writes for each kind of target: its required keys, secrets as names of environment variables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from syncd.cli.exits import Misused
from syncd.cli.invocation import HIDDEN, registry
from syncd.cli.text import did_you_mean
from syncd.settings.draft import Target

SID = "0" * 32


@dataclass(frozen=True)
class Template:
    """``keys``: (key, environment variable or YAML value, comment); ``stands``: what a variable may hold, to try the draft with.

    ``apart``: what tells a second one of the kind from the first, where no variable does.
    """

    name: str
    keys: Sequence[tuple[str, str, str]]
    write: Sequence[str] = ()
    stands: Mapping[str, str] = field(default_factory=dict)
    apart: Mapping[str, tuple[str, str]] = field(default_factory=dict)


KNOWN = {
    "twilio": Template(
        "chat",
        (
            ("account_sid", "TWILIO_ACCOUNT_SID", "AC..."), ("auth_token", "TWILIO_AUTH_TOKEN", "or api_key_sid and api_key_secret"),
            ("# service_sid", "IS...", "absent: the account's default service"),
        ),
        ("disabled: {attributes.active: false}   # what disabling writes: Twilio has no switch",),
        {"TWILIO_ACCOUNT_SID": f"AC{SID}"},
    ),
    "appwrite": Template(
        "app",
        (
            ("base_url", "https://cloud.appwrite.io/v1", "self-hosted: https://HOST/v1"),
            ("project", "APPWRITE_PROJECT", "the project's id"),
            ("api_key", "APPWRITE_API_KEY", "with the scopes users.read and users.write"),
        ),
    ),
    "chatbotkit": Template(
        "bots",
        (("secret", "CHATBOTKIT_SECRET", "of the parent account"), ("# collection", "user", "on newer servers; unsaid: partner/user")),
        (
            "disabled: {meta.active: false}   # what disabling writes: ChatBotKit has no switch",
            "# attributes: {alias: lower(externalId)}   # unsaid, adopting an account might erase its alias, and is held",
        ),
        apart={"account": ("another-parent", "a name for this parent account")},
    ),
    "waii": Template(
        "sql",
        (("api_key", "WAII_API_KEY", "of an administrator"), ("organizations", "[my-organization]", "yours; with several, map org_id")),
        ("disabled: {variables.active: false}   # what disabling writes: Waii has no switch",),
        apart={"organizations": ("[another-organization]", "those of this connection")},
    ),
}  # fmt: skip


def targets(connectors: Sequence[str]) -> tuple[list[Target], dict[str, str]]:
    """The targets of a draft, and what its environment variables could hold, by name. Raises Misused for an unknown connector."""
    known = [name for name in registry() if name not in HIDDEN and name != "file"]
    made: list[Target] = []
    stands: dict[str, str] = {}
    for place, connector in enumerate(connectors):
        if connector not in known:
            told = "the people file is always there" if connector == "file" else f"no connector is called {connector!r}"
            raise Misused(f"--connector {connector}: {told}{did_you_mean(connector, known)}")
        again = connectors[:place].count(connector)
        one = KNOWN.get(connector) or _generic(connector)
        apart = {key: (key, *more) for key, more in one.apart.items()} if again else {}
        keys = [(key, _value(value, again), why) for key, value, why in ({each[0]: each for each in one.keys} | apart).values()]
        stands |= {_numbered(name, again): _stand(one, name, again) for _, name, _ in one.keys if _is_variable(name)}
        made.append(Target(_numbered(one.name, again).lower(), connector, keys, one.write))
    return made, stands


def _stand(one: Template, name: str, again: int) -> str:
    """Of each connection another, so that no two seem to be of one directory."""
    return f"{one.stands.get(name, 'x' * 32)[:-1]}{again}"


def _generic(connector: str) -> Template:
    """Of a connector that is installed beside: what its options require."""
    fields = registry()[connector].model_fields
    prefix = "".join(one if one.isalnum() else "_" for one in connector).upper()
    keys = [(name, f"{prefix}_{name.upper()}", one.description or "") for name, one in fields.items() if one.is_required()]
    return Template("".join(_letters(connector)) or "target", keys)


def _letters(connector: str) -> Iterator[str]:
    for one in connector.lower():
        if one.isascii() and one.isalnum():
            yield one


def _is_variable(value: str) -> bool:
    return value.isupper() and value.replace("_", "").isalnum()


def _value(value: str, again: int) -> str:
    return f"env:{_numbered(value, again)}" if _is_variable(value) else value


def _numbered(name: str, again: int) -> str:
    return f"{name}_{again + 1}" if again else name
