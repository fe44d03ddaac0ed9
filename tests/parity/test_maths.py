"""The checker of maths against SymPy: expressions made at random, written in other forms (never
"unequal", nearly always "equal") and with one thing changed (never "equal")."""
import json
import random

import pytest
import sympy as sp

X, Y = sp.symbols("x y")
COUNT = 200


def number(rng):
    return sp.Rational(rng.randint(-12, 12), rng.choice([1, 1, 1, 2, 3, 5, 7]))


def constant(rng, depth):
    """A number with roots, pi, e or trigonometry in it."""
    kind = rng.randrange(9 if depth else 4)
    if kind <= 1:
        return number(rng)
    if kind == 2:
        return sp.sqrt(rng.randint(2, 30))
    if kind == 3:
        return rng.choice([sp.pi, sp.E, sp.cbrt(rng.randint(2, 9)), sp.sin(sp.pi / rng.randint(3, 8))])
    a, b = constant(rng, depth - 1), constant(rng, depth - 1)
    return [a + b, a - b, a * b, a / b if b != 0 else a, a**2][kind - 4]


def polynomial(rng, depth):
    kind = rng.randrange(7 if depth else 2)
    if kind == 0:
        return rng.choice([X, Y])
    if kind == 1:
        return number(rng)
    a, b = polynomial(rng, depth - 1), polynomial(rng, depth - 1)
    return [a + b, a - b, a * b, a**2, a / (b**2 + 1)][kind - 2]


def function(rng, depth):
    inner = polynomial(rng, depth - 1)
    outer = rng.choice([sp.sin, sp.cos, sp.exp, lambda z: sp.log(z**2 + 1), lambda z: sp.sqrt(z**2 + 2)])
    return outer(inner / 9) * polynomial(rng, 1) + number(rng)


def written(expression, rng):
    """In LaTeX or, as people type it, in plain text."""
    # SymPy's \log is natural; ours would be told to be undecided.
    if rng.random() < 0.7:
        return sp.latex(expression).replace(r"\log", r"\ln")
    return str(expression).replace("log", "ln").replace("E", "e")


def other_form(expression, rng):
    return rng.choice([sp.expand, sp.factor, sp.together, lambda e: sp.expand(e, trig=True)])(expression)


def verdicts(ponder, pairs):
    lines = "\n".join(json.dumps({"expected": a, "answer": b}) for a, b in pairs)
    result = ponder("judge", "math", "--pairs", "-", "--json", input=lines, timeout=600)
    assert result.returncode == 0, result.stderr
    return [json.loads(line)["verdict"] for line in result.stdout.splitlines()]


def finite(expression):
    return not expression.has(sp.zoo, sp.oo, sp.nan)


@pytest.mark.parametrize("make", [constant, polynomial, function])
def test_against_sympy(ponder, make):
    rng = random.Random(make.__name__)
    same, changed = [], []
    while len(same) < COUNT:
        expression = make(rng, 3)
        if not finite(expression) or len(str(expression)) > 200:
            continue
        other = other_form(expression, rng)
        if not finite(other) or len(str(other)) > 1500:
            continue
        same.append((written(expression, rng), written(other, rng)))
        step = rng.choice([1, -1, sp.Rational(1, 1000), sp.sqrt(2) / 10**9, X if make != constant else sp.pi / 7])
        changed.append((written(expression, rng), written(sp.expand(expression + step), rng)))
    got = verdicts(ponder, same)
    wrong = [pair for pair, verdict in zip(same, got) if verdict == "unequal"]
    assert not wrong
    undecided = [pair for pair, verdict in zip(same, got) if verdict == "undecided"]
    assert len(undecided) <= COUNT // 50, undecided
    got = verdicts(ponder, changed)
    assert not [pair for pair, verdict in zip(changed, got) if verdict == "equal"]
    undecided = [pair for pair, verdict in zip(changed, got) if verdict == "undecided"]
    assert len(undecided) <= COUNT // 50, undecided


def test_equations_and_sets(ponder):
    rng = random.Random("equations")
    same, changed = [], []
    while len(same) < COUNT:
        a, b, c = (number(rng) for _ in range(3))
        if a == 0 or b == 0:
            continue
        line = sp.Eq(a * X + b * Y, c)
        solved = sp.Eq(Y, sp.expand((c - a * X) / b))
        scaled = sp.Eq(sp.expand(3 * (a * X + b * Y - c)), 0)
        same.append((sp.latex(line), sp.latex(rng.choice([solved, scaled]))))
        changed.append((sp.latex(line), sp.latex(sp.Eq(Y, sp.expand((c + 1 - a * X) / b)))))
        low, high = sorted((a, a + abs(b) + 1))
        chain = f"{sp.latex(low)} < x \\le {sp.latex(high)}"
        same.append((sp.latex(sp.Interval.Lopen(low, high)), chain))
        changed.append((sp.latex(sp.Interval.open(low, high)), chain))
    assert {*verdicts(ponder, same)} == {"equal"}
    assert {*verdicts(ponder, changed)} == {"unequal"}
