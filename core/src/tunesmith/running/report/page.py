from typing import Any


def page_of(facts: dict[str, Any]) -> str:
    return "<!doctype html>"
