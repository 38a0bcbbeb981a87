"""Texts that break what copies, quotes or formats them carelessly."""

HOSTILE = (
    *("\\", "\\N", "\\.", "\\\\", "\t", "\n", "\r\n", "a\tb\nc", "\x01\x1f\x7f", "\u2028\u2029", "\ufeff"),
    *(
        "😀 ﷽ e\u0301",
        "'; DROP SCHEMA daybook CASCADE; --",
        '{"a": "b"}',
        '{"x",y}',
        "%s %(x)s {schema}",
        '"',
    ),
    *("$1 $$ \\u0041 \\x41", "NULL", "", " ", "\\x", "a\\", "ÄÖÜ" * 20, "\U0010ffff", "*" * 500),
)
