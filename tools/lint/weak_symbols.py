"""No untagged weak symbol in an object that holds code of one instruction set.

The linker keeps one of several weak definitions. If an inline function or a template was also
compiled in an AVX-512 file, the copy it keeps may hold AVX-512 code, and a caller on an older
machine dies of an illegal instruction. So a weak symbol of such a file must carry the name of the
instruction set in its own name (a template argument, a namespace); then no other file has it.
"""
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from sources import ROOT, Finding

RULE = "isa-weak-symbol"
OBJECT = re.compile(r"_(avx2|avx512|avx512_vnni|amx)\.cpp\.o$")
TAGS = {"avx2": r"\b(?:[A-Za-z0-9_]*Avx2|avx2)\b", "avx512": r"\b(?:[A-Za-z0-9_]*Avx512(?:Short)?|avx512)\b",
        "avx512_vnni": r"\b(?:Avx512Vnni|avx512_vnni)\b",
        "amx": r"\b(?:[A-Za-z0-9_]*Amx|amx)\b"}
SYMBOL = re.compile(r"^(?:[0-9a-f]+)?\s*([A-Za-z])\s+(.+)$")
WEAK = set("WVu")  # lower-case w and v are references, not definitions
DATA_ONLY = re.compile(r"^DW\.ref\.")  # a pointer to the personality routine of exceptions


def leaks(isa, listing):
    for line in listing.splitlines():
        match = SYMBOL.match(line)
        if match and match.group(1) in WEAK and not DATA_ONLY.match(match.group(2)) \
                and not re.search(TAGS[isa], match.group(2)):
            yield match.group(2)


def objects(folder):
    return sorted(p for p in folder.rglob("*.o") if OBJECT.search(p.name))


def check_builds(folders):
    for folder in folders:
        for file in objects(folder):
            listing = subprocess.run(["nm", "-C", "--defined-only", str(file)], capture_output=True,
                                     text=True, check=True).stdout
            for name in leaks(OBJECT.search(file.name).group(1), listing):
                path = file.relative_to(ROOT) if file.is_relative_to(ROOT) else file
                yield Finding(str(path), 0, RULE, f"weak and without the tag of its ISA: {name}")


def self_check():
    listing = ("0000 W void ponder::dot<ponder::Avx2>(float*)\n0000 T ponder::table()\n"
               "                 w __gmon_start__\n0000 V DW.ref.__gxx_personality_v0\n"
               "0000 W std::vector<float>::push_back(float)\n0000 V guard\n")
    assert list(leaks("avx2", listing)) == ["std::vector<float>::push_back(float)", "guard"]
    assert len(list(leaks("avx512", listing))) == 3
    compiler = shutil.which("g++")
    if compiler is None:
        return
    with tempfile.TemporaryDirectory() as folder:  # the real tools, on an object that leaks
        source = Path(folder) / "leak_avx2.cpp"
        source.write_text("template <class T> __attribute__((noinline)) T f(T x) { return x + 1; }\n"
                          "struct Avx2 {}; template <class T> __attribute__((noinline)) int g(T*) { return 1; }\n"
                          "int user(int x) { return f(x) + g(static_cast<Avx2*>(nullptr)); }\n")
        subprocess.run([compiler, "-O2", "-c", str(source), "-o", folder + "/leak_avx2.cpp.o"], check=True)
        found = list(check_builds([Path(folder)]))
        assert len(found) == 1 and "int f<int>" in found[0].message, found
