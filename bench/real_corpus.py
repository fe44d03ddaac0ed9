#!/usr/bin/env python3
"""Real text to run ponder data on: documentation in Debian packages, in many languages, as JSON lines.

    bench/real_corpus.py OUT.jsonl [--megabytes 200]

The packages are fetched once with apt-get download into build/corpus and unpacked there, not installed. A document is a
file: HTML without its tags, manual pages without their commands. The same packages give the same bytes.
"""
import argparse
import gzip
import html
import json
import re
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "build/corpus"
PACKAGES = """python3.11-doc debian-handbook debian-reference-en debian-reference-de debian-reference-fr debian-reference-it
debian-reference-es debian-reference-pt debian-reference-ja debian-reference-zh-cn installation-guide-amd64 debian-policy
developers-reference maint-guide manpages manpages-dev manpages-de manpages-de-dev manpages-fr manpages-fr-dev manpages-es
manpages-pl manpages-pl-dev manpages-pt-br manpages-ro manpages-ja manpages-ja-dev manpages-zh linux-doc-6.1
postgresql-doc-15 perl-doc git-doc sqlite3-doc nodejs-doc libboost1.81-doc r-doc-html fp-docs-3.2.2 octave-doc apache2-doc
mariadb-server-core aptitude-doc-en aptitude-doc-fr libreoffice-help-en-us libreoffice-help-de qt6-base-doc-html
qtbase5-doc-html python-django-doc python-numpy-doc python-pandas-doc python-matplotlib-doc python-scipy-doc""".split()
SUFFIXES = {".txt", ".md", ".rst", ".html", ".htm", ".xhtml", ".pod", ".tex"}


def unpacked(package):
    """The folder of a package's files; None where the archive has no such package."""
    target = FOLDER / package
    if not target.is_dir():
        FOLDER.mkdir(parents=True, exist_ok=True)
        if subprocess.run(["apt-get", "download", "-q", package], cwd=FOLDER, capture_output=True).returncode != 0:
            print(f"{package} cannot be fetched", file=sys.stderr)
            return None
        archive = next(FOLDER.glob(f"{package}_*.deb"))
        subprocess.run(["dpkg-deb", "-x", archive, FOLDER / "new"], check=True)
        (FOLDER / "new").rename(target)
        archive.unlink()
    return target


def without_markup(name, text):
    if Path(name).suffix in (".html", ".htm", ".xhtml"):
        text = re.sub(r"(?si)<(script|style|head).*?</\1>", " ", text)
        text = html.unescape(re.sub(r"<[^>]*>", " ", re.sub(r"(?i)</(p|h\d|li|tr|div|pre)>|<br */?>", "\n", text)))
    elif re.search(r"\.\d[a-z]*$", name):  # roff: lines of commands go, escapes of fonts too
        lines = [line for line in text.splitlines() if not line.startswith((".", "'"))]
        text = re.sub(r"\\f[A-Z]|\\f\(..|\\&", "", "\n".join(lines)).replace("\\-", "-")
    lines = (re.sub(r"[ \t]+", " ", line).strip() for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def documents():
    for package in PACKAGES:
        folder = unpacked(package)
        for path in sorted(folder.rglob("*")) if folder else []:
            name = path.name.removesuffix(".gz")
            if path.is_symlink() or not path.is_file() or not (
                    Path(name).suffix in SUFFIXES or re.search(r"\.\d[a-z]*$", name)):
                continue
            try:
                data = path.read_bytes()
                text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8")
            except (OSError, UnicodeDecodeError, EOFError):
                continue
            text = without_markup(name, text)
            if text:
                where = path.relative_to(folder)
                yield {"id": f"{package}/{where}", "url": f"https://{package}.example/{where}", "text": text}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("--megabytes", type=int, default=200, help="ends when there is so much text")
    options = parser.parse_args()
    size = count = 0
    with options.output.open("w", encoding="utf-8") as out:
        for document in documents():
            line = json.dumps(document, ensure_ascii=False) + "\n"
            out.write(line)
            size += len(line.encode())
            count += 1
            if size >= options.megabytes * 1_000_000:
                break
    print(f"{count} documents, {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
