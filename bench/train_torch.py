#!/usr/bin/env python3
"""The peer of bench/train_peers.py: a plain PyTorch trainer of the same small models, on the CPU.

Attention is scaled_dot_product_attention, the optimiser the fused AdamW, rollouts are one batch with
a KV cache whose prompts are computed once for each group. Runs in an environment of its own:
    python3 -m venv build/venv-peer-torch
    build/venv-peer-torch/bin/pip install torch==2.13.0 safetensors zstandard numpy
"""
import argparse
import json
import statistics
import time
from pathlib import Path

import torch
import torch.nn.functional as F
import zstandard
from safetensors.torch import load_file
from torch import nn


class Norm(nn.Module):
    def __init__(self, width, eps):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x):
        return F.rms_norm(x, (x.shape[-1],), self.weight, self.eps)


def angles(positions, width, theta):
    """cos and sin, (B, 1, T, width / 2), of positions (B, T)."""
    frequency = theta ** (-torch.arange(0, width, 2, dtype=torch.float32) / width)
    angle = positions[:, None, :, None].float() * frequency
    return angle.cos(), angle.sin()


def rotate(x, rotation, interleaved):
    cos, sin = rotation
    if interleaved:
        a, b = x[..., 0::2], x[..., 1::2]
        return torch.stack((a * cos - b * sin, a * sin + b * cos), -1).flatten(-2)
    a, b = x.chunk(2, -1)
    return torch.cat((a * cos - b * sin, a * sin + b * cos), -1)


class Cache:
    """Keys and values of one layer; grows in place."""

    def __init__(self, length):
        self.length, self.used = length, 0
        self.keys = self.values = None

    def append(self, keys, values):
        batch, heads, count, _ = keys.shape
        if self.keys is None:
            self.keys = keys.new_empty(batch, heads, self.length, keys.shape[-1])
            self.values = values.new_empty(batch, heads, self.length, values.shape[-1])
        self.keys[:, :, self.used:self.used + count] = keys
        self.values[:, :, self.used:self.used + count] = values
        self.used += count
        return self.keys[:, :, :self.used], self.values[:, :, :self.used]

    def repeat(self, times):
        self.keys = self.keys.repeat_interleave(times, 0)
        self.values = self.values.repeat_interleave(times, 0)


def attend(q, k, v, mask, cache, **options):
    if cache is not None:
        k, v = cache.append(k, v)
    y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=mask is None, **options)
    return y.transpose(1, 2).flatten(2)


class GroupedAttention(nn.Module):
    """Qwen2's."""

    def __init__(self, c):
        super().__init__()
        self.heads, self.kv_heads = c["num_attention_heads"], c["num_key_value_heads"]
        self.width = c.get("head_dim") or c["hidden_size"] // self.heads
        self.q_proj = nn.Linear(c["hidden_size"], self.heads * self.width)
        self.k_proj = nn.Linear(c["hidden_size"], self.kv_heads * self.width)
        self.v_proj = nn.Linear(c["hidden_size"], self.kv_heads * self.width)
        self.o_proj = nn.Linear(self.heads * self.width, c["hidden_size"], bias=False)

    rotated = property(lambda self: self.width)

    def forward(self, x, rotation, mask, cache):
        q, k, v = (layer(x).unflatten(-1, (-1, self.width)).transpose(1, 2)
                   for layer in (self.q_proj, self.k_proj, self.v_proj))
        q, k = rotate(q, rotation, False), rotate(k, rotation, False)
        return self.o_proj(attend(q, k, v, mask, cache, enable_gqa=self.heads != self.kv_heads))


class LatentAttention(nn.Module):
    """DeepSeek-V3's, keys and values decompressed."""

    def __init__(self, c):
        super().__init__()
        self.heads, self.latent = c["num_attention_heads"], c["kv_lora_rank"]
        self.nope, self.rope, self.value = c["qk_nope_head_dim"], c["qk_rope_head_dim"], c["v_head_dim"]
        hidden, query, eps = c["hidden_size"], c["q_lora_rank"], c["rms_norm_eps"]
        self.q_a_proj = nn.Linear(hidden, query, bias=False)
        self.q_a_layernorm = Norm(query, 1e-6)
        self.q_b_proj = nn.Linear(query, self.heads * (self.nope + self.rope), bias=False)
        self.kv_a_proj_with_mqa = nn.Linear(hidden, self.latent + self.rope, bias=False)
        self.kv_a_layernorm = Norm(self.latent, 1e-6)
        self.kv_b_proj = nn.Linear(self.latent, self.heads * (self.nope + self.value), bias=False)
        self.o_proj = nn.Linear(self.heads * self.value, hidden, bias=False)

    rotated = property(lambda self: self.rope)

    def forward(self, x, rotation, mask, cache):
        q = self.q_b_proj(self.q_a_layernorm(self.q_a_proj(x)))
        q = q.unflatten(-1, (self.heads, -1)).transpose(1, 2)
        q_nope, q_rope = q.split((self.nope, self.rope), -1)
        latent, k_rope = self.kv_a_proj_with_mqa(x).split((self.latent, self.rope), -1)
        kv = self.kv_b_proj(self.kv_a_layernorm(latent)).unflatten(-1, (self.heads, -1)).transpose(1, 2)
        k_nope, v = kv.split((self.nope, self.value), -1)
        k_rope = rotate(k_rope[:, None], rotation, True).expand(-1, self.heads, -1, -1)
        q = torch.cat((q_nope, rotate(q_rope, rotation, True)), -1)
        return self.o_proj(attend(q, torch.cat((k_nope, k_rope), -1), v, mask, cache))


class Mlp(nn.Module):
    def __init__(self, hidden, width):
        super().__init__()
        self.gate_proj = nn.Linear(hidden, width, bias=False)
        self.up_proj = nn.Linear(hidden, width, bias=False)
        self.down_proj = nn.Linear(width, hidden, bias=False)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Router(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(c["n_routed_experts"], c["hidden_size"]))
        self.register_buffer("e_score_correction_bias", torch.zeros(c["n_routed_experts"]))
        self.chosen, self.scale = c["num_experts_per_tok"], c["routed_scaling_factor"]

    def forward(self, x):
        scores = F.linear(x, self.weight).sigmoid()
        index = (scores + self.e_score_correction_bias).topk(self.chosen, -1).indices
        weights = scores.gather(-1, index)
        return index, weights / (weights.sum(-1, keepdim=True) + 1e-20) * self.scale


class Moe(nn.Module):
    def __init__(self, c):
        super().__init__()
        assert c["n_group"] == 1 and c["norm_topk_prob"]
        self.gate = Router(c)
        width = c["moe_intermediate_size"]
        self.experts = nn.ModuleList(Mlp(c["hidden_size"], width) for _ in range(c["n_routed_experts"]))
        self.shared_experts = Mlp(c["hidden_size"], width * c["n_shared_experts"])

    def forward(self, x):
        flat = x.flatten(0, -2)
        index, weights = self.gate(flat)
        y = self.shared_experts(flat)
        for number, expert in enumerate(self.experts):
            token, slot = torch.where(index == number)
            y = y.index_add(0, token, expert(flat[token]) * weights[token, slot, None])
        return y.view_as(x)


class Layer(nn.Module):
    def __init__(self, c, number):
        super().__init__()
        deepseek = c["model_type"] == "deepseek_v3"
        self.input_layernorm = Norm(c["hidden_size"], c["rms_norm_eps"])
        self.self_attn = LatentAttention(c) if deepseek else GroupedAttention(c)
        self.post_attention_layernorm = Norm(c["hidden_size"], c["rms_norm_eps"])
        dense = not deepseek or number < c["first_k_dense_replace"]
        self.mlp = Mlp(c["hidden_size"], c["intermediate_size"]) if dense else Moe(c)

    def forward(self, x, rotation, mask, cache):
        x = x + self.self_attn(self.input_layernorm(x), rotation, mask, cache)
        return x + self.mlp(self.post_attention_layernorm(x))


class Model(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.embed_tokens = nn.Embedding(c["vocab_size"], c["hidden_size"])
        self.layers = nn.ModuleList(Layer(c, number) for number in range(c["num_hidden_layers"]))
        self.norm = Norm(c["hidden_size"], c["rms_norm_eps"])
        self.lm_head = nn.Linear(c["hidden_size"], c["vocab_size"], bias=False)
        self.theta = c["rope_theta"]

    def forward(self, tokens, positions=None, mask=None, caches=None, last=False):
        """Logits (B, T, V); `last`: of the last position only. No mask means causal."""
        if positions is None:
            positions = torch.arange(tokens.shape[1])[None]
        rotation = angles(positions, self.layers[0].self_attn.rotated, self.theta)
        x = self.embed_tokens(tokens)
        for layer, cache in zip(self.layers, caches or [None] * len(self.layers)):
            x = layer(x, rotation, mask, cache)
        return self.lm_head(self.norm(x[:, -1:] if last else x))

    @staticmethod
    def load(folder):
        model = Model(json.loads((folder / "config.json").read_text()))
        values = load_file(folder / "model.safetensors")
        count = len(model.layers)
        own = {name.removeprefix("model."): value for name, value in values.items()
               if not name.startswith(f"model.layers.{count}.")}  # the MTP block
        model.load_state_dict(own)
        return model


def make_optimizer(model, rate, decay):
    groups = [{"params": [p for p in model.parameters() if p.dim() > 1], "weight_decay": decay},
              {"params": [p for p in model.parameters() if p.dim() == 1], "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.95), eps=1e-8, fused=True)


def supervised(args):
    model = Model.load(args.model)
    tokens = torch.tensor([json.loads(line)["tokens"] for line in args.data.read_text().splitlines()])
    optimizer = make_optimizer(model, args.rate, 0.01)
    forward = torch.compile(model) if args.compile else model
    losses, seconds = [], []
    for _ in range(args.steps):
        start = time.perf_counter()
        logits = forward(tokens[:, :-1])
        loss = F.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
        seconds.append(time.perf_counter() - start)
    return {"losses": losses, "seconds": seconds}


def read_rollouts(file):
    with zstandard.open(file, "rt") as lines:
        return [json.loads(line) for line in lines]


def left_padded(rows):
    """(tokens, positions, first) of rows of different lengths that end together."""
    length = max(len(row) for row in rows)
    tokens = torch.tensor([[0] * (length - len(row)) + row for row in rows])
    first = torch.tensor([length - len(row) for row in rows])
    positions = (torch.arange(length)[None] - first[:, None]).clamp(min=0)
    return tokens, positions, first


def causal_mask(length, first):
    """(B, 1, T, T): nobody looks ahead, or at what fills a row up; what fills it up sees itself."""
    place = torch.arange(length)
    seen = (place[None, :] <= place[:, None]) & (place[None, None] >= first[:, None, None])
    return (seen | torch.eye(length, dtype=torch.bool))[:, None]


@torch.no_grad()
def roll_out(model, prompts, samples, most, end):
    """(tokens (B, P + A), first, lengths of the answers, A ≤ most) at temperature 1."""
    tokens, positions, first = left_padded(prompts)
    width = tokens.shape[1]
    caches = [Cache(width + most) for _ in model.layers]
    logits = model(tokens, positions, causal_mask(width, first), caches, last=True)
    for cache in caches:
        cache.repeat(samples)
    tokens, first, logits = (x.repeat_interleave(samples, 0) for x in (tokens, first, logits))
    batch = tokens.shape[0]
    lengths = torch.full((batch,), most)
    open_rows = torch.ones(batch, dtype=torch.bool)
    answers = []
    for step in range(most):
        token = torch.multinomial(logits[:, -1].softmax(-1), 1)
        answers.append(token)
        ended = open_rows & (token[:, 0] == end)
        lengths[ended] = step + 1
        open_rows &= ~ended
        if not open_rows.any() or step + 1 == most:
            break
        place = width + step
        mask = (torch.arange(place + 1)[None] >= first[:, None])[:, None, None]
        logits = model(token, (place - first)[:, None], mask, caches, last=True)
    return torch.cat([tokens, *answers], 1), first, lengths


def answer_log_probabilities(model, tokens, first, width):
    """(B, A) of the tokens from `width` on."""
    positions = (torch.arange(tokens.shape[1] - 1)[None] - first[:, None]).clamp(min=0)
    logits = model(tokens[:, :-1], positions, causal_mask(tokens.shape[1] - 1, first))[:, width - 1:]
    wanted = logits.gather(-1, tokens[:, width:, None])[..., 0]
    return wanted - logits.logsumexp(-1)


def reinforced(args):
    torch.manual_seed(1)
    model = Model.load(args.model)
    optimizer = make_optimizer(model, args.rate, 0.0)
    update = torch.compile(model, dynamic=True) if args.compile else model  # lengths differ from part to part
    stored = read_rollouts(args.rollouts)
    prompts = [next(r["prompt"] for r in stored if r["prompt_index"] == index)
               for index in sorted({r["prompt_index"] for r in stored})]
    width = max(len(prompt) for prompt in prompts)
    seconds, rollout_seconds, lengths_seen = [], [], []
    for _ in range(args.steps):
        start = time.perf_counter()
        tokens, first, lengths = roll_out(model, prompts, args.samples, args.most, args.end)
        sampled = time.perf_counter()
        reward = torch.rand(len(prompts), args.samples)  # what a judge says costs nothing here
        advantage = ((reward - reward.mean(1, keepdim=True)) / (reward.std(1, keepdim=True) + 1e-4)).flatten()
        count = tokens.shape[1] - width
        mask = torch.arange(count)[None] < lengths[:, None]
        total = mask.sum()
        optimizer.zero_grad()
        order = lengths.argsort()  # little filling in a micro-batch
        for part in order.split(args.micro):
            longest = int(lengths[part].max())
            now = answer_log_probabilities(update, tokens[part, :width + longest], first[part], width)
            ratio = (now - now.detach()).exp()  # the first update of these answers
            a = advantage[part, None]
            loss = -torch.minimum(ratio * a, ratio.clamp(0.8, 1.28) * a)
            ((loss * mask[part, :longest]).sum() / total).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        rollout_seconds.append(sampled - start)
        seconds.append(time.perf_counter() - start)
        lengths_seen.append(lengths.float().mean().item())
    return {"seconds": seconds, "rollout_seconds": rollout_seconds, "length": statistics.mean(lengths_seen)}


@torch.no_grad()
def agreement(args):
    """The largest difference from the log-probabilities that a run of Ponder has stored."""
    model = Model.load(args.model)
    stored = read_rollouts(args.rollouts)
    worst = 0.0
    for part in range(0, len(stored), 32):
        rows = stored[part:part + 32]
        width = max(len(r["prompt"]) for r in rows)
        longest = max(len(r["tokens"]) for r in rows)
        tokens, _, first = left_padded([r["prompt"] for r in rows])
        answers = torch.tensor([r["tokens"] + [0] * (longest - len(r["tokens"])) for r in rows])
        found = answer_log_probabilities(model, torch.cat((tokens, answers), 1), first, width)
        for row, r in zip(found, rows):
            said = torch.tensor(r["log_probability"])
            worst = max(worst, (row[:len(said)] - said).abs().max().item())
    return {"worst": worst}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", choices=["supervised", "reinforced", "agreement"])
    parser.add_argument("--model", type=Path, required=True, help="folder in Hugging Face's layout")
    parser.add_argument("--data", type=Path, help="JSON lines with tokens, all of one length")
    parser.add_argument("--rollouts", type=Path, help="a step's rollouts of a Ponder run")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--rate", type=float, default=1e-4)
    parser.add_argument("--samples", type=int, default=16)
    parser.add_argument("--most", type=int, default=96)
    parser.add_argument("--end", type=int, default=1, help="the token that ends an answer")
    parser.add_argument("--micro", type=int, default=64, help="answers of a micro-batch")
    parser.add_argument("--compile", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    print(json.dumps({"supervised": supervised, "reinforced": reinforced, "agreement": agreement}[args.work](args)))


if __name__ == "__main__":
    main()
