"""Answers and loads to look at."""
import math
import time

from fake_server import content, pause, reasoning, words

THOUGHTS = """The user wants a prime test. Let me think about what is both clear and fast enough.

Trial division up to $\\sqrt{n}$ is enough: if $n = ab$ with $a \\le b$, then $a \\le \\sqrt{n}$. I should handle \
numbers below 2 and even numbers first, then try odd divisors only.

Wait, what about negative numbers? They are not prime, so `n < 2` covers them."""

ANSWER = """A number $n \\ge 2$ is prime if no number between 2 and $\\sqrt{n}$ divides it. It is enough to try odd \
divisors, once two is out of the way.

```python
def is_prime(n: int) -> bool:
    \"\"\"Tell whether n is prime, by trial division.\"\"\"
    if n < 2:
        return False
    if n % 2 == 0:
        return n == 2  # two is the only even prime
    divisor = 3
    while divisor * divisor <= n:
        if n % divisor == 0:
            return False
        divisor += 2
    return True
```

## Why the square root is enough

Suppose $n = a \\cdot b$ with $1 < a \\le b$. Then

$$a^2 \\le a \\cdot b = n \\quad\\Longrightarrow\\quad a \\le \\sqrt{n},$$

so a composite number always has a divisor that the loop **finds**. The sum of all work up to $N$ is

\\[ \\sum_{n=1}^{N} \\frac{\\sqrt{n}}{2} \\approx \\int_0^N \\frac{\\sqrt{x}}{2}\\,dx = \\frac{N^{3/2}}{3}. \\]

| method | divisions for $n \\approx 10^{12}$ | notes |
|:-|-:|:-|
| every number | 1,000,000 | simplest |
| odd numbers | 500,000 | the function above |
| wheel of 30 | 266,667 | more code |

1. For many numbers, use a *sieve*.
2. For huge ones, use [Miller–Rabin](https://en.wikipedia.org/wiki/Miller-Rabin).

> Premature optimisation is the root of all evil, but the square root is free.
"""


def answer():
    return words(THOUGHTS, reasoning) + words(ANSWER)


def slow_answer():
    steps = []
    for step in answer():
        steps += [step, pause(0.02)]
    return steps


def long_answer(tokens=20000):
    """Paragraphs, code and formulas, as many pieces as said."""
    pieces = []
    paragraph = 0
    while len(pieces) < tokens:
        paragraph += 1
        text = f"Paragraph {paragraph} says that $x_{{{paragraph}}} < {paragraph}$ and *little* else. " * 4 + "\n\n"
        if paragraph % 5 == 0:
            text += "```python\n" + f"value = {paragraph}  # a line of code\n" * 12 + "```\n\n"
        pieces += words(text)
    return pieces[:tokens] + [content("\n\nThe end.")]


class Load:
    """Metrics of a server under a load that goes up and down."""

    def __init__(self):
        self.start = time.monotonic()

    def __call__(self):
        t = time.monotonic() - self.start + 60
        running = 9 + 6 * math.sin(t / 9)
        generated = 60 * t + 300 * math.sin(t / 9)
        used, cached = 260 + 150 * math.sin(t / 9), 300 + 2 * t
        first = [(0.05, 0.2), (0.1, 0.5), (0.25, 0.8), (0.5, 0.95), (1, 0.99), (math.inf, 1)]
        each = [(0.01, 0.1), (0.02, 0.55), (0.05, 0.9), (0.1, 0.99), (math.inf, 1)]
        lines = [f"ponder_requests_running {running:.0f}", f"ponder_requests_waiting {max(0, running - 11):.0f}",
                 f'ponder_kv_pages{{state="used"}} {used:.0f}', f'ponder_kv_pages{{state="cached"}} {cached:.0f}',
                 f'ponder_kv_pages{{state="free"}} {1500 - used - cached:.0f}',
                 f"ponder_prompt_tokens_total {300 * t:.0f}", f"ponder_cached_tokens_total {120 * t:.0f}",
                 f"ponder_generated_tokens_total {generated:.0f}", f"ponder_drafted_tokens_total {40 * t:.0f}",
                 f"ponder_accepted_tokens_total {31 * t + 20 * math.sin(t / 5):.0f}"]
        for name, shape, count in (("time_to_first_token", first, 3 * t), ("time_per_token", each, generated)):
            for bound, share in shape:
                label = "+Inf" if bound == math.inf else bound
                lines.append(f'ponder_{name}_seconds_bucket{{le="{label}"}} {share * count:.0f}')
        return "\n".join(lines) + "\n"
