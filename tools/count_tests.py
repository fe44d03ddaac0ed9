#!/usr/bin/env python3
"""Adds up JUnit reports: prints "N passed, N failed, N skipped"; status 1 if any failed or none ran."""
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path


def count(folder):
    passed = failed = skipped = 0
    for report in sorted(Path(folder).rglob("*.xml")):
        for case in ElementTree.parse(report).iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                failed += 1
            elif case.find("skipped") is not None or case.get("status") == "notrun":
                skipped += 1
            else:
                passed += 1
    return passed, failed, skipped


if __name__ == "__main__":
    passed, failed, skipped = count(sys.argv[1])
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    sys.exit(1 if failed or not passed else 0)
