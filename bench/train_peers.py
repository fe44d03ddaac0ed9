#!/usr/bin/env python3
"""Ponder's trainer against a plain PyTorch one: the same weights, tokens, batch and threads.

    bench/train_peers.py [--ponder build/release/ponder] [--python build/venv-peer-torch/bin/python]
                         [--threads 2] [--rounds 3] [--tasks supervised,rl] [--compile]
                         [--zero FOLDER] [--models tiny-r1,qwen2]

Each task begins from one folder of weights and both sides take the same steps; their losses, or
what they say of stored answers, must agree, else nothing is reported. Then they run in turns; a
figure is the median over the rounds of the median step. Needs a quiet machine, and the environment
that bench/train_torch.py describes. --zero: the model/ folder of stage `zero` of a run of
recipes/tiny-r1.toml, whose answers are of the usual lengths; without it answers are random.
"""
import argparse
import json
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import machine

HERE = Path(__file__).parent
TINY = HERE.parent / "recipes" / "tiny-r1"
QWEN = {"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "vocab_size": 264, "hidden_size": 256,
        "intermediate_size": 704, "num_hidden_layers": 6, "num_attention_heads": 4, "num_key_value_heads": 2,
        "hidden_act": "silu", "max_position_embeddings": 256, "rms_norm_eps": 1e-6, "rope_theta": 10000.0,
        "tie_word_embeddings": False, "bos_token_id": 0, "eos_token_id": 1, "initializer_range": 0.05,
        "torch_dtype": "float32"}
SUPERVISED = """seed = 1
[model]
{model}
[data]
train = "{data}"
template = "none"
length = 128
group = {group}
[train]
steps = {steps}
batch = {batch}
recompute = false
[optimizer]
rate = {rate}
final_rate = {rate}
schedule = "constant"
weight_decay = {decay}
[checkpoints]
every = 1000000
"""
RL = """seed = 1
[model]
path = "{model}"
[rl]
algorithm = "grpo"
kl = "none"
clip_high = 0.28
aggregation = "token"
steps = {steps}
prompts = 16
samples = 16
max_tokens = 96
context = 160
parallel = 256
leaf_tokens = 2048
recompute = false
[reward]
accuracy = 1.0
[[task]]
name = "modular"
levels = [2, 3]
[optimizer]
rate = 1e-6
schedule = "constant"
weight_decay = 0.0
[checkpoints]
every = 1000000
"""


def run(command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=1200)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return done.stdout


class Bench:
    def __init__(self, args, work):
        self.args, self.work, self.runs = args, work, 0

    def ponder(self, stage, recipe):
        """(metrics of every step, folder) of a run."""
        self.runs += 1
        folder = self.work / f"run{self.runs}"
        file = self.work / f"run{self.runs}.toml"
        file.write_text(recipe)
        run([self.args.ponder, "train", stage, file, "--out", folder, "--threads", self.args.threads])
        return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()], folder

    def torch(self, work, model, *options):
        return json.loads(run([self.args.python, HERE / "train_torch.py", work, "--model", model, "--threads",
                               self.args.threads, *options]))

    def fresh_weights(self, config):
        """A folder of random weights: one step that moves nothing."""
        source = self.work / f"config-{self.runs}"
        source.mkdir()
        (source / "config.json").write_text(json.dumps(config))
        for name in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copy(TINY / name, source)
        data = self.write_tokens(8, 32)
        model = f'config = "{source}/config.json"\ntokenizer = "{source}"'
        _, folder = self.ponder("pretrain", SUPERVISED.format(model=model, data=data, group=512, steps=1, batch=1,
                                                              rate=1e-30, decay=0.0))
        return folder / "model"

    def write_tokens(self, rows, length):
        draw = random.Random(rows)
        data = self.work / f"tokens-{rows}x{length}.jsonl"
        # Something to learn: each row repeats a few tokens.
        lines = []
        for _ in range(rows):
            some = [draw.randrange(2, 264) for _ in range(6)]
            lines.append(json.dumps({"tokens": [draw.choice(some) for _ in range(length)], "learn_from": 1}))
        data.write_text("\n".join(lines) + "\n")
        return data

    def supervised(self, name, config):
        model = self.fresh_weights(config)
        data = self.write_tokens(8, 128)
        steps = self.args.steps
        recipe = SUPERVISED.format(model=f'path = "{model}"', data=data, group=512, steps=steps, batch=2, rate=1e-4,
                                   decay=0.01)
        own, peer, compiled = [], [], []
        options = ["--data", data, "--steps", steps]
        for round_number in range(self.args.rounds):
            metrics, _ = self.ponder("pretrain", recipe)
            said = self.torch("supervised", model, *options)
            apart = max(abs(m["loss"] - loss) for m, loss in zip(metrics, said["losses"]))
            if apart > 1e-3:
                sys.exit(f"{name}: the losses of both sides differ by {apart}")
            own.append(middle([m["seconds"] for m in metrics]))
            peer.append(middle(said["seconds"]))
            if self.args.compile:
                compiled.append(middle(self.torch("supervised", model, *options, "--compile")["seconds"]))
        self.report(f"{name}, supervised, 8 x 128 tokens (losses apart by {apart:.1e})", own, peer)
        if compiled:
            self.report(f"{name}, supervised, torch.compile", own, compiled)

    def reinforced(self, name, model):
        recipe = RL.format(model=model, steps=self.args.rl_steps)
        own, peer, share, compiled = [], [], [], []
        for round_number in range(self.args.rounds):
            metrics, folder = self.ponder("rl", recipe)
            rollouts = sorted((folder / "rollouts").iterdir())[0]
            if round_number == 0:
                worst = self.torch("agreement", model, "--rollouts", rollouts)["worst"]
                if worst > 1e-3:
                    sys.exit(f"{name}: log-probabilities of both sides differ by {worst}")
            said = self.torch("reinforced", model, "--rollouts", rollouts, "--steps", self.args.rl_steps)
            own.append(middle([m["seconds"] for m in metrics]))
            peer.append(middle(said["seconds"]))
            share.append(middle(said["rollout_seconds"]))
            if self.args.compile:
                said_compiled = self.torch("reinforced", model, "--rollouts", rollouts, "--steps", self.args.rl_steps,
                                           "--compile")
                compiled.append(middle(said_compiled["seconds"]))
        length = statistics.mean(m["length"] for m in metrics)
        self.report(f"{name}, GRPO, 16 x 16 answers of {length:.1f} tokens (PyTorch's {said['length']:.1f}; its rollout "
                    f"{statistics.median(share) * 1e3:.0f} ms; log-probabilities apart by {worst:.1e})", own, peer)
        if compiled:
            self.report(f"{name}, GRPO, its update with torch.compile", own, compiled)

    @staticmethod
    def report(what, own, peer):
        mine, other = statistics.median(own), statistics.median(peer)
        spread = lambda values: f"{min(values) * 1e3:.1f} to {max(values) * 1e3:.1f}"
        print(f"{what}: Ponder {mine * 1e3:.1f} ms ({spread(own)}), PyTorch {other * 1e3:.1f} ms ({spread(peer)}), "
              f"ratio {other / mine:.2f}", flush=True)


def middle(seconds):
    """The median without the first steps, which warm up."""
    return statistics.median(seconds[len(seconds) // 4:])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ponder", default=HERE.parent / "build" / "release" / "ponder")
    parser.add_argument("--python", default=HERE.parent / "build" / "venv-peer-torch" / "bin" / "python")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--rl-steps", type=int, default=6)
    parser.add_argument("--tasks", default="supervised,rl")
    parser.add_argument("--models", default="tiny-r1,qwen2")
    parser.add_argument("--compile", action="store_true", help="time torch.compile too")
    parser.add_argument("--zero", type=Path)
    args = parser.parse_args()
    tasks = args.tasks.split(",")
    about = machine.describe(args.threads)
    watch = machine.Watch()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(args, Path(folder))
        tiny = json.loads((TINY / "config.json").read_text()) | {"num_nextn_predict_layers": 0}
        for name, config in {"tiny-r1": tiny, "qwen2": QWEN}.items():
            if name not in args.models.split(","):
                continue
            if "supervised" in tasks:
                bench.supervised(name, config)
            if "rl" in tasks:
                given = args.zero if name == "tiny-r1" else None
                bench.reinforced(name, given or bench.fresh_weights(config))
    about |= watch.shares()
    print(f"{about['cpu']}, {args.threads} threads, {about['date']}")
    for warning in machine.warnings(about):
        print(warning)


if __name__ == "__main__":
    main()
