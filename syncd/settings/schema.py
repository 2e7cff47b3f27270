"""The JSON Schema (draft 2020-12) of a configuration, for editors and for `syncd config schema`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from syncd.settings import sections
from syncd.settings.connections import Registry

DIALECT = "https://json-schema.org/draft/2020-12/schema"
REFERENCE = {
    "type": "string",
    "pattern": "^(env|file):",
    "description": "env:NAME is an environment variable, file:PATH the content of a file.",
}
_TYPED = ("boolean", "integer", "number")


def schema(registry: Registry) -> dict[str, Any]:
    """One definition for each connector: the keys that every connection has, and its own."""
    root = sections.Root.model_json_schema()
    definitions: dict[str, Any] = root.pop("$defs")
    common = sections.Connection.model_json_schema()
    definitions |= common.pop("$defs")
    for name, options in sorted(registry.items()):
        own = options.model_json_schema()
        definitions |= own.pop("$defs", {})
        definitions[name] = _connection(name, common, own)
    root["properties"]["connections"] = _connections(registry)
    plain = {**root, "$defs": definitions, "patternProperties": {"^x-": {"description": "Ignored: a place for anchors."}}}
    referable: dict[str, Any] = _referable(_bare(plain))
    referable["$defs"]["Reference"] = REFERENCE
    return {"$schema": DIALECT, "title": "syncd configuration", **referable, "description": "Configuration of syncd."}


def text(registry: Registry) -> str:
    """The schema as it is printed and kept beside the example."""
    return json.dumps(schema(registry), indent=2, ensure_ascii=False) + "\n"


def _connection(name: str, common: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    properties = {**common["properties"], **own["properties"], "connector": {"const": name}, "write": {"$ref": "#/$defs/Write"}}
    return {
        "type": "object",
        "description": own.get("description", ""),
        "properties": properties,
        "required": ["connector", *own.get("required", [])],
        "dependentRequired": {"limits": ["write"], "settle": ["write"]},
        "additionalProperties": False,
    }


def _connections(registry: Registry) -> dict[str, Any]:
    chosen = [
        {"if": {"properties": {"connector": {"const": name}}, "required": ["connector"]}, "then": {"$ref": f"#/$defs/{name}"}}
        for name in sorted(registry)
    ]
    one = {"type": "object", "required": ["connector"], "properties": {"connector": {"enum": sorted(registry)}}, "allOf": chosen}
    return {
        "type": "object",
        "description": "The systems that syncd reads and writes, by a name of your choice.",
        "propertyNames": {"pattern": sections.NAME},
        "additionalProperties": one,
    }


def _bare(node: Any) -> Any:
    """Without titles made from names and defaults that say nothing; descriptions on one line."""
    if isinstance(node, list):
        return [_bare(one) for one in node]
    if not isinstance(node, dict):
        return node
    kept = {key: _bare(value) for key, value in node.items() if not _noise(key, value, node)}
    about = kept.get("description")
    return kept | ({"description": " ".join(about.replace("``", "`").split())} if isinstance(about, str) else {})


def _noise(key: str, value: Any, node: dict[str, Any]) -> bool:
    if key == "default":
        return value is None or "$ref" in node or "oneOf" in node
    return key == "title" and isinstance(value, str)


def _referable(node: Any) -> Any:
    """Every value that is not text already may also be given by reference."""
    if isinstance(node, list):
        return [_referable(one) for one in node]
    if not isinstance(node, dict):
        return node
    if node.get("type") in _TYPED or "enum" in node:
        about = {key: node[key] for key in ("description", "default") if key in node}
        return {"anyOf": [{key: value for key, value in node.items() if key not in about}, {"$ref": "#/$defs/Reference"}], **about}
    return {key: value if key == "if" else _referable(value) for key, value in node.items()}
