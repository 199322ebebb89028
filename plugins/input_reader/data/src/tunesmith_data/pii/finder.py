"""Personal data in a text: what looks like it by a pattern, and is it by a library's check.

Telephone numbers are told by `phonenumbers` (Google's libphonenumber); card, account and identity numbers by the check digits and rules of
`python-stdnum`. Names and street addresses are not found: that takes a model of the language.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

#: kind -> what it is called
KINDS = {
    "email": "e-mail addresses", "phone": "telephone numbers", "card": "card numbers", "iban": "account numbers (IBAN)",
    "national-id": "identity numbers", "ip": "public IP addresses",
}  # fmt: skip
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]+@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}(?![\w-])")
_RESERVED = re.compile(r"(?:^|[@.])(?:example(?:\.(?:com|org|net))?|test|invalid|localhost)$", re.IGNORECASE)  # RFC 2606
_CARD = re.compile(r"(?<![\d.,-])(?:\d[ -]?){12,18}\d(?![\d.,]*\d)")
_IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?!\w)")
_IP = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])")
_US_SSN = re.compile(r"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])")
_CN_ID = re.compile(r"(?<!\w)\d{17}[\dXx](?!\w)")
_CN_MOBILE = re.compile(r"(?<![\d+])1[3-9]\d(?:[ -]?\d{4}){2}(?!\d)")
_DIGITS = re.compile(r"\d(?:\D{0,3}\d){6}")  # what has fewer digits together is no number of these kinds


class Found(NamedTuple):
    kind: str
    start: int
    end: int


def personal_data(text: str) -> list[Found]:
    """In the order of the text, none within another."""
    found = sorted(_all(text), key=lambda one: (one.start, -one.end, list(KINDS).index(one.kind)))
    kept: list[Found] = []
    for one in found:
        if not kept or one.start >= kept[-1].end:
            kept.append(one)
    return kept


def masked(value: Any) -> tuple[Any, list[str]]:
    """A row, or what is in it, with personal data replaced by its kind (``[EMAIL]``), and the kinds of what was replaced."""
    if isinstance(value, str):
        if value.startswith("data:"):  # a medium
            return value, []
        found = personal_data(value)
        for one in reversed(found):
            value = f"{value[: one.start]}[{one.kind.upper()}]{value[one.end :]}"
        return value, [one.kind for one in found]
    if isinstance(value, Mapping):
        made = {key: masked(inner) for key, inner in value.items()}
        return {key: inner for key, (inner, _) in made.items()}, [kind for _, kinds in made.values() for kind in kinds]
    if isinstance(value, list):
        every = [masked(inner) for inner in value]
        return [inner for inner, _ in every], [kind for _, kinds in every for kind in kinds]
    return value, []


def _all(text: str) -> Iterator[Found]:
    if "@" in text:
        yield from (Found("email", *match.span()) for match in _EMAIL.finditer(text) if not _RESERVED.search(match[0]))
    if not _DIGITS.search(text):
        yield from _addresses(text)
        return
    from stdnum import iban, luhn
    from stdnum.cn import ric
    from stdnum.us import ssn

    yield from _addresses(text)
    yield from (Found("iban", *match.span()) for match in _IBAN.finditer(text) if iban.is_valid(match[0]))
    for match in _CARD.finditer(text):
        number = re.sub(r"[ -]", "", match[0])
        if number[0] in "3456" and len(set(number)) > 1 and luhn.is_valid(number):
            yield Found("card", *match.span())
    yield from (Found("national-id", *match.span()) for match in _US_SSN.finditer(text) if ssn.is_valid(match[0]))
    yield from (Found("national-id", *match.span()) for match in _CN_ID.finditer(text) if ric.is_valid(match[0].upper()))
    yield from _phones(text)


def _addresses(text: str) -> Iterator[Found]:
    for match in _IP.finditer(text):
        try:
            address = ipaddress.ip_address(match[0])
        except ValueError:
            continue
        if address.is_global:
            yield Found("ip", *match.span())


def _phones(text: str) -> Iterator[Found]:
    """With a country's code, as they are grouped in North America, and mobile ones of China."""
    import phonenumbers

    if "+" in text:
        found = phonenumbers.PhoneNumberMatcher(text, None, phonenumbers.Leniency.VALID)
        yield from (Found("phone", match.start, match.end) for match in found)
    if "-" in text or "(" in text or "." in text:
        found = phonenumbers.PhoneNumberMatcher(text, "US", phonenumbers.Leniency.EXACT_GROUPING)
        yield from (Found("phone", match.start, match.end) for match in found if not match.raw_string.isdigit())
    for match in _CN_MOBILE.finditer(text):
        if phonenumbers.is_valid_number(phonenumbers.parse(match[0], "CN")):
            yield Found("phone", *match.span())
