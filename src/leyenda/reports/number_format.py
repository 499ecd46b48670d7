"""Numbers as people write them, in the report's language."""

from __future__ import annotations

import math

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_NARROW_SPACE = "\u202f"


def number(value: float, language: str = "en", digits: int = 3) -> str:
    """A number with a fixed number of decimals.

    Args:
        value: any number; what is not finite becomes a dash.
        language: `en` (1,234.5) or `es` (1 234,5).
        digits: decimals, 0 or more.

    >>> number(0.08123), number(1234.5, digits=1), number(0.08123, "es")
    ('0.081', '1,234.5', '0,081')
    """
    return _localized(f"{value:,.{digits}f}", language) if math.isfinite(value) else "–"


def quantity(value: float, language: str = "en") -> str:
    """A number of any size: as a power of ten where three decimals would hide it.

    >>> quantity(0.00005), quantity(0.25), quantity(0)
    ('5 × 10⁻⁵', '0.250', '0')
    """
    if not value:
        return "0"
    if not math.isfinite(value) or abs(value) >= 0.001:
        return number(value, language)
    mantissa, exponent = f"{value:.2e}".split("e")
    tidy = mantissa.rstrip("0").rstrip(".")
    return _localized(f"{tidy} × 10{str(int(exponent)).translate(_SUPERSCRIPTS)}", language)


def count(value: int, language: str = "en") -> str:
    """A whole number with its thousands set apart.

    >>> count(12000), count(80)
    ('12,000', '80')
    """
    return _localized(f"{value:,d}", language)


def percent(share: float, language: str = "en") -> str:
    """A share between 0 and 1 in per cent.

    >>> percent(0.125), percent(0.004), percent(0.97, "es").replace("\u202f", " ")
    ('12%', '< 1%', '97 %')
    """
    if 0 < share < 0.005:
        return f"< 1{_NARROW_SPACE}%" if language == "es" else "< 1%"
    return f"{share * 100:.0f}{_NARROW_SPACE}%" if language == "es" else f"{share * 100:.0f}%"


def _localized(text: str, language: str) -> str:
    if language != "es":
        return text
    return text.replace(",", _NARROW_SPACE).replace(".", ",")
