"""The files that the lints read, and C++ text without its comments and literals."""
import re
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CPP_SUFFIXES = {".cpp", ".hpp", ".inl", ".cu", ".cuh"}

# A comment or a literal. Raw strings come first, as they may hold anything.
COMMENT_OR_LITERAL = re.compile(
    r'R"(?P<mark>[^()\s\\]{0,16})\(.*?\)(?P=mark)"'
    r"|//[^\n]*|/\*.*?\*/"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+'",  # not the separators of 1'000
    re.DOTALL)


@dataclass(frozen=True)
class Finding:
    path: str
    line: int
    rule: str
    message: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.message} [{self.rule}]"


@dataclass
class Source:
    path: str  # from the repository's root
    text: str

    @property
    def suffix(self):
        return Path(self.path).suffix

    @property
    def is_cpp(self):
        return self.suffix in CPP_SUFFIXES

    @property
    def module(self):
        """base, simd … for a file of src/, otherwise None."""
        parts = self.path.split("/")
        return parts[1] if parts[0] == "src" and len(parts) > 2 else None

    @property
    def is_test(self):
        return bool(re.search(r"_(test|bench)\.cpp$|_testing\.hpp$", self.path)) or self.module == "testing" or \
            self.path.startswith(("tests/", "bench/"))

    @cached_property
    def code(self):
        """The text with comments and literals blanked; lines stay where they are."""
        def blank(match):
            text = match.group(0)
            if text.startswith(("//", "/*")):
                return re.sub(r"[^\n]", " ", text)
            return '"' + re.sub(r"[^\n]", " ", text[1:-1]) + '"'
        return COMMENT_OR_LITERAL.sub(blank, self.text)

    def line_of(self, offset):
        return self.text.count("\n", 0, offset) + 1


def all_sources():
    """Every text file of the repository that git tracks or would track."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT,
                            capture_output=True, text=True, check=True).stdout
    for path in sorted(filter(None, listed.split("\0"))):
        file = ROOT / path
        if file.is_file() and not path.startswith(("tests/golden/", "models/")):
            try:
                yield Source(path, file.read_text(encoding="utf-8"))
            except UnicodeDecodeError:
                continue  # binary seeds
