"""The conversation: driven by lines without a terminal, and by keys on one."""
import json
import os
import re
import time

import pexpect
import pytest


@pytest.fixture
def chat(ponder, coder_half_b, tmp_path):
    def run(*lines, flags=()):
        length = [] if "-n" in flags else ["-n", 12]
        return ponder("chat", "-m", coder_half_b, "--greedy", *length, *flags, cwd=tmp_path,
                      input="".join(line + "\n" for line in lines))
    return run


def saved(path):
    return json.loads(path.read_text())["messages"]


def test_lines_are_answered_without_a_terminal(chat, tmp_path):
    done = chat("Say hello.", "/save talk.json")
    assert done.returncode == 0 and done.stderr == ""
    messages = saved(tmp_path / "talk.json")
    assert [m["role"] for m in messages] == ["user", "assistant"]
    assert done.stdout.strip() == messages[1]["content"].strip() != ""


def test_an_answer_knows_what_was_said_before(chat):
    done = chat("My name is Ada. Reply with OK.", "What is my name?")
    assert "Ada" in done.stdout.splitlines()[-1]
    forgot = chat("My name is Ada. Reply with OK.", "/clear", "What is my name?")
    assert "Ada" not in forgot.stdout.splitlines()[-1]


def test_messages_of_several_lines(chat, tmp_path):
    chat('"""', "one", "", "two", '"""', "three\\", "four", "/save talk.json")
    users = [m["content"] for m in saved(tmp_path / "talk.json") if m["role"] == "user"]
    assert users == ["one\n\ntwo", "three\nfour"]


def test_save_and_load_go_on_where_it_was(chat, tmp_path):
    chat("My name is Ada. Reply with OK.", "/save talk.json", flags=["--system", "Be brief."])
    done = chat("/load talk.json", "What is my name?", "/system", "/save again.json")
    assert done.stdout.startswith("2 messages\n") and "Ada" in done.stdout
    assert done.stdout.endswith("Be brief.\n")
    first, second = saved(tmp_path / "talk.json"), saved(tmp_path / "again.json")
    assert len(first) == 3 and second[:3] == first and len(second) == 5


def test_the_cache_serves_the_common_beginning(chat):
    done = chat("Say hello.", "/set stats on", "Again.")
    match = re.search(r"prompt +(\d+) tokens \((\d+) from the cache\)", done.stderr)
    assert match and int(match[2]) > 0.5 * int(match[1])


def test_a_conversation_is_the_same_with_lookup(chat):
    lines = ["Write the numbers from 1 to 20.", "Now write them once more.", "/regen", "Thanks."]
    plain = chat(*lines, flags=["-n", 60, "--no-history"])
    drafted = chat(*lines, flags=["-n", 60, "--no-history", "--stats", "--speculate", "lookup"])
    assert plain.returncode == 0 and drafted.stdout == plain.stdout
    found = re.findall(r"drafts +(\d+) tokens, (\d+) of them accepted", drafted.stderr)
    assert sum(int(accepted) for _, accepted in found) > 0


def test_regen_answers_anew(chat, tmp_path):
    done = chat("/set temperature 2", "/set seed 1", "Tell me a story.", "/save a.json", "/regen",
                "/save b.json")
    assert done.stderr == ""
    a, b = saved(tmp_path / "a.json"), saved(tmp_path / "b.json")
    assert a[0] == b[0] and len(b) == 2 and a[1]["content"] != b[1]["content"]


@pytest.mark.parametrize("line,part", [
    ("/frobnicate", "/help"), ("/help me", "/help"), ("/regen", "no answer"), ("/save", "name"),
    ("/save no/such/file", "no/such"), ("/load", "name"), ("/load missing.json", "missing.json"),
    ("/set temperature", "missing"), ("/set temperature hot", "temperature"),
    ("/set top-p 2", "top-p"), ("/set nonsense 1", "nonsense"), ("/set think maybe", "on or off"),
    ("/set max-tokens 0", "max-tokens")])
def test_wrong_commands_are_told_and_the_talk_goes_on(chat, line, part):
    done = chat(line, "/system Still here.", "/system")
    assert done.returncode == 0 and done.stdout == "Still here.\n"
    assert done.stderr.startswith("ponder: ") and part in done.stderr
    assert done.stderr.count("\n") == 1


def test_hostile_files_are_not_loaded(chat, tmp_path):
    cases = ["", "[]", "{}", '{"format": "ponder-chat"}', "\x00" * 100, "[" * 100000,
             json.dumps({"format": "ponder-chat", "version": 1, "messages": [{"role": "tool"}]}),
             json.dumps({"format": "ponder-chat", "version": 1, "messages": 7})]
    for i, text in enumerate(cases):
        (tmp_path / str(i)).write_text(text)
    (tmp_path / "folder").mkdir()
    lines = [f"/load {i}" for i in range(len(cases))] + ["/load folder", "/load /dev/zero"]
    done = chat("/system Kept.", *lines, "/system")
    assert done.stdout == "Kept.\n" and done.stderr.count("ponder: ") == len(lines)


def test_exit_leaves_at_once(chat):
    for word in ("/exit", "/bye", "/quit"):
        assert chat(word, "Say hello.").stdout == ""


def test_help_lists_the_commands(chat):
    text = chat("/help").stdout
    for word in ("/clear", "/system", "/set", "/save", "/load", "/regen", "/exit", "temperature"):
        assert word in text


def test_a_message_beyond_the_context_is_refused(chat):
    done = chat("one " * 200, "Hi", flags=["--ctx", 64])
    assert "context has 64" in done.stderr and done.stdout.strip()


# ---- on a terminal --------------------------------------------------------------------------

@pytest.fixture
def terminal(ponder_bin, coder_half_b, tmp_path):
    environment = {**os.environ, "TERM": "xterm", "XDG_CACHE_HOME": str(tmp_path), "NO_COLOR": "1",
                   "LC_ALL": "C.UTF-8"}
    environment.pop("PONDER_CACHE", None)
    children = []

    def start(*flags):
        child = pexpect.spawn(str(ponder_bin), ["chat", "-m", str(coder_half_b), "--greedy", *flags],
                              env=environment, dimensions=(40, 100), timeout=60, cwd=str(tmp_path),
                              encoding="utf-8")
        children.append(child)
        child.expect(">>> ")
        return child
    yield start
    for child in children:
        child.close(force=True)


def leave(child):
    child.sendeof()
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_greeting_footer_and_leaving(terminal):
    child = terminal("-n", "8")
    assert "qwen2" in child.before and "/help" in child.before
    child.sendline("Say hello.")
    child.expect(r"(\d+) of (\d+) tokens")
    assert 0 < int(child.match[1]) < int(child.match[2])
    child.expect(">>> ")
    leave(child)


def test_ctrl_c_stops_the_answer_and_not_the_program(terminal):
    child = terminal()
    child.sendline("Count from 1 to 1000, separated by commas.")
    child.expect("1, ?2, ?3, ?4")
    before = time.monotonic()
    child.sendintr()
    child.expect(r"\[stopped; \d+ of")
    assert time.monotonic() - before < 5
    child.expect(">>> ")
    child.sendline("/save talk.json")
    child.expect(">>> ")
    child.sendintr()
    child.expect("Ctrl-D or /exit leaves")
    child.sendline("/set max-tokens 4")
    child.sendline("Say hello.")
    child.expect(r"tokens/s\]")
    leave(child)


def test_typing_is_edited_and_remembered(terminal, tmp_path):
    child = terminal("-n", "2")
    child.send("/system h\u00e9llox")
    child.send("\x7f")
    child.sendline(" w\u00f6rld")
    child.expect(">>> ")
    child.sendline("/system")
    child.expect("/system\r\n[^/]*h\u00e9llo w\u00f6rld\r\n")
    leave(child)
    assert (tmp_path / "ponder/history").stat().st_mode & 0o077 == 0
    child = terminal()
    child.send("\x1b[A\x1b[A")  # up, up: the line before the last
    child.expect("/system[^/]*h\u00e9llo w\u00f6rld")  # the cursor may jump between them
    child.sendintr()
    child.expect(r"\n[^/]*>>> ")
    leave(child)


def test_a_paste_of_several_lines_is_one_message(terminal, tmp_path):
    child = terminal("-n", "2")
    child.send("\x1b[200~one\rtwo\r\x1b[201~")
    child.send("\r")
    child.expect(r"tokens")
    child.expect(">>> ")
    child.sendline("/save talk.json")
    child.expect(">>> ")
    leave(child)
    assert saved(tmp_path / "talk.json")[0]["content"] == "one\ntwo"


def test_ctrl_c_drops_what_was_begun(terminal):
    child = terminal()
    child.sendline('"""')
    child.expect(r"\.\.\. ")
    child.sendline("one")
    child.expect(r"\.\.\. ")
    child.sendintr()
    child.expect(">>> ")
    child.sendline("/regen")
    child.expect("no answer yet")
    leave(child)
