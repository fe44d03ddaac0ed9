#!/usr/bin/env python3
"""The peer's side of bench/peer.py: llama.cpp through llama-cpp-python, one measurement a process.

    peer_llama.py speed MODEL TEXT --prompt 512 --decode 128 --threads 2 [--flash]
    peer_llama.py perplexity MODEL TEXT --ctx 512 --threads 2
    peer_llama.py cut MODEL TEXT --prompt 512      the longest start of TEXT that is so many tokens

Prints one JSON object on stdout.
"""
import argparse
import ctypes
import json
import time
from pathlib import Path

import llama_cpp
import numpy


@llama_cpp.llama_log_callback
def drop_log(level, text, user_data):
    pass


class Peer:
    def __init__(self, model, context=0, threads=1, flash=False, vocabulary_only=False):
        llama_cpp.llama_log_set(drop_log, ctypes.c_void_p(0))
        llama_cpp.llama_backend_init()
        parameters = llama_cpp.llama_model_default_params()
        parameters.vocab_only = vocabulary_only
        start = time.monotonic()
        self.model = llama_cpp.llama_model_load_from_file(str(model).encode(), parameters)
        self.load_seconds = time.monotonic() - start
        if not self.model:
            raise SystemExit(f"llama.cpp cannot load {model}")
        self.vocabulary = llama_cpp.llama_model_get_vocab(self.model)
        self.words = llama_cpp.llama_vocab_n_tokens(self.vocabulary)
        if vocabulary_only:
            return
        options = llama_cpp.llama_context_default_params()
        options.n_ctx, options.n_batch, options.n_ubatch = context, 512, 512
        options.n_threads = options.n_threads_batch = threads
        options.flash_attn_type = int(flash)
        self.context = llama_cpp.llama_init_from_model(self.model, options)

    def tokenize(self, text):
        data = text.encode()
        ids = (llama_cpp.llama_token * (len(data) + 16))()
        count = llama_cpp.llama_tokenize(self.vocabulary, data, len(data), ids, len(ids), True, False)
        return list(ids[:count])

    def clear(self):
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self.context), True)

    def decode(self, ids):
        """Runs `ids` after what was run before; only the last position gets logits."""
        array = (llama_cpp.llama_token * len(ids))(*ids)
        status = llama_cpp.llama_decode(self.context, llama_cpp.llama_batch_get_one(array, len(ids)))
        if status != 0:
            raise SystemExit(f"llama_decode answered {status}")

    def next_token(self):
        row = llama_cpp.llama_get_logits_ith(self.context, -1)
        return int(numpy.ctypeslib.as_array(row, shape=(self.words,)).argmax())

    def all_logits(self, ids):
        """(T, V) logits of all positions of `ids` from an empty cache."""
        self.clear()
        batch = llama_cpp.llama_batch_init(len(ids), 0, 1)
        batch.n_tokens = len(ids)
        for i, token in enumerate(ids):
            batch.token[i], batch.pos[i], batch.logits[i] = token, i, 1
            batch.n_seq_id[i], batch.seq_id[i][0] = 1, 0
        status = llama_cpp.llama_decode(self.context, batch)
        llama_cpp.llama_batch_free(batch)
        if status != 0:
            raise SystemExit(f"llama_decode answered {status}")
        flat = numpy.ctypeslib.as_array(llama_cpp.llama_get_logits(self.context),
                                        shape=(len(ids), self.words))
        return flat


def peak_bytes():
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])


def speed(options, text):
    peer = Peer(options.model, options.prompt + options.decode + 8, options.threads, options.flash)
    ids = peer.tokenize(text)
    peer.decode(ids[:32])  # pages of the file and threads are warm afterwards
    peer.clear()
    start = time.monotonic()
    peer.decode(ids)
    token = peer.next_token()
    prompt_seconds = time.monotonic() - start
    start = time.monotonic()
    for _ in range(options.decode):
        peer.decode([token])
        token = peer.next_token()
    decode_seconds = time.monotonic() - start
    return {"prompt_tokens": len(ids), "prompt_per_second": len(ids) / prompt_seconds,
            "decode_tokens": options.decode, "decode_per_second": options.decode / decode_seconds,
            "load_seconds": peer.load_seconds, "peak_bytes": peak_bytes()}


def perplexity(options, text):
    """Tokenised once, cut into chunks of ctx tokens, each from an empty cache; every position that
    predicts a token inside its chunk counts. A shorter last chunk is left out unless it is alone."""
    peer = Peer(options.model, options.ctx, options.threads, options.flash)
    ids = peer.tokenize(text)
    total, count = 0.0, 0
    whole = max(len(ids) // options.ctx, 1) * options.ctx
    for begin in range(0, min(whole, len(ids)), options.ctx):
        chunk = ids[begin:begin + options.ctx]
        logits = peer.all_logits(chunk)[:-1].astype(numpy.float64)
        highest = logits.max(axis=1)
        normaliser = highest + numpy.log(numpy.exp(logits - highest[:, None]).sum(axis=1))
        total += float((normaliser - logits[numpy.arange(len(chunk) - 1), chunk[1:]]).sum())
        count += len(chunk) - 1
    return {"nll": total / count, "perplexity": float(numpy.exp(total / count)), "tokens": count}


def cut(options, text):
    peer = Peer(options.model, vocabulary_only=True)
    low, high = 0, len(text)
    while low < high:  # the number of tokens grows with the text, nearly
        middle = (low + high + 1) // 2
        low, high = (middle, high) if len(peer.tokenize(text[:middle])) <= options.prompt else (low, middle - 1)
    return {"text": text[:low], "tokens": len(peer.tokenize(text[:low]))}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["speed", "perplexity", "cut"])
    parser.add_argument("model")
    parser.add_argument("text", type=Path)
    parser.add_argument("--prompt", type=int, default=512)
    parser.add_argument("--decode", type=int, default=128)
    parser.add_argument("--ctx", type=int, default=512)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--flash", action="store_true")
    options = parser.parse_args()
    text = options.text.read_text(encoding="utf-8")
    print(json.dumps({"speed": speed, "perplexity": perplexity, "cut": cut}[options.what](options, text)
                     | {"version": llama_cpp.__version__}))


if __name__ == "__main__":
    main()
