#!/usr/bin/env python3
"""Makes the manual page and the completions of shells from what `ponder … --help` prints.

    packaging/from_help.py PONDER FOLDER

writes into FOLDER: ponder.1.gz, ponder (bash), _ponder (zsh) and ponder.fish.
"""
import gzip
import re
import subprocess
import sys
from pathlib import Path

ENTRY = re.compile(r"^  (\S.*?)(?: {2,}(.*))?$")  # "  --flag X      what it does"


def help_of(ponder, *command):
    return subprocess.run([ponder, *command, "--help"], check=True, capture_output=True, text=True).stdout


def sections(text):
    """(description, usage, [(title, lines)]) of a help text; lines without a title are ("", lines)."""
    lines = text.splitlines()
    usage = next(i for i, line in enumerate(lines) if line.startswith("Usage: "))
    parts = [("", [])]
    for line in lines[usage + 1:]:
        if re.fullmatch(r"\S[^.]*:", line):
            parts.append((line[:-1], []))
        elif line and not line.startswith(" ") and parts[-1][0]:
            parts.append(("", [line]))
        else:
            parts[-1][1].append(line)
    return " ".join(lines[:usage]), lines[usage].removeprefix("Usage: "), parts


def commands(ponder):
    listed = dict(sections(help_of(ponder))[2]).get("Subcommands") or []
    found = [ENTRY.match(line).group(1) for line in listed if ENTRY.match(line)]
    if not found:
        sys.exit(f"from_help: {ponder} --help lists no commands")
    return found


def flags(text):
    return sorted(set(re.findall(r"(?:^  |,)(--[a-z][a-z0-9-]*)", text, re.MULTILINE)))


def roff(text):
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    return re.sub(r"^\.", r"\\&.", text, flags=re.MULTILINE)


def manual_part(parts):
    for title, lines in parts:
        if not any(lines):
            continue
        if title and title != "Positionals":
            yield f".PP\n.B {roff(title)}"
        if title == "Examples" or not title:
            yield ".PP\n.nf\n" + roff("\n".join(lines).strip("\n")) + "\n.fi"
            continue
        for line in lines:
            if entry := ENTRY.match(line):
                yield f".TP\n.B {roff(entry.group(1))}\n{roff(entry.group(2) or '')}"
            elif line.strip():
                yield roff(line.strip())


def manual(ponder):
    version = subprocess.run([ponder, "--version"], check=True, capture_output=True, text=True).stdout.strip()
    description, usage, parts = sections(help_of(ponder))
    yield f'.TH PONDER 1 "" "{roff(version)}" "User Commands"'
    yield f".SH NAME\nponder \\- {roff(description)}\n.SH SYNOPSIS\n.B {roff(usage)}\n.SH DESCRIPTION"
    yield from manual_part(parts)
    yield ".SH COMMANDS"
    for command in commands(ponder):
        description, usage, parts = sections(help_of(ponder, command))
        yield f".SS {roff(usage)}\n{roff(description)}"
        yield from manual_part(parts)
    yield ".SH FILES\n.TP\n.B /etc/ponder/serve.toml\nFlags of the service, if it was installed as a package."


def flags_of_commands(ponder):
    return {name: flags(help_of(ponder, name)) for name in commands(ponder)}


def bash_completion(of_commands):
    cases = "\n".join(f"    {name}) words='{' '.join(words)}' ;;" for name, words in of_commands.items())
    return f"""# Completions of bash for ponder: commands, flags, else files.
_ponder() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} words=
  case $COMP_CWORD:$current in
    1:-*) words='--help --version' ;;
    1:*) words='{' '.join(of_commands)}' ;;
    *:-*) case ${{COMP_WORDS[1]}} in
{cases}
    esac ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}}
complete -o default -F _ponder ponder
"""


def zsh_completion(of_commands):
    cases = "\n".join(f"  {name}) compadd -- {' '.join(words)} ;;" for name, words in of_commands.items())
    return f"""#compdef ponder
# Completions of zsh for ponder: commands, flags, else files.
if (( CURRENT == 2 )); then
  if [[ $PREFIX == -* ]]; then compadd -- --help --version; else compadd -- {' '.join(of_commands)}; fi
elif [[ $PREFIX != -* ]]; then
  _files
else
  case $words[2] in
{cases}
  esac
fi
"""


def fish_completion(of_commands):
    lines = ["# Completions of fish for ponder: commands, flags, else files.",
             "complete -c ponder -n __fish_use_subcommand -l help", "complete -c ponder -n __fish_use_subcommand -l version",
             f"complete -c ponder -n __fish_use_subcommand -f -a '{' '.join(of_commands)}'"]
    for name, words in of_commands.items():
        lines += [f"complete -c ponder -n '__fish_seen_subcommand_from {name}' -l {word[2:]}" for word in words]
    return "\n".join(lines) + "\n"


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    ponder, folder = sys.argv[1], Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    page = "\n".join(manual(ponder)) + "\n"
    (folder / "ponder.1.gz").write_bytes(gzip.compress(page.encode(), 9, mtime=0))
    of_commands = flags_of_commands(ponder)
    (folder / "ponder").write_text(bash_completion(of_commands))
    (folder / "_ponder").write_text(zsh_completion(of_commands))
    (folder / "ponder.fish").write_text(fish_completion(of_commands))


if __name__ == "__main__":
    main()
