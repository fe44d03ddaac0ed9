"""Real text of this machine as documents: Debian's documentation and the documentation strings, READMEs
and licences of Python packages, in several languages; and the same with damage that rules look for.

    tests/parity/data_corpus.py OUT.jsonl COUNT
"""
import gzip
import html
import json
import random
import re
import sys
from pathlib import Path

ROOTS = ["/usr/share/doc", "/usr/share/perl", "/usr/lib/python3.11", "/usr/lib/python3", "/usr/share/man",
         "/usr/share/common-licenses", sys.prefix + "/lib"]
SUFFIXES = {".txt", ".md", ".rst", ".html", ".htm", ".pod", ".py", ".tex"}
MARKS = ["…", "...", "#", "•", "-", "{", "}", "\u2028", "\u00a0", "\t", "  ", "\r\n", "\x0b", "U.S.", "don't",
         "I'm", "can't've", "e.g.", "a.m.", "10am", "5km", "12%", "$5", "US$3", "C$7", "+1", "-1", "x=y", "a/b",
         "e-mail", "2--3", "foo--bar", "——", "(hi)", ":-)", "8-)", ";D", "http://example.com/a?b=c", "www.x.org,",
         "me@mail.example.org", "10.0.0.1", "8.8.8.8:80/x", "and/or", "'quoted'", "“quoted”", "l'ami", "他说：你好。",
         "日本語のテキスト", "Привет, мир!", "naïve café", "3.14", "1,000", "A.B.", "Mr.Smith", "end.Start", "word.”Next",
         "lorem ipsum", "JavaScript", "cookie policy", "[12]", "[edit]", "[citation needed]", "ünïcödé.", "😀", "©2020",
         "°C.", "°F", "he'll", "they’re", "y'all", "C++", "C#", "<tag>", "a<b", "==", "**bold**", "_it_", "`code`",
         "\\n", "\\t", "İstanbul", "ﬁx", "१२३", "٣٫١٤", "words" * 250]


def texts():
    for root in ROOTS:
        for path in sorted(Path(root).rglob("*")) if Path(root).is_dir() else []:
            name = path.name.removesuffix(".gz")
            if not (Path(name).suffix in SUFFIXES or name.isupper() or name == "copyright" or
                    re.search(r"\.\d$", name)) or not path.is_file():
                continue
            try:
                data = path.read_bytes()
                text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8")
            except (OSError, UnicodeDecodeError, EOFError):
                continue
            if name.endswith((".html", ".htm")):
                text = html.unescape(re.sub(r"<[^>]*>", " ", re.sub(r"(?s)<(script|style).*?</\1>", " ", text)))
            yield text


def damaged(text, random_):
    words = text.split(" ")
    for _ in range(random_.randrange(1, 12)):
        words.insert(random_.randrange(len(words) + 1), random_.choice(MARKS))
    if random_.random() < 0.2:
        words += words[: random_.randrange(1, len(words) + 1)]
    return " ".join(words)


def documents(count, seed=1):
    """Pieces of 200 to 6000 characters, each third one damaged; the same on every call."""
    random_ = random.Random(seed)
    pieces = []
    for text in texts():
        at = 0
        while at < len(text) and len(pieces) < 40 * count:
            end = at + random_.randrange(200, 6000)
            pieces.append(text[at:end])
            at = end
        if len(pieces) >= 40 * count:
            break
    random_.shuffle(pieces)
    for number, piece in enumerate(pieces[:count]):
        yield {"id": f"doc-{number:06d}", "text": damaged(piece, random_) if number % 3 == 0 else piece}


if __name__ == "__main__":
    with open(sys.argv[1], "w", encoding="utf-8") as out:
        for document in documents(int(sys.argv[2])):
            out.write(json.dumps(document, ensure_ascii=False) + "\n")
