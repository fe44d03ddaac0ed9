#!/usr/bin/env python3
"""The peer's side of bench/peers.py: llama.cpp through llama-cpp-python, one measurement a process.

    peers_llama.py speed MODEL --prompt 512 --gen 128 --batch 1,4 --depth 0 --threads 2 [--flash] [--unified]
    peers_llama.py perplexity MODEL --text FILE --ctx 512 --threads 2

`speed` takes the options of `ponder bench` and prints the same JSON object: "load_seconds", "peak_bytes"
and "results", with "version" and "system" of the peer besides. Tokens are random, as in llama-bench,
and choosing the next token is not part of a step.
"""
import argparse
import ctypes
import json
import time
from pathlib import Path

import llama_cpp
import numpy

WARM_STEPS = 2  # decode steps before the clock starts


ERROR = 4  # GGML_LOG_LEVEL_ERROR
complaints = []


@llama_cpp.llama_log_callback
def keep_errors(level, text, user_data):
    if level == ERROR:
        complaints.append(text.decode(errors="replace").strip())


def stop(what):
    raise SystemExit("\n".join([f"llama.cpp {what}", *complaints]))


class Model:
    def __init__(self, path):
        llama_cpp.llama_log_set(keep_errors, ctypes.c_void_p(0))
        llama_cpp.llama_backend_init()
        start = time.monotonic()
        self.handle = llama_cpp.llama_model_load_from_file(
            str(path).encode(), llama_cpp.llama_model_default_params())
        self.load_seconds = time.monotonic() - start
        if not self.handle:
            stop(f"cannot load {path}")
        self.vocabulary = llama_cpp.llama_model_get_vocab(self.handle)
        self.words = llama_cpp.llama_vocab_n_tokens(self.vocabulary)

    def tokenize(self, text):
        data = text.encode()
        ids = (llama_cpp.llama_token * (len(data) + 16))()
        count = llama_cpp.llama_tokenize(self.vocabulary, data, len(data), ids, len(ids), True, False)
        return list(ids[:count])

    def random_tokens(self, *shape):
        """Ordinary words: special ones are at the ends of a vocabulary."""
        return numpy.random.default_rng(1).integers(self.words // 10, self.words // 2, shape).tolist()


class Context:
    """A cache for `sequences` sequences of `length` tokens each; use with `with`."""

    def __init__(self, model, options, length, sequences=1):
        self.model, self.sequences = model, sequences
        parameters = llama_cpp.llama_context_default_params()
        parameters.n_ctx, parameters.n_seq_max = length * sequences, sequences
        parameters.n_batch = parameters.n_ubatch = 512
        parameters.n_threads = parameters.n_threads_batch = options.threads
        parameters.flash_attn_type = int(options.flash)
        parameters.kv_unified = options.unified
        start = time.monotonic()
        self.handle = llama_cpp.llama_init_from_model(model.handle, parameters)
        self.seconds = time.monotonic() - start
        if not self.handle:
            stop(f"cannot make a context of {sequences} sequences of {length} tokens")
        self.batch = llama_cpp.llama_batch_init(512, 0, 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        llama_cpp.llama_batch_free(self.batch)
        llama_cpp.llama_free(self.handle)

    def clear(self):
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self.handle), True)

    def run(self, rows):
        """One pass over at most 512 (token, position, sequence, wants logits), waited for."""
        self.batch.n_tokens = len(rows)
        for i, (token, position, sequence, logits) in enumerate(rows):
            self.batch.token[i], self.batch.pos[i], self.batch.logits[i] = token, position, logits
            self.batch.n_seq_id[i], self.batch.seq_id[i][0] = 1, sequence
        if (status := llama_cpp.llama_decode(self.handle, self.batch)) != 0:
            stop(f"answered llama_decode with status {status}")
        llama_cpp.llama_synchronize(self.handle)

    def prompt(self, ids, sequence=0):
        """Runs `ids` from position 0, 512 at a time; only the last position gets logits."""
        rows = [(token, i, sequence, i + 1 == len(ids)) for i, token in enumerate(ids)]
        for begin in range(0, len(rows), 512):
            self.run(rows[begin:begin + 512])

    def steps(self, tokens, begin):
        """Decodes tokens[step][sequence], from position `begin` on."""
        for step, row in enumerate(tokens):
            self.run([(token, begin + step, sequence, True) for sequence, token in enumerate(row)])

    def all_logits(self, ids):
        """(T, V) logits of all positions of `ids` from an empty cache."""
        self.clear()
        self.run([(token, i, 0, True) for i, token in enumerate(ids)])
        return numpy.ctypeslib.as_array(llama_cpp.llama_get_logits(self.handle),
                                        shape=(len(ids), self.model.words))


def process_bytes(name):
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.partition(name + ":")[2].split()[0])


def prompt_speed(model, options):
    """(seconds to make the context, tokens/s)"""
    ids = model.random_tokens(options.prompt)
    with Context(model, options, options.prompt) as context:
        context.prompt(ids)  # pages of the file, buffers and threads are warm afterwards
        context.clear()
        start = time.monotonic()
        context.prompt(ids)
        return context.seconds, len(ids) / (time.monotonic() - start)


def decode_speed(model, options, batch):
    tokens = model.random_tokens(WARM_STEPS + options.gen, batch)
    with Context(model, options, options.depth + len(tokens), batch) as context:
        if options.depth:
            for sequence in range(batch):
                context.prompt(model.random_tokens(options.depth), sequence)
        context.steps(tokens[:WARM_STEPS], options.depth)
        start = time.monotonic()
        context.steps(tokens[WARM_STEPS:], options.depth + WARM_STEPS)
        return context.seconds, batch * options.gen / (time.monotonic() - start)


def speed(options):
    before = process_bytes("VmRSS")  # Python's own memory is not the peer's
    model = Model(options.model)
    results, context_seconds = [], []

    def add(test, batch, measured):
        context_seconds.append(measured[0])
        results.append({"test": test, "batch": batch, "depth": options.depth if test[0] == "t" else 0,
                        "tokens_per_second": measured[1]})

    if options.prompt:
        add(f"pp{options.prompt}", 1, prompt_speed(model, options))
    for batch in options.batch if options.gen else []:
        add(f"tg{options.gen}", batch, decode_speed(model, options, batch))
    return {"load_seconds": model.load_seconds + context_seconds[0],
            "peak_bytes": process_bytes("VmHWM") - before, "results": results}


def perplexity(options, text):
    """Tokenised once, cut into chunks of ctx tokens, each from an empty cache; every position that
    predicts a token inside its chunk counts. A shorter last chunk is left out unless it is alone."""
    model = Model(options.model)
    ids = model.tokenize(text)
    total, count = 0.0, 0
    whole = max(len(ids) // options.ctx, 1) * options.ctx
    with Context(model, options, options.ctx) as context:
        for begin in range(0, min(whole, len(ids)), options.ctx):
            chunk = ids[begin:begin + options.ctx]
            logits = context.all_logits(chunk)[:-1].astype(numpy.float64)
            highest = logits.max(axis=1)
            normaliser = highest + numpy.log(numpy.exp(logits - highest[:, None]).sum(axis=1))
            total += float((normaliser - logits[numpy.arange(len(chunk) - 1), chunk[1:]]).sum())
            count += len(chunk) - 1
    return {"nll": total / count, "perplexity": float(numpy.exp(total / count)), "tokens": count}


def parse(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["speed", "perplexity"])
    parser.add_argument("model")
    parser.add_argument("--text", type=Path)
    parser.add_argument("--ctx", type=int, default=512, help="at most 512")
    parser.add_argument("--prompt", type=int, default=512, help="0: none")
    parser.add_argument("--gen", type=int, default=128, help="0: none")
    parser.add_argument("--batch", type=lambda text: [int(part) for part in text.split(",")], default=[1])
    parser.add_argument("--depth", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--flash", action="store_true", help="flash attention")
    parser.add_argument("--unified", action="store_true", help="one cache for all sequences")
    return parser.parse_args(arguments)


def main():
    options = parse()
    answer = speed(options) if options.what == "speed" else \
        perplexity(options, options.text.read_text(encoding="utf-8"))
    system = llama_cpp.llama_print_system_info().decode()
    print(json.dumps(answer | {"version": llama_cpp.__version__, "system": system}))


if __name__ == "__main__":
    main()
