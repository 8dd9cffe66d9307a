"""Names that try to ping, link, format, break or drown what shows them."""

HOSTILE = [
    "<!channel>",
    "<!here|here>",
    "<@U000001>",
    "<#C000001|general>",
    "<https://evil.example|click>",
    "@channel",
    "@everyone",
    "https://evil.example/x?a=b&c=d",
    "evil.example",
    "mailto:someone@evil.example",
    "*bold* _italic_ ~struck~ `code`",
    "```\nblock\n```",
    ":rotating_light:",
    "&lt;!channel&gt;",
    "> quoted",
    "\u202eevil\u202c",
    "\u2066isolate\u2069",
    "zero\u200bwidth\ufeff",
    "nul\x00 bell\x07 escape\x1b[31m",
    "line\nbreak\r\nand\ttab\u2028and\u2029more",
    "$\\frac{1$",
    "=HYPERLINK(1)",
    "'; DROP TABLE deal; --",
    "{name} %s {0.__class__}",
    "e" + "\u0301" * 400,
    "👩‍👩‍👧‍👦" * 30,
    "🇫🇷" * 100,
    "x" * 20_000,
    "",
    " ",
    "\u200b",
    "שלום עולם",
    "Ünïcödé Ltd. & Sœurs",
]

AROUND = ("{}", "Société {} & Fils", "{}’s deal", "a{}b", "({})", "{0} {0}")
"""What a name is found in."""

NAMES = [form.format(name) for form in AROUND for name in HOSTILE if "{" not in name] + HOSTILE
