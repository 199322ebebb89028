"""Hypothesis strategies for tests of plugins: values that fit a schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith_data.api import alternatives, expanded


def fitting(schema: Mapping[str, Any], text: Any = None) -> Any:
    """A strategy of values that fit a JSON Schema of the subset that Tunesmith knows (a format's rows, a provider's settings).

    Args:
        text: strategy of strings; default: any.
    """
    from hypothesis import strategies as st

    schema = expanded(schema)

    def values(schema: Mapping[str, Any]) -> Any:
        if len(forms := alternatives(schema)) > 1:
            return st.one_of([values(form) for form in forms])
        if "anyOf" in schema:
            return st.one_of([values(option) for option in schema["anyOf"]])
        if "const" in schema:
            return st.just(schema["const"])
        if "enum" in schema:
            return st.sampled_from(schema["enum"])
        if isinstance(schema.get("type"), list):
            return st.one_of([values({**schema, "type": kind}) for kind in schema["type"]])
        return {"object": objects, "array": arrays, "string": strings}.get(schema.get("type", "string"), plain)(schema)

    def objects(schema: Mapping[str, Any]) -> Any:
        known = {name: values(entry) for name, entry in schema.get("properties", {}).items()}
        required = {name: known.pop(name, strings({})) for name in schema.get("required", ())}
        if not required and not known:
            return st.dictionaries(strings({}), strings({}), max_size=2)
        return st.fixed_dictionaries(required, optional=known)

    def arrays(schema: Mapping[str, Any]) -> Any:
        least = schema.get("minItems", 0)
        return st.lists(values(schema.get("items", {})), min_size=least, max_size=max(least, 4))

    def strings(schema: Mapping[str, Any]) -> Any:
        least = schema.get("minLength", 0)
        return text.filter(lambda value: len(value) >= least) if text is not None else st.text(min_size=least, max_size=20)

    def plain(schema: Mapping[str, Any]) -> Any:
        least, most = schema.get("minimum"), schema.get("maximum")
        kinds = {"integer": st.integers(least, most), "number": st.floats(least, most, allow_nan=False), "boolean": st.booleans()}
        return kinds.get(schema["type"], st.none())

    return values(schema)
