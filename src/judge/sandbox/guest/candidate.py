"""Runs the candidate for the tester, who sits at the other end of descriptor 3: loads the source, then
answers requests. Whatever the candidate makes of this process, the tester only reads data from it.
"""
import _operator
import os
import sys
import types

FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, FOLDER)
import wire  # noqa: E402

sys.path.remove(FOLDER)

OPERATIONS = {
    "__len__": len, "__iter__": iter, "__next__": next, "__str__": str, "__repr__": repr, "__bool__": bool,
    "__int__": int, "__float__": float, "__index__": _operator.index, "__abs__": abs, "__neg__": _operator.neg,
    "__getitem__": _operator.getitem, "__setitem__": _operator.setitem, "__delitem__": _operator.delitem,
    "__contains__": _operator.contains, "__eq__": _operator.eq, "__ne__": _operator.ne,
    "__lt__": _operator.lt, "__le__": _operator.le, "__gt__": _operator.gt, "__ge__": _operator.ge,
    "__add__": _operator.add, "__sub__": _operator.sub, "__mul__": _operator.mul,
    "__truediv__": _operator.truediv, "__floordiv__": _operator.floordiv, "__mod__": _operator.mod,
    "__and__": _operator.and_, "__or__": _operator.or_, "__xor__": _operator.xor,
    "__matmul__": _operator.matmul, "__reversed__": reversed,
    "__instancecheck__": lambda kind, value: isinstance(value, kind),
    "__enter__": lambda manager: type(manager).__enter__(manager),
    "__exit__": lambda manager, *reason: type(manager).__exit__(manager, *reason),
}
MUTABLE = (list, dict, set, bytearray, wire.collections.deque)

objects = {}  # what the tester has references to
module = types.ModuleType("candidate")


class Outer:
    """An object of the tests, seen from here."""

    def __init__(self, number):
        self.__dict__["_number"] = number

    def __call__(self, *values, **named):
        return ask({"ask": "call", "o": self._number, "a": codec.encode(list(values)),
                    "k": {name: codec.encode(value) for name, value in named.items()}})

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return ask({"ask": "get", "o": self._number, "n": name})

    def __setattr__(self, name, value):
        ask({"ask": "set", "o": self._number, "n": name, "v": codec.encode(value)})


def export(value):
    if type(value) is Outer:
        return {"t": "mine", "v": value._number}
    objects[id(value)] = value
    tagged = {"t": "ref", "v": id(value)}
    if isinstance(value, type) and issubclass(value, Exception):
        tagged["m"] = [base.__name__ for base in value.__mro__]
    return tagged


def resolve(kind, tagged):
    return objects[tagged["v"]] if kind == "mine" else Outer(tagged["v"])


codec = wire.Codec(export, resolve)


def ask(message):
    wire.send(message)
    while True:
        reply = wire.receive()
        if "op" in reply:
            wire.send(answer(reply))
        elif "error" in reply:
            raise RuntimeError(reply["error"])
        else:
            return codec.decode(reply["ok"])


def changed(sent, values):
    """Arguments that the call has changed, so that the tester's own can follow."""
    after = {}
    for index, value in enumerate(values):
        if isinstance(value, MUTABLE):
            now = codec.encode(value)
            if now != sent[index]:
                after[str(index)] = now
    return after


def perform(request):
    op = request["op"]
    if op == "name":
        return {"ok": codec.encode(getattr(module, request["n"]))}
    target = codec.decode(request["o"])
    if op == "get":
        return {"ok": codec.encode(getattr(target, request["n"]))}
    if op == "set":
        return {"ok": setattr(target, request["n"], codec.decode(request["v"]))}
    values = codec.decode(request["a"])
    if op == "operation":
        return {"ok": codec.encode(OPERATIONS[request["n"]](target, *values))}
    named = {name: codec.decode(value) for name, value in request["k"].items()}
    result = codec.encode(target(*values, **named))
    return {"ok": result, "after": changed(request["a"], values)}


def line_of(error):
    line, step = None, error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == "candidate.py":
            line = step.tb_lineno
        step = step.tb_next
    return line


def describe(error):
    text = str(error)[:2000]
    arguments = [value for value in error.args if type(value) in wire.PLAIN or type(value) is int]
    return {"n": type(error).__name__, "m": [base.__name__ for base in type(error).__mro__], "s": text,
            "a": codec.encode(arguments), "line": line_of(error)}


def answer(request):
    try:
        return perform(request)
    except wire.ChannelClosed:
        os._exit(0)
    except BaseException as error:
        return {"error": describe(error)}


def load():
    try:
        with open(os.path.join(FOLDER, "source.py"), encoding="utf-8", errors="surrogateescape") as file:
            source = file.read()
        code = compile(source, "candidate.py", "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:  # ValueError: null bytes
        return {"load": "syntax", "error": describe(error)}
    except (RecursionError, MemoryError) as error:
        return {"load": "error", "error": describe(error)}
    sys.modules["candidate"] = module
    try:
        exec(code, module.__dict__)
    except BaseException as error:
        return {"load": "error", "error": describe(error)}
    names = [name for name in module.__dict__ if type(name) is str and not name.startswith("__")][:10000]
    own = [name for name in names if isinstance(module.__dict__[name], types.FunctionType)]
    return {"load": "fine", "names": names, "last": own[-1] if own else ""}


wire.send(load())
while True:
    try:
        message = wire.receive()
    except wire.ChannelClosed:
        os._exit(0)
    wire.send(answer(message))
