"""Real models write Python on request, and what they write is run and judged by its results."""
import json
import re
import resource
import subprocess
import sys
import tempfile

import pytest

TASKS = {
    "is_prime": (
        "Write a Python function is_prime(n) that returns True if n is a prime number, else False.",
        [((n,), n in {2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 97, 7919})
         for n in [*range(0, 50), 97, 99, 7919, 7921]]),
    "fibonacci": (
        "Write a Python function fibonacci(n) that returns the n-th Fibonacci number, "
        "with fibonacci(0) = 0 and fibonacci(1) = 1.",
        [((0,), 0), ((1,), 1), ((2,), 1), ((10,), 55), ((20,), 6765)]),
    "is_palindrome": (
        "Write a Python function is_palindrome(s) that returns True if the string s reads the same "
        "forwards and backwards, else False. Compare the characters exactly as they are.",
        [(("",), True), (("a",), True), (("abba",), True), (("abcba",), True), (("abca",), False)]),
}

RUNNER = """
import json, sys
source, name, calls = json.load(sys.stdin)
scope = {"__name__": "generated"}
exec(compile(source, "generated", "exec"), scope)
results = []
for arguments in calls:
    results.append(scope[name](*arguments))
print("RESULTS" + json.dumps(results))
"""


def limit_process():
    resource.setrlimit(resource.RLIMIT_CPU, (10, 10))
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))


def code_of(answer):
    """The first fenced block of the answer that defines a function."""
    for block in re.findall(r"```(?:python|py)?[ \t]*\n(.*?)```", answer, re.DOTALL):
        if "def " in block:
            return block
    pytest.fail(f"no fenced code with a function in the answer:\n{answer}")


def results_of(source, name, calls):
    """What the function returns, run in a process of its own with little time and memory."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([sys.executable, "-I", "-c", RUNNER], text=True, capture_output=True,
                              input=json.dumps([source, name, calls]), timeout=30, cwd=folder,
                              preexec_fn=limit_process)
    assert done.returncode == 0, f"{source}\n{done.stderr}"
    return json.loads(done.stdout.rpartition("RESULTS")[2])


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("model", ["coder_half_b", "coder_one_and_half_b"])
def test_writes_a_correct_function(ponder, request, model, task):
    prompt, cases = TASKS[task]
    done = ponder("run", "-m", request.getfixturevalue(model), "--greedy", "-n", 600, prompt)
    assert done.returncode == 0, done.stderr
    source = code_of(done.stdout)
    assert results_of(source, task, [list(arguments) for arguments, _ in cases]) == \
        [expected for _, expected in cases], source


def test_answer_is_the_same_on_every_run_and_thread_count(ponder, coder_half_b):
    answers = {ponder("run", "-m", coder_half_b, "--greedy", "-n", 48, "--threads", threads,
                      "Explain in two sentences what a hash table is.").stdout
               for threads in (1, 2, 2)}
    assert len(answers) == 1 and answers.pop().strip()


def test_sampling_with_a_seed_repeats_itself_and_other_seeds_differ(ponder, coder_half_b):
    def answer(seed):
        return ponder("run", "-m", coder_half_b, "--temperature", 1.0, "--seed", seed, "-n", 32,
                      "Invent a name for a spaceship and describe it.").stdout
    first = answer(1)
    assert first.strip() and first == answer(1)
    assert len({first, answer(2), answer(3)}) > 1


COPY = """Rewrite this Python function so that the parameter `values` is called `numbers`. \
Print the whole function, nothing else.

```python
def moving_average(values, window):
    \"\"\"Return the list of averages of each window of consecutive values.\"\"\"
    if window <= 0:
        raise ValueError("window must be positive")
    if window > len(values):
        return []
    total = 0
    for i in range(window):
        total += values[i]
    averages = [total / window]
    for i in range(window, len(values)):
        total += values[i]
        total -= values[i - window]
        averages.append(total / window)
    return averages
```
"""


@pytest.mark.parametrize("sampling", [
    ["--greedy"],
    ["--temperature", 0.7, "--seed", 3, "--repeat-penalty", 1.02, "--presence-penalty", 0.1]])
@pytest.mark.parametrize("model", ["coder_half_b", "coder_one_and_half_b"])
def test_lookup_saves_forward_passes_and_changes_no_token(ponder, request, model, sampling):
    def answer(*speculation):
        done = ponder("run", "-m", request.getfixturevalue(model), "-n", 300, "--json", *sampling,
                      *speculation, input=COPY)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)
    plain, looked_up = answer(), answer("--speculate", "lookup")
    assert looked_up["tokens"] == plain["tokens"] and "def moving_average" in plain["text"]
    assert looked_up["finish_reason"] == plain["finish_reason"]
    stats = looked_up["stats"]
    assert plain["stats"]["forward_passes"] == plain["stats"]["decode_tokens"] \
        == stats["decode_tokens"]
    assert plain["stats"]["drafted_tokens"] == 0
    assert stats["drafted_tokens"] >= stats["accepted_tokens"] > 0
    assert stats["forward_passes"] + stats["accepted_tokens"] == stats["decode_tokens"]
    assert stats["tokens_per_forward_pass"] == stats["decode_tokens"] / stats["forward_passes"]
    if sampling == ["--greedy"]:  # a copy, nearly
        assert stats["tokens_per_forward_pass"] > 2


def test_the_sandbox_of_this_test_judges_results():
    assert results_of("def f(x):\n    return x + 1\n", "f", [[1], [2]]) == [2, 3]
    assert results_of("def f(x):\n    return x\n", "f", [[1]]) != [2]
    with pytest.raises(AssertionError):
        results_of("def f(x):\n    with open('f', 'w') as file:\n        file.write('a')\n", "f", [[1]])
    with pytest.raises(AssertionError):
        results_of("def f(x):\n    return 'a' * (1 << 31)\n", "f", [[1]])
