"""A megabyte of mixed text gives the same tokens as the `tokenizers` package (DeepSeek-V3), and as
llama.cpp (R1-Distill-Qwen). What llama.cpp made of it is stored as a hash, so no peer is needed;
tokenizer_parity.py compares with a living one."""
import hashlib
import json
import unicodedata
from pathlib import Path

import numpy
import pytest
import tokenizer_parity
from mixed_text import mixed_text

GOLDEN = Path(__file__).resolve().parents[1] / "golden/text/r1_distill_qwen.llama_cpp.json"
SPECIAL = "<｜User｜>a<think>b</think>c<｜end▁of▁sentence｜><|im_end|> <|endoftext|>"


@pytest.fixture(scope="module")
def text():
    return mixed_text(1_000_000, 1) + SPECIAL


def digests(text, tokens):
    return {"text_sha256": hashlib.sha256(text.encode()).hexdigest(), "tokens": len(tokens),
            "tokens_sha256": hashlib.sha256(numpy.array(tokens, "<i4").tobytes()).hexdigest()}


def test_deepseek_v3_equals_tokenizers(ponder_bin, deepseek_v3_tokenizer, text):
    model = str(deepseek_v3_tokenizer / "tokenizer.json")
    ours = tokenizer_parity.ponder_tokens(ponder_bin, model, text)
    assert len(ours) > 200_000
    assert tokenizer_parity.compare("tokenizers", ours, tokenizer_parity.tokenizers_tokens(model, text))


def test_r1_distill_qwen_equals_llama_cpp(ponder_bin, r1_distill_header, text):
    normal = unicodedata.normalize("NFC", text)  # llama.cpp does not normalise
    expected = json.loads(GOLDEN.read_text())
    ours = digests(normal, tokenizer_parity.ponder_tokens(ponder_bin, str(r1_distill_header), normal))
    assert ours["text_sha256"] == expected["text_sha256"], "this Python makes another text"
    assert ours == {key: expected[key] for key in ours}
