"""What may stand only in certain places: one regular expression a rule."""
import re
from dataclasses import dataclass
from typing import Callable

from sources import Finding, Source

LIBRARY_ISA_FILE = re.compile(r"_(avx2|avx512|avx512_vnni|amx)\.cpp$|\.inl$")


def product(source):
    return source.is_cpp and source.module is not None and not source.is_test


@dataclass
class Rule:
    name: str
    pattern: str  # searched in code without comments and literals …
    applies: Callable
    message: str
    bad: tuple  # (path, text) that must be found
    good: tuple  # (path, text) that must not
    in_text: bool = False  # … or in the whole text


RULES = [
    Rule("getenv", r"\b(secure_)?getenv\b|\bsetenv\b|\benviron\b",
         lambda s: product(s) and s.module != "base",
         "only base/env reads the environment",
         ("src/io/a.cpp", 'auto* x = getenv("A");'), ("src/base/env.cpp", 'auto* x = getenv("A");')),
    Rule("print", r"\b(v?f?printf|f?puts|putchar|fputc|perror)\s*\(|std::(cout|cerr|clog)\b|<iostream>",
         lambda s: product(s) and s.module != "cli" and s.path != "src/base/check.cpp",
         "libraries do not print: use base/log.hpp or return the text",
         ("src/io/a.cpp", 'std::printf("a");'), ("src/io/a.cpp", 'std::snprintf(a, 3, "a"); // printf("a")')),
    Rule("dtype-switch", r"\bcase\s+(?:ponder::)?DType::",
         lambda s: product(s) and s.module not in ("quant", "core"),
         "no switch on the format here: visit_format in quant/formats.hpp is the only one",
         ("src/ops/a.cpp", "case DType::kF32:"), ("src/quant/formats.hpp", "case DType::kF32:")),
    Rule("throw", r"\bthrow\b", product,
         "our code throws nothing: return a Failure",
         ("src/io/a.cpp", "if (bad) throw 1;"), ("src/io/a.cpp", "// may throw\nvoid f() noexcept;")),
    Rule("macro", r"^[ \t]*#[ \t]*define\b(?!\s+TOML_)", lambda s: product(s) and s.suffix in (".hpp", ".inl")
         and s.path != "src/base/macros.hpp",
         "macros of headers live in base/macros.hpp",
         ("src/io/a.hpp", "#define A 1"), ("src/base/macros.hpp", "#define A 1")),
    Rule("isa-condition", r"^[ \t]*#[ \t]*(el)?if.*__(AVX|SSE|FMA|AMX|F16C)",
         lambda s: s.is_cpp and s.module is not None,
         "the instruction set lives in file suffixes and types, never in #if",
         ("src/ops/a.inl", "#if defined(__AVX2__)"), ("src/ops/a.cpp", "#if defined(__linux__)")),
    Rule("isa-std", r"#\s*include\s*<(vector|algorithm|numeric|string|map|functional|memory)>",
         lambda s: s.module is not None and bool(LIBRARY_ISA_FILE.search(s.path)),
         "no std:: containers or algorithms in ISA files: their weak symbols leak wide instructions",
         ("src/ops/a_avx2.cpp", "#include <vector>"), ("src/ops/a.cpp", "#include <vector>")),
    Rule("pragma-once", r"\A(?!(?:.*\n)*?[ \t]*#pragma once\n)",
         lambda s: s.suffix == ".hpp",
         "a header needs #pragma once",
         ("src/io/a.hpp", "int a;\n"), ("src/io/a.hpp", "// A\n#pragma once\nint a;\n")),
    Rule("private-path", r"(?<![\w/.-])(/work/|/root/|/opt/peer|/tmp/b-|/home/\w)|(?<![\w/-])(\.\./)*shared/",
         lambda s: s.path != "tools/lint/patterns.py",
         "a path of somebody's machine",
         ("README.md", "see ../shared/design"), ("README.md", "/usr/share/common-licenses"), in_text=True),
]


def find(rule, source):
    if rule.applies(source):
        text = source.text if rule.in_text else source.code
        for match in re.finditer(rule.pattern, text, re.MULTILINE):
            yield Finding(source.path, source.line_of(match.start()), rule.name, rule.message)


def check(source):
    for rule in RULES:
        yield from find(rule, source)


def self_check():
    for rule in RULES:
        assert list(find(rule, Source(*rule.bad))), f"{rule.name} does not find {rule.bad}"
        assert not list(find(rule, Source(*rule.good))), f"{rule.name} finds {rule.good}"
