"""Values and gradients of torch for every operation of Autograd, on odd sizes, masked and empty rows.

    python3 Tests/Support/Peers/autograd_fixtures.py > Tests/Learning/Autograd/Fixtures/operations.json

Made with torch 2.15 in float64, so that what is written is exact to all the digits kept. Names are those of
OperationTable.swift; layouts are Pairloom's (channels last, packed sequences).
"""
import json
import sys

import torch
import torch.nn.functional as F

torch.manual_seed(8)
torch.set_default_dtype(torch.float64)
cases = []


def rounded(tensor):
    return [float(f"{value:.8g}") for value in tensor.detach().reshape(-1).tolist()]


def draw(shape, scale=1.0, offset=0.0):
    # Float32 numbers, so that both sides begin with the same.
    return (torch.randn(shape) * scale + offset).float().double()


def case(name, inputs, function):
    inputs = [tensor.clone().requires_grad_() for tensor in inputs]
    result = function(*inputs)
    seed = draw(tuple(result.shape))
    gradients = torch.autograd.grad(result, inputs, seed, allow_unused=True)
    cases.append({
        "name": name,
        "inputs": [{"shape": list(t.shape), "values": [float(f"{v:.9g}") for v in t.reshape(-1).tolist()]} for t in inputs],
        "seed": rounded(seed), "shape": list(result.shape), "output": rounded(result),
        "gradients": [rounded(torch.zeros_like(t) if g is None else g)
                      for t, g in zip(inputs, gradients)],
    })


def attention(q, k, v, queries, keys, heads, causal):
    width = q.shape[1] // heads
    parts, qs, ks = [], 0, 0
    for m, n in zip(queries, keys):
        a = q[qs:qs + m].reshape(m, heads, width).transpose(0, 1)
        b = k[ks:ks + n].reshape(n, heads, width).transpose(0, 1)
        c = v[ks:ks + n].reshape(n, heads, width).transpose(0, 1)
        scores = a @ b.transpose(1, 2) / width ** 0.5
        if causal:
            mask = torch.ones(m, n, dtype=torch.bool).tril(n - m)
            scores = scores.masked_fill(~mask, float("-inf"))
        parts.append((scores.softmax(-1) @ c).transpose(0, 1).reshape(m, heads * width))
        qs, ks = qs + m, ks + n
    return torch.cat(parts)


for name, op in [("add", torch.add), ("subtract", torch.sub), ("multiply", torch.mul),
                 ("divide", torch.div)]:
    for a, b in [((3, 7), (3, 7)), ((2, 3, 9), (9,)), ((5,), ()), ((0, 4), (4,))]:
        case(name, [draw(a), draw(b, 0.2, 2)], op)
for shape in [(7,), (2, 3, 5), (0, 3)]:
    x, positive = draw(shape), draw(shape).abs() + 0.5
    case("scaled", [x], lambda x: x * -1.5 + 2)
    case("exp", [x], torch.exp)
    case("log", [positive], torch.log)
    case("sqrt", [positive], torch.sqrt)
    case("tanh", [x], torch.tanh)
    case("sigmoid", [x], torch.sigmoid)
    case("relu", [x], torch.relu)
    case("gelu", [x], F.gelu)
    case("gelu_quick", [x], lambda x: x * torch.sigmoid(1.702 * x))
    case("gelu_tanh", [x], lambda x: F.gelu(x, approximate="tanh"))
for shape in [(1, 3), (3, 7), (2, 33), (0, 5)]:
    x = draw(shape)
    case("softmax", [x], lambda x: x.softmax(-1))
    case("logsumexp", [x], lambda x: x.logsumexp(-1))
    case("l2_normalized", [x], lambda x: F.normalize(x, dim=-1))
for shape in [(1, 3), (3, 7), (4, 40), (2, 3, 8), (0, 5)]:
    w, b = draw(shape[-1:], 1, 1), draw(shape[-1:])
    case("layer_norm", [draw(shape, 2, 1), w, b], lambda x, w, b: F.layer_norm(x, w.shape, w, b))
    case("layer_norm_gain", [draw(shape, 2, 1), w], lambda x, w: F.layer_norm(x, w.shape, w))
for a, b in [((3, 5), (5, 2)), ((1, 1), (1, 9)), ((2, 3, 4), (2, 4, 3)), ((2, 3, 4), (4, 5)),
             ((0, 3), (3, 2)), ((2, 0), (0, 3))]:
    case("matmul", [draw(a), draw(b)], torch.matmul)
    case("matmul_tn", [draw(a[:-2] + (a[-1], a[-2])), draw(b)],
         lambda a, b: a.transpose(-1, -2) @ b)
    case("matmul_nt", [draw(a), draw(b[:-2] + (b[-1], b[-2]))],
         lambda a, b: a @ b.transpose(-1, -2))
for shape in [(5,), (3, 5), (2, 2, 5), (0, 5)]:
    x, w, b = draw(shape), draw((9, 5), 0.4), draw((9,))
    case("linear", [x, w, b], F.linear)
    case("linear_gelu", [x, w, b], lambda x, w, b: F.gelu(F.linear(x, w, b)))
    case("linear_quick", [x, w, b], lambda x, w, b: (
        lambda y: y * torch.sigmoid(1.702 * y))(F.linear(x, w, b)))
    # A norm, a hidden layer and its contraction: what is kept and what is made again.
    case("mlp", [x, draw((5,), 1, 1), draw((5,)), w, b, draw((3, 9), 0.4)],
         lambda x, g, o, w, b, c: F.linear(F.gelu(F.linear(F.layer_norm(x, (5,), g, o), w, b)), c))
for lengths in [[1], [2, 1, 5], [9]]:
    for causal in [False, True]:
        n = sum(lengths)
        case("attention_causal" if causal else "attention", [draw((n, 18))],
             lambda t: attention(*t.split(6, 1), lengths, lengths, 3, causal))
for causal in [False, True]:
    name = "cross_attention_causal" if causal else "cross_attention"
    case(name, [draw((6, 4)), draw((14, 4)), draw((14, 4))],
         lambda q, k, v: attention(q, k, v, [2, 1, 3], [4, 1, 9], 2, causal))
case("attention_shared", [draw((6, 4)), draw((14, 8))],
     lambda q, kv: attention(q, *kv.split(4, 1), [2, 1, 3], [4, 1, 9], 2, False))
for x, w, s, p, g in [((2, 5, 4, 3), (4, 3, 3, 3), 1, 1, 1), ((1, 7, 6, 2), (3, 2, 3, 3), 2, 1, 1),
                      ((1, 5, 5, 4), (6, 2, 3, 3), 1, 1, 2), ((1, 5, 7, 9), (8, 9, 1, 1), 2, 0, 1)]:
    case(f"conv2d_{s}{p}{g}", [draw(x), draw(w, 0.3), draw(w[:1])], lambda x, w, b: F.conv2d(
        x.permute(0, 3, 1, 2), w, b, s, p, groups=g).permute(0, 2, 3, 1))
for shape in [(2, 4, 4, 3), (1, 5, 7, 9)]:
    case("average_pool", [draw(shape)],
         lambda x: F.avg_pool2d(x.permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1))
for shape in [(7, 3), (2, 3, 3, 8), (3, 2, 2, 13)]:
    def batch_norm(x, w, b, mean=None, variance=None):
        flat = x.reshape(-1, x.shape[-1])
        return F.batch_norm(flat, mean, variance, w, b, training=mean is None).reshape(x.shape)
    inputs = [draw(shape, 2, 1), draw(shape[-1:], 1, 1), draw(shape[-1:])]
    case("batch_norm", inputs, batch_norm)
    given = 0.5 + 0.125 * torch.arange(shape[-1])
    case("batch_norm_given", inputs, lambda x, w, b: batch_norm(x, w, b, given, given))
    case("batch_norm_relu", inputs, lambda x, w, b: torch.relu(batch_norm(x, w, b)))
for shape in [(3, 2, 9), (2, 0, 3)]:
    x = draw(shape)
    case("sum", [x], lambda x: x.sum())
    case("sum_axis", [x], lambda x: x.sum(1))
    case("repeated", [x], lambda x: x.unsqueeze(1).repeat(1, 2, 1, 1))
    case("reshaped", [x], lambda x: x.reshape(shape[2], shape[1] * shape[0]))
    case("transposed", [x], lambda x: x.permute(2, 0, 1))
    case("slice", [x], lambda x: x[:, :, 1:3])
    case("concatenated", [x, x.clone()], lambda a, b: torch.cat([a, b, a], 2))
case("mean", [draw((3, 2, 9))], lambda x: x.mean())
case("mean_axis", [draw((3, 2, 9))], lambda x: x.mean(1))
case("gather_rows", [draw((3, 5))], lambda x: x[[2, 0, 2, 2]])
case("add_rows", [draw((3, 5)), draw((2, 5))], lambda x, t: x + t[[1, 0, 1]])
for shape in [(1, 3), (3, 7), (2, 33)]:
    targets = torch.tensor([row * 5 % shape[1] for row in range(shape[0])])
    case("cross_entropy", [draw(shape)], lambda x: F.cross_entropy(x, targets))
case("recomputed", [draw((3, 5)), draw((9, 5), 0.4), draw((9,))],
     lambda x, w, b: torch.tanh(F.linear(x, w, b)))

json.dump({"torch": torch.__version__, "cases": cases}, sys.stdout, separators=(",", ":"))
