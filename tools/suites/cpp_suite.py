"""What the tasks of the suite "cpp" are made of; tools/suites/make_cpp.py makes suites/cpp.jsonl of them.

A task is a reference in Python, decorated with its statement, its solution in C++ and a wrong variant of it. The
expected output of every case comes from the reference, so that solution and reference check each other.
"""
import re

MASK, GOLDEN = (1 << 64) - 1, 0x9E3779B97F4A7C15
TASKS = []


def splitmix64(seed, count):
    """The count-th number, from 0, of Steele, Lea and Flood's SplitMix64."""
    z = (seed + (count + 1) * GOLDEN) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


class Draw:
    """Random numbers that are the same on every machine."""

    def __init__(self, seed):
        self.seed, self.count = seed, 0

    def __call__(self, low, high):
        self.count += 1
        return low + splitmix64(self.seed, self.count - 1) % (high - low + 1)

    def pick(self, choices):
        return choices[self(0, len(choices) - 1)]

    def word(self, length, letters="abcdefghijklmnopqrstuvwxyz"):
        return "".join(self.pick(letters) for _ in range(length))

    def list(self, count, low, high):
        return [self(low, high) for _ in range(count)]

    def shuffled(self, items):
        items = list(items)
        for i in range(len(items) - 1, 0, -1):
            j = self(0, i)
            items[i], items[j] = items[j], items[i]
        return items


def rows(count, *columns, seed=1, end="\n"):
    """A part of a long input that is written down as how to make it, see src/judge/tasks/made_input.hpp."""
    part = {"rows": count, "columns": list(columns)}
    if end != "\n":
        part["end"] = end
    if any(isinstance(c, list) for c in columns):
        part["seed"] = seed
    return part


def row_of(count, column, seed=1):
    """One line of numbers."""
    return [rows(count, column, seed=seed, end=" "), "\n"]


def written_out(parts):
    """The text of an input: a text, or a list of texts and of what rows() makes."""
    if isinstance(parts, str):
        return parts
    out = []
    for part in parts:
        if isinstance(part, str):
            out.append(part)
            continue
        draws, end = 0, part.get("end", "\n")
        for row in range(part["rows"]):
            values = []
            for column in part["columns"]:
                if isinstance(column, str):
                    values.append(column)
                    continue
                number = splitmix64(part["seed"], draws)
                draws += 1
                if isinstance(column[0], str):
                    values.append(column[number % len(column)])
                    continue
                low, high, low_step, high_step = column if len(column) == 4 else [*column, 0, 0]
                low, high = low + row * low_step, high + row * high_step
                values.append(str(low + number % (high - low + 1)))
            out.append(" ".join(values) + end)
    return "".join(out)


HEADERS = {"iostream": r"\bcin\b|\bcout\b", "string": r"\bstring\b|getline|to_string", "vector": r"\bvector\b",
           "algorithm": r"\b(sort|max|min|swap|reverse|lower_bound|upper_bound|unique|fill|count|max_element|"
                        r"min_element|next_permutation|find|nth_element)\(",
           "map": r"\bmap<", "set": r"\b(multi)?set<", "queue": r"queue<", "deque": r"\bdeque<", "cstdint": r"int64_t",
           "numeric": r"\b(accumulate|iota|gcd)\(", "sstream": r"stringstream", "array": r"\barray<",
           "utility": r"\bpair<", "functional": r"\bfunction<|greater<", "cctype": r"\b(isdigit|isalpha|tolower|isspace)",
           "list": r"\blist<", "unordered_map": r"unordered_map<", "climits": r"_MAX\b|_MIN\b", "cstdlib": r"\babs\(",
           "cmath": r"\bsqrt\("}


def whole_program(code):
    if "#include" not in code:
        used = sorted(header for header, pattern in HEADERS.items() if re.search(pattern, code))
        code = "".join(f"#include <{header}>\n" for header in used) + "using namespace std;\n\n" + code.strip() + "\n"
    return code


class Task:
    def __init__(self, name, level, solution, wrong, cases, time, slow, reference):
        self.name, self.level, self.time, self.reference = name, level, time, reference
        self.statement = "\n".join(line.strip() for line in reference.__doc__.strip().splitlines())
        self.solution, self.cases = whole_program(solution), cases
        if isinstance(wrong, tuple):
            assert self.solution.count(wrong[0]) == 1, (name, wrong)
            wrong = self.solution.replace(*wrong)
        self.wrong = [whole_program(wrong)] + ([whole_program(slow)] if slow else [])

    def record(self):
        io = []
        for case in self.cases:
            answer = self.reference(written_out(case))
            io.append({"stdin": case, "stdout": str(answer) + "\n"})
        assert isinstance(self.cases[0], str) and len(io) >= 8, self.name
        example = f"Example input:\n```\n{self.cases[0].rstrip()}\n```\nExample output:\n```\n{io[0]['stdout'].rstrip()}\n```"
        record = {"id": "cpp/" + self.name, "level": self.level, "language": "cpp",
                  "prompt": "Write a C++20 program that reads standard input and writes standard output.\n\n"
                  f"{self.statement}\n\n{example}"}
        if self.time:
            record["prompt"] += f"\n\nTime limit: {self.time} s for each input."
            record["time"] = self.time
        return {**record, "io": io, "solution": self.solution, "wrong": self.wrong}


def task(name, level, solution, wrong, cases, time=None, slow=None):
    """wrong: a program, or what to replace in the solution and by what. cases: inputs, the first is the example.
    slow: of level 2, where `wrong` gives wrong answers, a program that is right but takes too long."""
    def add(reference):
        TASKS.append(Task(name, level, solution, wrong, list(cases), time, slow, reference))
        return reference
    return add


def ints(text):
    return [int(word) for word in text.split()]


def line(numbers):
    return " ".join(map(str, numbers))


def with_count(numbers):
    return f"{len(numbers)}\n{line(numbers)}\n"
