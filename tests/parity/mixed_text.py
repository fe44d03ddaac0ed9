"""Text of many kinds, the same for the same seed: what a tokenizer meets, and what it does not."""

import random

WORDS = (
    "the of and to in is that it was for on are as with his they at be this from have or by one "
    "had not but what all were when we there can an your which their said if do will each about "
    "It's we're I'LL they'd can'T don't 'tis o'clock naïve café Straße façade Ångström résumé "
    "hello Hello HELLO helloWorld snake_case kebab-case x1 y2z3 e.g. i.e. U.S.A. http://a.b/c?d=e"
).split()
CODE = [
    "def f(x: int) -> str:\n    return f\"{x!r:>10}\"  # comment\n",
    "for (size_t i = 0; i < n; ++i) {\n\tsum += a[i] * b[i];\t// dot\n}\n",
    "SELECT * FROM t WHERE a>=1 AND b<>'x'';--';\r\n",
    "#include <vector>\n\n\n#define MAX(a,b) ((a)>(b)?(a):(b))\n",
    "<div class=\"a b\">&nbsp;</div>\n\n",
    "\\frac{1}{2}\\sum_{i=1}^{n} x_i^2 \\leq \\boxed{42}\n",
    "{\"key\": [1, 2.5e-3, null, true], \"k\\u00e9y\": {}}\n",
]
SCRIPTS = {
    "han": [(0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x3001, 0x3003)],
    "kana": [(0x3041, 0x3096), (0x30A0, 0x30FF)],
    "hangul": [(0xAC00, 0xD7A3), (0x1100, 0x11FF)],
    "arabic": [(0x621, 0x652), (0x660, 0x669)],
    "hebrew": [(0x5D0, 0x5EA), (0x5B0, 0x5BD)],
    "thai": [(0xE01, 0xE3A), (0xE40, 0xE59)],
    "devanagari": [(0x900, 0x97F)],
    "cyrillic": [(0x400, 0x4FF)],
    "greek": [(0x391, 0x3C9), (0x1F00, 0x1F15)],
    "latin": [(0xC0, 0x24F), (0x1E00, 0x1EFF)],
    "emoji": [(0x1F300, 0x1FAFF), (0x2600, 0x27BF), (0x1F1E6, 0x1F1FF)],
    "symbols": [(0x2000, 0x206F), (0x20A0, 0x20C0), (0x2100, 0x23FF), (0xFF01, 0xFFEE)],
}
SPACES = [" "] * 20 + ["  ", "   ", "\n", "\n\n", "\t", "\r\n", " \n", "\n ", "\u00a0", "\u2003",
                       "\u3000", "\u2028", "\x0b", "\x0c", "\x85", "\u200b", "\u180e", "\ufeff"]
COMBINING = [chr(c) for c in range(0x300, 0x36F)] + ["\u20dd", "\u3099", "\ufe0f", "\u200d"]


def _from(rng, ranges):
    first, last = rng.choice(ranges)
    return chr(rng.randint(first, last))


def _piece(rng, exotic):
    kind = rng.randrange(12 if exotic else 8)
    if kind < 2:
        return "".join(rng.choice(WORDS) + rng.choice(SPACES) for _ in range(rng.randint(1, 12)))
    if kind == 2:
        return rng.choice(CODE)
    if kind == 3:
        return str(rng.randrange(10 ** rng.randint(1, 18))) + rng.choice(["", "%", ".5", ",000", "₂"])
    if kind < 7:
        ranges = rng.choice(list(SCRIPTS.values()))
        return "".join(_from(rng, ranges) for _ in range(rng.randint(1, 12)))
    if kind == 7:
        return "".join(rng.choice("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~") for _ in range(rng.randint(1, 4)))
    if kind == 8:  # any character of any plane
        return "".join(chr(c) for c in (rng.randrange(0x110000) for _ in range(4))
                       if not 0xD800 <= c <= 0xDFFF)
    if kind == 9:
        return rng.choice("aeonkいはㄱ") + "".join(rng.choice(COMBINING) for _ in range(rng.randint(1, 4)))
    if kind == 10:
        return "".join(rng.choice(SPACES) for _ in range(rng.randint(1, 6)))
    return chr(rng.randrange(0x20)) + rng.choice("'’") + rng.choice(["s", "S", "T", "re", "lL", "VE"])


def mixed_text(size, seed=1, exotic=True):
    """At least `size` bytes of UTF-8. Without `exotic` only characters in common use."""
    rng = random.Random(seed)
    parts, length = [], 0
    while length < size:
        part = _piece(rng, exotic) + (rng.choice(SPACES) if rng.random() < 0.6 else "")
        parts.append(part)
        length += len(part.encode())
    return "".join(parts)
