"""A module includes only itself and the modules before it; src/testing is for tests alone.

Tests and benchmarks link src/testing, which builds on io, so they may include all up to io.
"""
import re

from sources import ROOT, Finding, Source

RULE = "include-order"
ORDER = ["base", "simd", "core", "device", "quant", "ops", "io", "text", "model", "engine", "judge",
         "data", "train", "eval", "serve", "cli"]
STRANGERS = {"train", "eval", "serve"}  # all three drive engine, none another of them
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+"([^"]+)"', re.MULTILINE)


def complaint(source, included):
    target = included.split("/")[0]
    if target == "testing" or included.endswith("_testing.hpp"):
        return None if source.is_test else f"{included} is for tests and benchmarks only"
    if target not in ORDER:
        return f'"{included}" does not start with the name of a module of src/'
    if source.module not in ORDER:
        return None  # tests/ and src/testing may include any module
    last = max(ORDER.index(source.module), ORDER.index("io") if source.is_test else 0)
    if ORDER.index(target) > last:
        return f"{source.module} comes before {target}, so it may not include {included}"
    if source.module != target and {source.module, target} <= STRANGERS:
        return f"{source.module} and {target} must not include each other"
    return None


def check(source):
    if not source.is_cpp or not (source.module or source.path.startswith("tests/")):
        return
    for match in INCLUDE.finditer(source.text):
        if message := complaint(source, match.group(1)):
            yield Finding(source.path, source.line_of(match.start()), RULE, message)


def self_check():
    good = [("src/ops/a.cpp", "quant/f.hpp"), ("src/ops/a.cpp", "ops/mla/mla.hpp"),
            ("src/ops/a_test.cpp", "testing/cases.hpp"), ("tests/fuzz/a.cpp", "cli/x.hpp"),
            ("src/serve/a.cpp", "engine/e.hpp"), ("src/simd/a_test.cpp", "device/cpu.hpp"),
            ("src/testing/a.cpp", "io/gguf.hpp")]
    bad = [("src/base/a.hpp", "core/dtype.hpp"), ("src/simd/a_test.cpp", "model/model.hpp"),
           ("src/ops/a.cpp", "testing/cases.hpp"),
           ("src/ops/a.cpp", "ops/a_testing.hpp"), ("src/serve/a.cpp", "train/t.hpp"), ("src/ops/a.cpp", "a.hpp")]
    for cases, expected in ((good, 0), (bad, 1)):
        for path, included in cases:
            found = list(check(Source(path, f'#include "{included}"\n')))
            assert len(found) == expected, (path, included, found)
    built = re.search(r"set\(PONDER_MODULES ([^)]*)\)", (ROOT / "cmake/Ponder.cmake").read_text())
    modules = built.group(1).split()
    assert modules == [m for m in ORDER if m in modules], "cmake/Ponder.cmake has another order"
