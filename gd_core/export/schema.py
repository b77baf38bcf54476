"""Whether a value is as a JSON Schema says, and one sentence where it is not.

Of JSON Schema 2020-12 what `record_schema.json` has. The package jsonschema, to which tests hold this, takes half a minute
for a record of 20 MB, and its messages are not for a reader.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from gd_core.settings.fields import quoted

Schema = Mapping[str, Any]
KEYWORDS = {
    "$schema", "$defs", "$ref", "title", "description", "type", "const", "enum", "anyOf", "required", "properties",
    "additionalProperties", "items", "minItems", "maxItems", "minimum", "maximum",
}  # fmt: skip
KINDS: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "object": ("an object", lambda value: isinstance(value, dict)),
    "array": ("a list", lambda value: isinstance(value, list)),
    "string": ("a text", lambda value: isinstance(value, str)),
    "boolean": ("true or false", lambda value: isinstance(value, bool)),
    "null": ("null", lambda value: value is None),
    "number": ("a number", lambda value: isinstance(value, (int, float)) and not isinstance(value, bool)),
    "integer": (
        "a whole number",
        lambda value: type(value) is int or (isinstance(value, float) and value.is_integer()),
    ),
}


class Broken(NamedTuple):
    """A rule that is broken: where, which, by what."""

    path: str
    rule: str
    value: str

    def __str__(self) -> str:
        return f"{self.path} must {self.rule}. Got {self.value}."

    def inside(self, key: str) -> "Broken":
        """The same, seen from outside of the object or list that it was found in."""
        dot = "." if self.path and not self.path.startswith("[") else ""
        return self._replace(path=f"{key}{dot}{self.path}")


Check = Callable[[Any], Broken | None]


def checker(schema: Schema, root: Schema | None = None) -> Check:
    """What gives the first rule of a schema that a value breaks, or None.

    Args:
        schema: The rules.
        root: Whose `$defs` they refer to; by default their own.
    """
    root = schema if root is None else root
    if strange := schema.keys() - KEYWORDS:
        raise ValueError(f"schema must have keywords that are known here. Got {', '.join(sorted(strange))}.")
    if reference := schema.get("$ref"):
        return checker(root["$defs"][reference.removeprefix("#/$defs/")], root)
    if choices := schema.get("anyOf"):
        return _any_of([checker(choice, root) for choice in choices])
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    fits = [KINDS[kind][1] for kind in kinds]
    low, high = schema.get("minimum", -math.inf), schema.get("maximum", math.inf)
    fewest, most = schema.get("minItems", 0), schema.get("maxItems", math.inf)
    named = {name: checker(one, root) for name, one in schema.get("properties", {}).items()}
    rest = schema.get("additionalProperties", True)
    others = _no_others(list(named)) if rest is False else None if rest is True else checker(rest, root)
    of_items = checker(schema["items"], root) if "items" in schema else None
    of_numbers = kinds == ["number"]
    rule = _rule(schema, kinds)

    def check(value: Any) -> Broken | None:
        if of_numbers and type(value) is float and low <= value <= high:
            return None  # most of a record
        if fits and not any(fit(value) for fit in fits):
            return Broken("", rule, _shown(value))
        if "const" in schema and value != schema["const"]:
            return Broken("", rule, _shown(value))
        if "enum" in schema and value not in schema["enum"]:
            return Broken("", rule, _shown(value))
        if isinstance(value, dict):
            for key in schema.get("required", ()):
                if key not in value:
                    return Broken("", f"hold {key}", "none")
            for key, item in value.items():
                of_key = named.get(key, others)
                if of_key is not None and (found := of_key(item)):
                    return found.inside(quoted(key))
        elif isinstance(value, list):
            if not fewest <= len(value) <= most:
                return Broken("", rule, _shown(value))
            for place, item in enumerate(value if of_items else ()):
                if of_items and (found := of_items(item)):
                    return found.inside(f"[{place}]")
        elif KINDS["number"][1](value) and not low <= value <= high:
            return Broken("", rule, _shown(value))
        return None

    return check


def _no_others(names: list[str]) -> Check:
    return lambda value: Broken("", f"be left out, where {', '.join(names)} can stand", _shown(value))


def _any_of(checks: list[Check]) -> Check:
    def check(value: Any) -> Broken | None:
        found = [one(value) for one in checks]
        wrong = [one for one in found if one is not None]
        if len(wrong) < len(found):
            return None
        inner = next((one for one in wrong if one.path or not one.rule.startswith("be ")), None)
        joined = " or ".join(one.rule.removeprefix("be ") for one in wrong)
        return inner or Broken("", f"be {joined}", _shown(value))

    return check


def _rule(schema: Schema, kinds: list[str]) -> str:
    if "const" in schema:
        return f"be “{schema['const']}”"
    if "enum" in schema:
        return f"be one of {', '.join(schema['enum'])}"
    words = " or ".join(KINDS[kind][0] for kind in kinds)
    if "maxItems" in schema:
        words += f" of {schema.get('minItems', 0)} to {schema['maxItems']}"
    if kinds == ["integer"]:
        words += f" from {schema['minimum']:,} to {schema['maximum']:,}"
    elif "maximum" in schema:
        words = "a finite number"  # the bounds are those of a float
    return f"be {words}"


def _shown(value: Any) -> str:
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else f"a list of {len(value):,}"
    return "null" if value is None else quoted(value)
