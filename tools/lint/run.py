#!/usr/bin/env python3
"""Checks the rules of HACKING.md that a machine can check. Exit status 1 if any is broken.

    tools/lint/run.py                            everything
    tools/lint/run.py --fix-format               format the C++ files in place, check nothing
    tools/lint/run.py --symbols BUILD_FOLDER ... only the object files of kernels, which must be there

Each lint first shows on small samples that it can find what it forbids.
"""
import argparse
import sys
from pathlib import Path

import formatting
import include_order
import lengths
import patterns
import weak_symbols
from sources import ROOT, all_sources


def check_sources(sources):
    for lint in (formatting, include_order, lengths, patterns):
        lint.self_check()
    for source in sources:
        for lint in (include_order, lengths, patterns):
            yield from lint.check(source)
    yield from formatting.check_files([source.path for source in sources if source.is_cpp])
    print(f"lint: {len(sources)} files")


def check_symbols(folders):
    weak_symbols.self_check()
    yield from weak_symbols.check_builds(folders)
    for folder in folders:
        print(f"lint: {len(weak_symbols.objects(folder))} kernel objects in {folder}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fix-format", action="store_true")
    parser.add_argument("--symbols", nargs="+", type=Path, metavar="BUILD_FOLDER")
    options = parser.parse_args()
    sources = list(all_sources())
    if options.fix_format:
        formatting.fix([source.path for source in sources if source.is_cpp])
        return 0
    if options.symbols:
        if empty := [folder for folder in options.symbols if not weak_symbols.objects(folder)]:
            parser.error(f"no kernel objects in {', '.join(map(str, empty))}")
        findings = list(check_symbols(options.symbols))
    else:
        built = [ROOT / "build" / name for name in ("release", "asan-ubsan")]
        findings = [*check_sources(sources), *check_symbols([f for f in built if f.is_dir()])]
    for finding in findings:
        print(finding)
    print(f"lint: {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
