"""Runs the tests in a process that never runs the candidate's code: its functions are called through
descriptor 3, and what they give is data. Says what became of the tests as JSON on standard output.
"""
import builtins
import os
import sys
import types

FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, FOLDER)
import wire  # noqa: E402

sys.path.remove(FOLDER)
verdict_out = os.dup(1)
os.dup2(2, 1)  # tests may print

remotes = {}     # references to objects of the candidate, by number
own = {}         # objects of the tests that the candidate has references to
exceptions = {}  # classes of exceptions that came from there, by name
tests = types.ModuleType("tests")


class FromCandidate:
    """Marks exceptions that were raised by the candidate; keeps where."""
    line = None


def exception_class(name, bases):
    """The class under which an exception of the candidate is raised here: derived from its first base
    that Python itself knows, so that the tests' `except` finds it."""
    if name not in exceptions:
        known = (getattr(builtins, base, None) for base in bases)
        base = next((kind for kind in known if isinstance(kind, type) and issubclass(kind, Exception)),
                    Exception)
        exceptions[name] = type(name, (FromCandidate, base), {
            "__str__": lambda self: self.text, "__init__": lambda self, *ignored: None, "text": ""})
    return exceptions[name]


def rebuild(error):
    kind = exception_class(str(error["n"]), [str(base) for base in error["m"]])
    raised = kind.__new__(kind)
    raised.args = tuple(codec.decode(error["a"]))
    raised.text, raised.line = str(error["s"]), error["line"]
    return raised


def request(message):
    wire.send(message)
    while True:
        reply = wire.receive()
        if "ask" in reply:
            wire.send(serve(reply))
        elif "error" in reply:
            raise rebuild(reply["error"])
        else:
            return reply


def call(target, values, named):
    sent = codec.encode(list(values))
    reply = request({"op": "call", "o": codec.encode(target), "a": sent,
                     "k": {name: codec.encode(value) for name, value in named.items()}})
    for index, after in reply.get("after", {}).items():
        follow(values[int(index)], codec.decode(after))
    return codec.decode(reply["ok"])


def follow(value, after):
    """Makes an argument what the call has made of it."""
    if type(after) is not type(value):
        return
    if isinstance(value, (list, bytearray)):
        value[:] = after
    elif isinstance(value, (dict, set)):
        value.clear()
        value.update(after)
    elif isinstance(value, wire.collections.deque):
        value.clear()
        value.extend(after)


class Remote:
    """An object of the candidate. It never gets to see data that it is compared with: an object that
    calls itself equal to everything would pass every test. Objects of its own it may compare."""

    def __init__(self, number):
        self.__dict__["_number"] = number

    def __call__(self, *values, **named):
        return call(self, values, named)

    def __getattr__(self, name):
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return codec.decode(request({"op": "get", "o": codec.encode(self), "n": name})["ok"])

    def __setattr__(self, name, value):
        request({"op": "set", "o": codec.encode(self), "n": name, "v": codec.encode(value)})

    def __hash__(self):
        return hash(self._number)

    def __eq__(self, other):
        return self is other or (type(other) is Remote and bool(operate(self, "__eq__", other)))

    def __ne__(self, other):
        return not self == other


def operate(remote, name, *values):
    reply = request({"op": "operation", "o": codec.encode(remote), "n": name, "a": codec.encode(list(values))})
    return codec.decode(reply["ok"])


def forward(name, result=None):
    def operation(self, *values):
        value = operate(self, name, *values)
        return value if result is None else result(value)
    setattr(Remote, name, operation)


def forward_between_remotes(name):
    def operation(self, other):
        return operate(self, name, other) if type(other) is Remote else NotImplemented
    setattr(Remote, name, operation)


for special in ("__iter__", "__next__", "__getitem__", "__setitem__", "__delitem__", "__abs__", "__neg__",
                "__reversed__", "__enter__", "__exit__"):
    forward(special)
for special, result in (("__len__", int), ("__str__", str), ("__repr__", str), ("__bool__", bool),
                        ("__int__", int), ("__float__", float), ("__index__", int), ("__contains__", bool),
                        ("__instancecheck__", bool)):
    forward(special, result)
for special in ("__lt__", "__le__", "__gt__", "__ge__", "__add__", "__sub__", "__mul__", "__truediv__",
                "__floordiv__", "__mod__", "__and__", "__or__", "__xor__", "__matmul__"):
    forward_between_remotes(special)


def is_of_tests(value):
    return type(value).__module__ == "tests"


def export(value):
    if type(value) is Remote:
        return {"t": "mine", "v": value._number}
    if not callable(value) and not is_of_tests(value):
        raise TypeError(f"an object of type {type(value).__name__} cannot be passed to the candidate")
    own[id(value)] = value
    return {"t": "ref", "v": id(value)}


def resolve(kind, tagged):
    if kind == "mine":
        return own[tagged["v"]]
    if "m" in tagged:
        return exception_class(str(tagged["m"][0]), [str(base) for base in tagged["m"]])
    number = tagged["v"]
    if number not in remotes:
        remotes[number] = Remote(number)
    return remotes[number]


codec = wire.Codec(export, resolve)


def serve(message):
    """What the candidate asks of an object of the tests: to be called, or for its plain attributes."""
    try:
        target = own[message["o"]]
        if message["ask"] == "call":
            named = {str(name): codec.decode(value) for name, value in message["k"].items()}
            return {"ok": codec.encode(target(*codec.decode(message["a"]), **named))}
        name = str(message["n"])
        if name.startswith("_") or not is_of_tests(target):
            raise AttributeError(name)
        if message["ask"] == "set":
            return {"ok": target.__dict__.__setitem__(name, codec.decode(message["v"]))}
        if name in target.__dict__ or isinstance(getattr(type(target), name, None), types.FunctionType):
            return {"ok": codec.encode(getattr(target, name))}
        raise AttributeError(name)
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"[:2000]}


def fetch(name):
    return codec.decode(request({"op": "name", "n": name})["ok"])


class Names(dict):
    """The builtins of the tests; behind them, names that only the candidate knows."""

    def __missing__(self, name):
        if name in candidate_names:
            return fetch(name)
        raise KeyError(name)


class CandidateModule(types.ModuleType):
    """What `import candidate` gives."""

    def __getattr__(self, name):
        if name in candidate_names:
            return fetch(name)
        raise AttributeError(name)


class Finder:
    def find_spec(self, name, path=None, target=None):
        return type(builtins.__spec__)(name, self) if name in importable else None

    def create_module(self, spec):
        return CandidateModule(spec.name)

    def exec_module(self, module):
        module.__all__ = [name for name in candidate_names if not name.startswith("_")]


class Broken(Exception):
    """The tests themselves do not work."""


def read(name):
    path = os.path.join(FOLDER, name)
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return file.read()


def compiled(source, name):
    try:
        return compile(source, name, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        raise Broken(f"{name}: {error}") from None


def run_prelude(space):
    if prelude := read("prelude.py"):
        code = compiled(prelude, "prelude.py")
        try:
            exec(code, space)
        except Exception as error:
            raise Broken(f"prelude.py: {type(error).__name__}: {error}") from None


def run_functions(space, source, entry):
    """What a file of tests only defines: check(candidate), test functions, test cases."""
    functions = {name: value for name, value in space.items() if isinstance(value, types.FunctionType)
                 and value.__code__.co_filename == "tests.py"}
    check = functions.get("check")
    if check is not None and not any(line.startswith("check(") for line in source.splitlines()):
        if check.__code__.co_argcount == 0:
            check()
        else:
            check(space[entry] if entry in space else fetch(entry))
    for name, function in functions.items():
        if (name == "test" or name.startswith("test_")) and function.__code__.co_argcount == 0:
            if not any(line.startswith(name + "(") for line in source.splitlines()):
                function()
    if "unittest" in sys.modules:
        unittest = sys.modules["unittest"]
        for value in list(space.values()):
            if isinstance(value, type) and issubclass(value, unittest.TestCase) and is_of_tests_class(value):
                unittest.defaultTestLoader.loadTestsFromTestCase(value).debug()


def is_of_tests_class(kind):
    return kind.__module__ == "tests"


def run_tests(entry):
    source = read("tests.py")
    code = compiled(source, "tests.py")
    space = tests.__dict__
    sys.modules["tests"] = tests
    space["__builtins__"] = Names(vars(builtins))
    run_prelude(space)
    if entry:
        if entry not in candidate_names:
            return {"outcome": "error", "why": f"the candidate defines no {entry}"}
        space[entry] = fetch(entry)
    try:
        exec(code, space)
        run_functions(space, source, entry or last_function)
    except ModuleNotFoundError as error:
        raise Broken(f"tests.py: {error}") from None
    except SystemExit as end:
        if end.code:
            return {"outcome": "wrong", "why": f"the tests exit with {end.code}"}
    return {"outcome": "pass"}


def place_in_tests(error, source):
    line, step = None, error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == "tests.py":
            line = step.tb_lineno
        step = step.tb_next
    lines = source.splitlines()
    return f"line {line}: {lines[line - 1].strip()[:300]}" if line and line <= len(lines) else "the tests"


def explain(error):
    name = type(error).__name__
    text = str(error)[:1000]
    said = f"{name}: {text}" if text else name
    if isinstance(error, FromCandidate):
        where = f" at line {error.line} of the candidate" if type(error.line) is int else ""
        outcome = "memory" if isinstance(error, MemoryError) else "error"
        return {"outcome": outcome, "why": f"{said}{where}; {place_in_tests(error, read('tests.py'))}"}
    return {"outcome": "wrong", "why": f"{place_in_tests(error, read('tests.py'))}"
            + (f" ({said})" if text or not isinstance(error, AssertionError) else "")}


def judge():
    try:
        first = wire.receive()
        if first.get("load") != "fine":
            error = rebuild(first["error"])
            said = f"{type(error).__name__}: {error}"[:1000]
            kind = "memory" if isinstance(error, MemoryError) else "error"
            return {"outcome": "syntax" if first["load"] == "syntax" else kind,
                    "why": f"{said}, while loading the candidate"}
        candidate_names.update(dict.fromkeys(str(name) for name in first["names"]))
        global last_function
        last_function = str(first["last"])
        return run_tests(ENTRY)
    except wire.ChannelClosed:
        return {"outcome": "gone", "why": "the candidate ended its process"}
    except Broken as broken:
        return {"outcome": "broken", "why": str(broken)[:2000]}
    except BaseException as error:
        return explain(error)


ENTRY, importable = sys.argv[1], set(sys.argv[2:])
candidate_names, last_function = {}, ""
sys.meta_path.append(Finder())
verdict = judge()
try:
    text = wire.json.dumps(verdict).encode()
except Exception:
    text = wire.json.dumps({"outcome": "wrong", "why": "the tests fail"}).encode()
os.write(verdict_out, text)
os._exit(0)
