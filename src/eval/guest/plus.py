"""Makes more tests for a function from those that it has. Runs in the sandbox, on trusted code only: a
right solution and its tests.

The arguments that the tests call the solution with are recorded, and changed according to their
types, as EvalPlus does (Liu et al. 2023). Changed arguments stay within what holds for all recorded
ones: the least number if none is negative, the letters of texts, whether lists are sorted, whether
two arguments are equally long and the like, since the solution says nothing about arguments that
its task does not allow. Of the changed ones those are kept with which the solution ends normally,
twice with the same result, and which show a mutant of the solution (one operator or constant
changed) that nothing before showed, or let it go a way through its lines, to a kind of result, that
was not seen yet; then others, those with new results first, up to a number.

Time is counted in lines of the solution, so that the outcome does not depend on the machine.
"""
import ast
import copy
import json
import math
import random
import re
import sys

LINES_OF_A_CALL = 20_000
MOST_ITEMS, MOST_TEXT, MOST_BYTES = 40, 200, 2000
MASK = (1 << 64) - 1


class TooLong(BaseException):
    pass


class Draw:
    """SplitMix64."""

    def __init__(self, seed):
        self.state = seed & MASK

    def below(self, count):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return (z ^ (z >> 31)) % count

    def pick(self, items):
        return items[self.below(len(items))]


class Runner:
    """Calls functions with a limit of lines; `left` are the lines that all calls may still take."""

    def __init__(self, left):
        self.left = left

    def call(self, function, arguments):
        """("value", result), ("raises", name) or ("long",), and the lines that were run."""
        seen, budget = set(), [LINES_OF_A_CALL]

        def trace(frame, event, _):
            if event == "line":
                seen.add(frame.f_lineno)
                budget[0] -= 1
                if budget[0] < 0:
                    raise TooLong
            return trace
        given = copy.deepcopy(arguments)
        sys.settrace(trace)
        try:
            outcome = ("value", function(*given))
        except TooLong:
            outcome = ("long",)
        except RecursionError:
            outcome = ("long",)
        except Exception as error:
            outcome = ("raises", type(error).__name__)
        finally:
            sys.settrace(None)
        self.left -= LINES_OF_A_CALL - budget[0]
        return outcome, frozenset(seen)


def same(a, b):
    if isinstance(a, float) or isinstance(b, float):
        number = (int, float)
        if isinstance(a, bool) or isinstance(b, bool) or not isinstance(a, number) or not isinstance(b, number):
            return False
        return a == b or (a != a and b != b) or abs(a - b) <= 1e-6 * max(1, abs(b))
    if type(a) is not type(b):
        return False
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    return a == b


def plain(value):
    """Whether JSON gives the same value back."""
    try:
        return same(json.loads(json.dumps(value, allow_nan=False)), value)
    except (TypeError, ValueError, OverflowError, RecursionError):
        return False


class Mutants(ast.NodeTransformer):
    """With `at` the number of a place: the program with one change there. Otherwise counts places."""
    SWAPS = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
             ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.FloorDiv: ast.Mult, ast.Div: ast.Mult,
             ast.Mod: ast.FloorDiv, ast.And: ast.Or, ast.Or: ast.And, ast.In: ast.NotIn, ast.NotIn: ast.In}

    def __init__(self, at=-1):
        self.at, self.count = at, 0

    def here(self):
        self.count += 1
        return self.count - 1 == self.at

    def swap(self, operator):
        new = self.SWAPS.get(type(operator))
        return new() if new and self.here() else operator

    def visit_Compare(self, node):
        self.generic_visit(node)
        node.ops = [self.swap(o) for o in node.ops]
        return node

    def visit_BinOp(self, node):
        self.generic_visit(node)
        node.op = self.swap(node.op)
        return node

    def visit_BoolOp(self, node):
        self.generic_visit(node)
        node.op = self.swap(node.op)
        return node

    def visit_Constant(self, node):
        if type(node.value) is int:
            for change in (1, -1):
                if self.here():
                    return ast.copy_location(ast.Constant(node.value + change), node)
        elif type(node.value) is bool and self.here():
            return ast.copy_location(ast.Constant(not node.value), node)
        return node

    def visit_UnaryOp(self, node):
        self.generic_visit(node)
        if isinstance(node.op, ast.Not) and self.here():
            return node.operand
        return node

    def visit_Expr(self, node):  # docstrings are no constants to change
        return node if isinstance(node.value, ast.Constant) else self.generic_visit(node)

    def visit_Assign(self, node):
        self.generic_visit(node)
        return ast.copy_location(ast.Pass(), node) if self.here() else node


def load(tree, entry):
    names = {"__name__": "solution"}
    exec(compile(ast.fix_missing_locations(tree), "solution", "exec"), names)
    return names[entry]


def mutants(source, entry, most):
    counter = Mutants()
    counter.visit(ast.parse(source))
    made = []
    step = max(1, counter.count // most)
    for at in range(0, counter.count, step):
        try:
            made.append(load(Mutants(at).visit(ast.parse(source)), entry))
        except Exception:
            pass  # no program at all
    return made


def only_equalities(tests, called):
    """Whether the tests compare every result with the one that is right: other right solutions then give the same."""
    def is_call(node):
        return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in called

    def has_call(node):
        return any(is_call(n) for n in ast.walk(node))

    def bare(node):  # tuple(f(x)) == tuple(…)
        wrapped = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("tuple", "list")
        return node.args[0] if wrapped and len(node.args) == 1 else node

    def fits(test):
        if isinstance(test, ast.Tuple) and test.elts:  # assert (a == b, "text") is no test, but meant as one
            return fits(test.elts[0])
        if is_call(test):
            return True
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            return is_call(test.operand)
        if isinstance(test, ast.Compare) and len(test.ops) == 1:
            left, op, right = bare(test.left), test.ops[0], bare(test.comparators[0])
            if isinstance(op, (ast.Eq, ast.Is)):
                return is_call(left) and not has_call(right) or is_call(right) and not has_call(left)
            if isinstance(op, (ast.Lt, ast.LtE)) and isinstance(left, ast.Call):  # abs(f(x) - y) < small
                inner = left.args[0] if left.args else None
                return isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Sub) and is_call(inner.left)
        return not has_call(test)
    tree = ast.parse(tests)
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert):
            node.msg = None
    asserts = [node.test for node in ast.walk(tree) if isinstance(node, ast.Assert)]
    inside = sum(1 for test in asserts for n in ast.walk(test) if is_call(n))
    return inside == sum(1 for n in ast.walk(tree) if is_call(n)) and all(map(fits, asserts))


def record(function, task):
    """The arguments that the tests give, in order, each once."""
    seen, texts = [], set()

    def recorder(*arguments, **named):
        if not named and plain(list(arguments)):
            text = json.dumps(arguments)
            if text not in texts and len(text) <= MOST_BYTES:
                texts.add(text)
                seen.append(copy.deepcopy(list(arguments)))
        return function(*arguments, **named)
    budget = [task["lines"]]

    def trace(frame, event, _):
        budget[0] -= event == "line"
        if budget[0] < 0:
            raise TooLong
        return trace
    random.seed(0)
    names = {"__name__": "tests"}
    exec(task["solution"], names)
    names[task["entry"]] = recorder
    sys.settrace(trace)
    try:
        exec(task["tests"], names)
        if task["check"]:
            names["check"](recorder)
    finally:
        sys.settrace(None)
    return seen


def balanced(text):
    stack = []
    for c in text:
        if c in "([{<":
            stack.append(c)
        elif c in ")]}>" and (not stack or stack.pop() + c not in ("()", "[]", "{}", "<>")):
            return False
    return not stack


def shape(text):
    """The text with one 0 for every number in it."""
    return re.sub("[0-9]+", "0", text)


def pairs_that_agree(recorded, agree):
    """Pairs of places of the arguments for which this holds in all that was recorded."""
    places = range(len(recorded[0]))
    return [(i, j) for i in places for j in places if i != j and all(agree(a[i], a[j]) for a in recorded)]


def as_long(a, b):
    return type(a) is type(b) and isinstance(a, (str, list)) and len(a) == len(b)


def at_most(a, b):
    return type(a) is type(b) and type(a) in (int, float) and a <= b


class Domain:
    """What holds for all values of one kind that were recorded at one place of the arguments."""

    def __init__(self, values):
        self.numbers = [v for v in values if type(v) in (int, float)]
        self.texts = [v for v in values if type(v) is str]
        self.lists = [v for v in values if type(v) is list]
        self.kinds = {type(v) for v in values}
        self.letters = sorted(set("".join(self.texts)))
        self.items = Domain([x for v in self.lists for x in v]) if any(self.lists) else None
        dicts = [v for v in values if type(v) is dict]
        self.values = Domain([x for v in dicts for x in v.values()]) if any(dicts) else None
        self.keys = Domain([k for v in dicts for k in v]) if any(dicts) else None
        self.rules = [rule for rule in self.RULES if self.lists and all(self.holds(rule, v) for v in self.lists)]
        self.shapes = {shape(t) for t in self.texts}
        self.text_rules = [rule for rule in self.TEXT_RULES if self.texts and all(map(rule, self.texts))]

    @staticmethod
    def holds(rule, value):
        try:
            return bool(rule(value))
        except TypeError:
            return False
    RULES = [lambda v: v == sorted(v), lambda v: v == sorted(v, reverse=True), lambda v: len(v) > 0, lambda v: len(v) > 1,
             lambda v: len(v) % 2 == 0, lambda v: len(v) % 2 == 1, lambda v: len(set(map(json.dumps, v))) == len(v),
             lambda v: len({len(x) for x in v}) <= 1, lambda v: len({type(x) for x in v}) <= 1]
    TEXT_RULES = [lambda t: t != "", balanced, lambda t: t == t.strip(), lambda t: "  " not in t, lambda t: len(t) == 1,
                  lambda t: t == t[::-1], lambda t: t.islower() or t == "", lambda t: t.isupper() or t == "",
                  lambda t: t.isdigit(), lambda t: t.isalpha() or t == "", lambda t: len(t) > 1]

    def allows(self, value):
        if type(value) not in self.kinds:
            return False
        if type(value) in (int, float):
            low, high = min(self.numbers), max(self.numbers)
            if not math.isfinite(value) or value < (2 * low if low < 0 else low):
                return False
            return value <= max(2 * high, high + 5) if high > 0 else value <= high
        if type(value) is str:
            if len(self.shapes) == 1 and len(self.texts) > 1 and shape(value) not in self.shapes:
                return False
            return len(value) <= MOST_TEXT and set(value) <= set(self.letters) and all(r(value) for r in self.text_rules)
        if type(value) is list:
            fits = len(value) <= MOST_ITEMS and all(self.holds(r, value) for r in self.rules)
            return fits and all(self.items is not None and self.items.allows(x) for x in value)
        if type(value) is dict:
            return all(self.keys is not None and self.keys.allows(k) and self.values.allows(v) for k, v in value.items())
        return True

    def mutate(self, value, draw):
        if type(value) is bool:
            return not value
        if type(value) is int:
            return draw.pick([value + 1, value - 1, value * 2, value // 2, -value, draw.pick(self.numbers) if
                              type(value) in self.kinds else value, value + draw.below(20) - 10])
        if type(value) is float:
            other = draw.pick(self.numbers)
            return float(draw.pick([value + 1, value - 1, -value, value * 2, value / 2, round(value), other, value + other]))
        if type(value) is str:
            return self.mutate_text(value, draw)
        if type(value) is list:
            return self.mutate_list(value, draw)
        if type(value) is dict and value:
            key = draw.pick(sorted(value, key=repr))
            rest = {k: v for k, v in value.items() if k != key}
            kind = draw.below(3)
            if kind == 0:
                return rest
            if kind == 1:
                return {**rest, self.keys.mutate(key, draw): value[key]}
            return {**value, key: self.values.mutate(value[key], draw)}
        return value

    def mutate_text(self, text, draw):
        a, b = sorted((draw.below(len(text) + 1), draw.below(len(text) + 1)))
        kind = draw.below(7)
        if kind == 0:
            return text[:a] + text[b:]
        if kind == 1:
            return text[:b] + text[a:b] + text[b:]
        if kind == 2 and self.letters:
            return text[:a] + draw.pick(self.letters) + text[a:]
        if kind == 3 and self.letters:
            return text[:a] + draw.pick(self.letters) + text[a + 1:]
        if kind == 4:
            return text[:a] + draw.pick(self.texts) + text[b:]
        if kind == 5:
            return text[:a] + text[a:b][::-1] + text[b:]
        other = draw.pick(self.texts)
        return text[:a] + other[draw.below(len(other) + 1):]

    def mutate_list(self, items, draw):
        a, b = sorted((draw.below(len(items) + 1), draw.below(len(items) + 1)))
        kind = draw.below(7)
        if kind == 0:
            new = items[:a] + items[b:]
        elif kind == 1:
            new = items[:b] + items[a:b] + items[b:]
        elif kind == 2 and items:
            new = items[:a] + [self.items.mutate(draw.pick(items), draw)] + items[a:]
        elif kind == 3 and a < len(items):
            new = items[:a] + [self.items.mutate(items[a], draw)] + items[a + 1:]
        elif kind == 4:
            other = draw.pick(self.lists)
            new = items[:a] + copy.deepcopy(other[draw.below(len(other) + 1):])
        elif kind == 5:
            new = items[:a] + items[a:b][::-1] + items[b:]
        else:
            new = [self.items.mutate(x, draw) if draw.below(2) else x for x in items]
        for order in self.rules[:2]:  # what is to be sorted is sorted again
            if order in self.RULES[:2] and not self.holds(order, new):
                try:
                    new = sorted(new, reverse=order is self.RULES[1])
                except TypeError:
                    pass
        return new


class Maker:
    def __init__(self, task):
        self.task, self.draw, self.runner = task, Draw(task["seed"]), Runner(task["lines"])
        self.solution = load(ast.parse(task["solution"]), task["entry"])
        self.mutants = mutants(task["solution"], task["entry"], task["mutants"])
        self.alive = list(range(len(self.mutants)))
        self.texts, self.ways, self.results = set(), set(), set()

    def outcome(self, arguments):
        """What the solution gives, with the way that it took; nothing if these arguments are no use."""
        state = random.getstate()
        (first, way), (second, _) = (self.runner.call(self.solution, arguments) for _ in range(2))
        if random.getstate() != state or first[0] != "value" or second[0] != "value" or not same(first[1], second[1]):
            return None
        return first[1], way

    def shown(self, arguments, result):
        """Mutants that still live and give something else."""
        found = []
        for i in self.alive:
            other = self.runner.call(self.mutants[i], arguments)[0]
            if other[0] != "value" or not same(other[1], result):
                found.append(i)
        return found

    def take(self, arguments):
        """2: these arguments show a mutant or go a new way; 1: they give a new result; 0: neither; None: no use."""
        text = json.dumps(arguments)
        if text in self.texts or len(text) > MOST_BYTES:
            return None
        self.texts.add(text)
        outcome = self.outcome(arguments)
        if outcome is None:
            return None
        result, way = outcome
        found = self.shown(arguments, result)
        self.alive = [i for i in self.alive if i not in found]
        way = (way, type(result).__name__, not result)
        new_way, new_result = way not in self.ways, repr(result) not in self.results
        self.ways.add(way)
        self.results.add(repr(result))
        return 2 if found or new_way else 1 if new_result else 0

    def make(self):
        recorded = record(self.solution, self.task)
        for arguments in recorded:
            self.take(arguments)
        before = len(self.mutants) - len(self.alive)
        lengths = {len(a) for a in recorded}
        found, tried = ([], [], []), 0  # by what take() said
        if len(lengths) == 1 and lengths != {0}:
            domains = [Domain([a[i] for a in recorded]) for i in range(lengths.pop())]
            pool = list(recorded)
            rules = [(agree, i, j) for agree in (as_long, at_most) for i, j in pairs_that_agree(recorded, agree)]
            while tried < self.task["tries"] and len(found[2]) < self.task["most"] and self.runner.left > 0:
                tried += 1
                arguments = copy.deepcopy(self.draw.pick(pool))
                for _ in range(1 + self.draw.below(3)):
                    i = self.draw.below(len(arguments))
                    arguments[i] = domains[i].mutate(arguments[i], self.draw)
                if not all(d.allows(a) for d, a in zip(domains, arguments)) or not plain(arguments):
                    continue
                if not all(agree(arguments[i], arguments[j]) for agree, i, j in rules):
                    continue
                use = self.take(arguments)
                if use is not None:
                    found[use].append(arguments)
                if use == 2:
                    pool.append(arguments)
        kept = found[2] + (found[1] + found[0])[:max(0, self.task["fill"] - len(found[2]))]
        return {"recorded": len(recorded), "tried": tried, "inputs": kept, "mutants": len(self.mutants),
                "shown_before": before, "shown": len(self.mutants) - len(self.alive)}


def main(task):
    sys.setrecursionlimit(3000)
    entry = task["entry"]
    if not only_equalities(task["tests"], {"candidate", entry}):
        return {"why": "its tests are no comparisons of results"}
    try:
        return Maker(task).make()
    except TooLong:
        return {"why": "its own tests take too long"}
