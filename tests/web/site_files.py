"""The files of web/ by the path that a browser asks for, as the program serves them."""
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "web"
TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8",
         ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml", ".woff2": "font/woff2"}


def headers():
    lines = (WEB / "headers.txt").read_text().splitlines()
    return [tuple(line.split(": ", 1)) for line in lines]


def vendor_files():
    """Path under /assets/vendor/ and file, of each line of web/vendor.txt."""
    for line in (WEB / "vendor.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            name, _, file = line.split()
            yield name, Path(file)


def files():
    found = {"/": WEB / "index.html", "/status": WEB / "status.html"}
    for file in WEB.rglob("*"):
        if file.suffix in (".js", ".css", ".svg"):
            found[f"/assets/{file.relative_to(WEB)}"] = file
    found.update((f"/assets/vendor/{name}", file) for name, file in vendor_files())
    return found
