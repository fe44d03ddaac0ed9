"""recipes/docs from outside: real text through every step into training, on a very small corpus."""
import json
import random
import re
from pathlib import Path

from test_data import counts, read_lines, write_lines

ROOT = Path(__file__).resolve().parents[2]


def real_documents():
    """The user guide and the decisions, a document a section; copies and an evaluation item among them."""
    texts = [part for name in ("user-guide.md", "decisions.md", "kernels.md", "sandbox.md")
             for part in re.split(r"\n(?=#|\*\*)", (ROOT / "docs" / name).read_text(encoding="utf-8"))
             if len(part.split()) > 60]
    documents = [{"id": i, "text": text} for i, text in enumerate(texts)]
    documents += [{"id": 10_000 + i, "text": text} for i, text in enumerate(texts)]
    random.Random(1).shuffle(documents)
    return documents


def test_real_text_to_a_falling_loss(ponder, tmp_path):
    documents = real_documents()
    write_lines(tmp_path / "in.jsonl", documents)
    items = [{"task_id": f"leak{document['id']}", "prompt": " ".join(document["text"].split()[5:25]).upper()}
             for document in documents if document["id"] % 4 == 0]
    write_lines(tmp_path / "items.jsonl", items)
    recipe = (ROOT / "recipes/docs/data.toml").read_text(encoding="utf-8")
    for name, value in {"build/docs.jsonl": f"{tmp_path}/in.jsonl", '"build/docs"': f'"{tmp_path}/docs"',
                        "build/HumanEval.jsonl.gz": f"{tmp_path}/items.jsonl",
                        '"recipes/tiny-r1"': f'"{ROOT}/recipes/tiny-r1"'}.items():
        assert name in recipe
        recipe = recipe.replace(name, value)
    (tmp_path / "data.toml").write_text(recipe)
    steps = counts(ponder("data", "run", tmp_path / "data.toml", "--json"))["steps"]
    for before, after in zip(steps, steps[1:]):
        assert after["in"] == before["kept"]
    assert all(step["in"] == step["kept"] + step["removed"] + step["quarantined"] for step in steps)
    assert steps[0]["in"] == len(documents) and len(documents) / 5 < steps[0]["kept"] < len(documents)
    assert steps[1]["removed"] == steps[0]["kept"] / 2  # each section is there twice
    gone = {entry["id"]: entry for entry in read_lines(tmp_path / "docs/05-decontaminate/removed.jsonl")}
    assert len(gone) >= 2 and all(entry["item"].startswith("items.jsonl:leak") for entry in gone.values())
    assert any(entry["item"] == f"items.jsonl:leak{name}" for name, entry in gone.items())

    trained = ponder("train", "pretrain", ROOT / "recipes/docs/pretrain.toml", "--out", tmp_path / "run", "--set",
                     f"data.train={tmp_path}/docs/06-pack/part-00000.pack", "--set", "train.steps=60")
    assert trained.returncode == 0, trained.stderr
    losses = [json.loads(line)["loss"] for line in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]
    assert len(losses) == 60 and losses[0] > 5.3 and sum(losses[-10:]) / 10 < losses[0] - 1.5
