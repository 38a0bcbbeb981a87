"""Money: integers in minor units. Which currencies exist, how many digits they have, how they are written.

Source of the table: ISO 4217 list one, currencies in use, with their minor-unit exponents. Funds codes and
metals without an exponent are left out. No float ever holds an amount.
"""

from __future__ import annotations

MAX_SCALE = 9

_BY_EXPONENT = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY "
    "COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF "
    "IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR "
    "MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG "
    "SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES "
    "WST XCD XCG YER ZAR ZMW ZWG",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
EXPONENTS: dict[str, int] = {code: digits for digits, codes in _BY_EXPONENT.items() for code in codes.split()}


def format_minor(amount_minor: int, digits: int) -> str:
    """Minor units as decimal text: `format_minor(-1205, 2)` is `-12.05`."""
    sign, text = ("-", str(-amount_minor)) if amount_minor < 0 else ("", str(amount_minor))
    if digits == 0:
        return sign + text
    text = text.rjust(digits + 1, "0")
    return f"{sign}{text[:-digits]}.{text[-digits:]}"


def parse_minor(text: str, digits: int) -> int:
    """Decimal text as minor units, exactly: `parse_minor("147.8", 2)` is 14780.

    Raises ValueError, with the reason, where the text is no plain decimal or has more places than `digits`.
    """
    plain = text.strip()
    sign = -1 if plain.startswith("-") else 1
    plain = plain[1:] if plain[:1] in ("-", "+") else plain
    whole, point, places = plain.partition(".")
    if not (whole + places).isascii() or not (whole + places).isdigit() or (point and not places):
        raise ValueError(f"{text!r} is not a decimal amount such as 147.80")
    if len(places) > digits:
        if places[digits:].strip("0"):
            raise ValueError(f"{text!r} has more than {digits} decimal places")
        places = places[:digits]
    return sign * int((whole or "0") + places.ljust(digits, "0"))
