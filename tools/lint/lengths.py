"""Files of at most 600 lines (kernel bodies 900), functions of at most 80."""
import ast
import re

from sources import Finding, Source

FILE_RULE, FUNCTION_RULE = "file-length", "function-length"
FILE_LIMIT, KERNEL_LIMIT, FUNCTION_LIMIT = 600, 900, 80
LIMITED = {".py", ".sh", ".js", ".cmake"}

SCOPE = re.compile(r"\b(namespace|class|struct|union|enum|extern)\b[^()]*$")
BODY = re.compile(r"(\)|\b(?:const|noexcept|override|final|mutable|try)|&)\s*$|\)\s*->[^;{}]*$"
                  r"|\)\s*(?:noexcept\s*)?:[^:].*[)}]\s*$", re.DOTALL)


def cpp_functions(code):
    """(first line, last line) of each outermost function body: a brace counter over blanked code.

    A brace opens a scope (namespace, class), a function's body, or data (initialisers); only the
    text since the last statement tells which.
    """
    code = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: re.sub(r"[^\n]", " ", m.group(0)), code,
                  flags=re.MULTILINE)
    line, header, open_braces = 1, "", []
    for char in code:
        if char == "\n":
            line += 1
        inside_body = any(kind == "body" for kind, _, _ in open_braces)
        if char == "{":
            kind = "nested"
            if not inside_body:
                text = header.strip()
                kind = "scope" if SCOPE.search(text) else "body" if BODY.search(text) else "data"
            open_braces.append((kind, line, header))
            header = "" if kind != "data" else header + "{"
        elif char == "}" and open_braces:
            kind, start, before = open_braces.pop()
            if kind == "body":
                yield start, line
            header = before + "{}" if kind == "data" else ""
        elif char == ";" and not inside_body and not any(k == "data" for k, _, _ in open_braces):
            header = ""
        elif not inside_body:
            header += char
            if header.endswith(("public:", "private:", "protected:")):
                header = ""


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.lineno, node.end_lineno


def check(source):
    if not source.is_cpp and source.suffix not in LIMITED:
        return
    lines = source.text.count("\n")
    limit = KERNEL_LIMIT if source.suffix == ".inl" else FILE_LIMIT
    if lines > limit:
        yield Finding(source.path, limit, FILE_RULE, f"{lines} lines, at most {limit}")
    functions = []
    if source.suffix == ".py":
        functions = python_functions(source.text)
    elif source.is_cpp and source.suffix != ".inl":  # kernel bodies may be long
        functions = cpp_functions(source.code)
    for first, last in functions:
        if last - first + 1 > FUNCTION_LIMIT:
            yield Finding(source.path, first, FUNCTION_RULE,
                          f"function of {last - first + 1} lines, at most {FUNCTION_LIMIT}")


def self_check():
    filler = "  x(\"}\");  // {\n" * 79
    long_bodies = ["int f(int a) {\n", "Result<int> A::f() const noexcept {\n", "auto f() -> int {\n",
                   "A::A(int a) : b_{a}, c_(a) {\n", "class A {\n public:\n  void f() {\n",
                   "namespace ponder {\nstruct A {\n  int a = 0;\n  A() : b{2} {\n",
                   "namespace {\nTEST(Thing, Works) {\n", "#define A {\ntemplate <class T>\nvoid f(T&& t) &&\n{\n"]
    for body in long_bodies:
        source = Source("src/base/a.cpp", body + filler + "}\n" * body.count("{"))
        assert [f.rule for f in check(source)] == [FUNCTION_RULE], (body, list(check(source)))
    fine = ["constexpr int kTable[] = {\n", "namespace a {\n", "struct Options {\n",
            "const std::map<int, int> kMap(\n{\n", "static std::vector<int> list{\n"]
    for body in fine:
        source = Source("src/base/a.cpp", body + "  1,\n" * 100 + "}\n")
        assert not list(check(source)), body
    short = "int f() {\n" + filler[: len(filler) // 79 * 78] + "}\n"
    assert not list(check(Source("src/a/a.cpp", short * 5)))
    assert [f.rule for f in check(Source("src/a/a.cpp", "\n" * 601))] == [FILE_RULE]
    assert not list(check(Source("src/a/a.inl", "\n" * 900)))
    assert [f.rule for f in check(Source("a.py", "def f():\n" + "  x = 1\n" * 80))] == [FUNCTION_RULE]
