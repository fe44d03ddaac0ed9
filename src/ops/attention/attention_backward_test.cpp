// The gradient of attention: the formula against finite differences of attention, every instruction
// set against the formula, and bit for bit whatever the threads and the other sequences are.
#include "ops/attention/attention_backward.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include "ops/attention/attention.hpp"
#include "ops/attention/attention_backward_ref.hpp"
#include "ops/attention/kv_testing.hpp"
#include "testing/gradcheck.hpp"
#include "testing/isas.hpp"

namespace ponder {
namespace {

using testing::convert;
using testing::KvMemory;
using testing::random_floats;

struct Shape {
  int64_t heads, key_heads, key_dim, value_dim;
  KvLayout layout = KvLayout::kBlocked;
  bool latent() const { return layout == KvLayout::kLatent; }
};

std::ostream& operator<<(std::ostream& out, const Shape& s) {
  return out << s.heads << "/" << s.key_heads << " heads of " << s.key_dim << "/" << s.value_dim
             << (s.latent() ? " latent" : " blocked");
}

const Shape kShapes[] = {{1, 1, 1, 1},
                         {3, 1, 9, 24},
                         {6, 2, 24, 20},
                         {2, 2, 64, 64},
                         {4, 1, 48, 32, KvLayout::kLatent},
                         {3, 1, 33, 17, KvLayout::kLatent}};

// Queries, keys, values and the output's gradient of one sequence. Its cache is NaN where nothing
// was written.
struct Problem {
  Problem(const Shape& s, int64_t count, uint64_t seed)
      : shape(s),
        tokens(count),
        q(random_floats(seed, count * s.heads * s.key_dim)),
        keys(random_floats(seed + 1, count * s.key_heads * s.key_dim)),
        values(random_floats(seed + 2, s.latent() ? 0 : count * s.key_heads * s.value_dim)),
        dout(random_floats(seed + 3, count * s.heads * s.value_dim)),
        memory(std::make_unique<KvMemory>(KvView{.page_positions = 32,
                                                 .dtype = DType::kF32,
                                                 .layout = s.layout,
                                                 .heads = s.key_heads,
                                                 .key_dim = s.key_dim,
                                                 .value_dim = s.value_dim},
                                          count, std::byte{0xff})) {
    store();
  }

  void store() {
    for (int64_t t = 0; t < tokens; ++t) {
      for (int64_t h = 0; h < shape.key_heads; ++h) {
        const int64_t row = t * shape.key_heads + h;
        kv_store(memory->view, KvPart::kKeys, h, t, keys.data() + row * shape.key_dim);
        if (!shape.latent())
          kv_store(memory->view, KvPart::kValues, h, t, values.data() + row * shape.value_dim);
      }
    }
  }

  float scale() const { return 1.0f / std::sqrt(static_cast<float>(shape.key_dim)); }
  AttentionArgs forward() const {
    return {.q = q.data(),
            .cache = memory->view,
            .tokens = tokens,
            .heads = shape.heads,
            .q_stride = shape.heads * shape.key_dim,
            .scale = scale()};
  }
  AttentionBackwardArgs backward() const {
    return {.q = q.data(),
            .dout = dout.data(),
            .cache = memory->view,
            .tokens = tokens,
            .heads = shape.heads,
            .q_stride = shape.heads * shape.key_dim,
            .scale = scale()};
  }

  Shape shape;
  int64_t tokens;
  std::vector<float> q, keys, values, dout;
  std::unique_ptr<KvMemory> memory;
};

template <typename Real>
struct Gradients {
  std::vector<Real> q, keys, values;
  bool operator==(const Gradients&) const = default;
};

Gradients<double> formula(const Problem& p) {
  const Shape& s = p.shape;
  Gradients<double> all{std::vector<double>(p.q.size()), std::vector<double>(p.keys.size()),
                        std::vector<double>(p.values.size())};
  const auto rows = static_cast<size_t>(p.tokens);
  for (int64_t head = 0; head < s.heads; ++head) {
    std::vector<double> dkeys(rows * static_cast<size_t>(s.key_dim));
    std::vector<double> dvalues(rows * static_cast<size_t>(s.value_dim));
    const AttentionHeadGradients<double> g{.dq = all.q.data() + head * s.key_dim,
                                           .dkeys = dkeys.data(),
                                           .dvalues = s.latent() ? dkeys.data() : dvalues.data(),
                                           .dq_stride = s.heads * s.key_dim,
                                           .value_stride = s.latent() ? s.key_dim : s.value_dim};
    for (int64_t t = 0; t < p.tokens; ++t) attention_backward_row(p.backward(), t, head, g);
    const int64_t key_head = head / (s.heads / s.key_heads);
    const auto add = [&](const std::vector<double>& from, int64_t width, std::vector<double>& to) {
      for (int64_t t = 0; t < p.tokens; ++t)
        for (int64_t i = 0; i < width; ++i)
          to[static_cast<size_t>((t * s.key_heads + key_head) * width + i)] +=
              from[static_cast<size_t>(t * width + i)];
    };
    add(dkeys, s.key_dim, all.keys);
    if (!s.latent()) add(dvalues, s.value_dim, all.values);
  }
  return all;
}

std::vector<Gradients<float>> run(const Context& context, std::vector<Problem>& problems) {
  std::vector<Gradients<float>> gradients;
  std::vector<std::vector<float>> outs, log_sums;
  std::vector<AttentionBackwardArgs> sequences;
  for (const Problem& p : problems) {
    outs.emplace_back(p.dout.size());
    log_sums.emplace_back(static_cast<size_t>(p.tokens * p.shape.heads));
    AttentionArgs forward = p.forward();
    forward.out = outs.back().data();
    forward.log_sums = log_sums.back().data();
    attention(context, forward);
    gradients.push_back({std::vector<float>(p.q.size(), NAN),
                         std::vector<float>(p.keys.size(), NAN),
                         std::vector<float>(p.values.size(), NAN)});
  }
  for (size_t i = 0; i < problems.size(); ++i) {
    AttentionBackwardArgs args = problems[i].backward();
    args.out = outs[i].data();
    args.log_sums = log_sums[i].data();
    args.dq = gradients[i].q.data();
    args.dkeys = gradients[i].keys.data();
    args.dvalues = gradients[i].values.data();
    sequences.push_back(args);
  }
  attention_backward(context, sequences);
  return gradients;
}

Gradients<float> run_one(const Context& context, const Shape& shape, int64_t tokens,
                         uint64_t seed) {
  std::vector<Problem> problems;
  problems.emplace_back(shape, tokens, seed);
  return run(context, problems)[0];
}

TEST(AttentionBackward, FormulaIsTheSlopeOfAttention) {
  for (const Shape& shape : {Shape{4, 2, 3, 2}, Shape{2, 1, 4, 3, KvLayout::kLatent}}) {
    SCOPED_TRACE(shape);
    Problem p(shape, 5, 1);
    const Gradients<double> expected = formula(p);
    // Σ dout·attention with one of the inputs changed. Inputs are f32, hence the tolerance.
    const auto loss = [&](std::vector<float>& input, const std::vector<double>& x) {
      const std::vector<float> before = input;
      input = convert<float>(x);
      p.store();
      double sum = 0.0;
      std::vector<double> out(static_cast<size_t>(shape.value_dim));
      for (int64_t row = 0; row < p.tokens * shape.heads; ++row) {
        attention_row<double>(p.forward(), row / shape.heads, row % shape.heads, out.data());
        for (size_t i = 0; i < out.size(); ++i)
          sum += out[i] * static_cast<double>(p.dout[static_cast<size_t>(row) * out.size() + i]);
      }
      input = before;
      return sum;
    };
    const auto check = [&](std::vector<float>& input, const std::vector<double>& gradient) {
      const auto f = [&](const std::vector<double>& x) { return loss(input, x); };
      EXPECT_LE(testing::gradient_error(gradient, f, convert<double>(input)), 1e-3);
      p.store();
    };
    check(p.q, expected.q);
    check(p.keys, expected.keys);
    if (!shape.latent()) check(p.values, expected.values);
  }
}

// Errors are sums of at most 2·T rounded products of numbers near 1.
TEST(AttentionBackward, EveryIsaFollowsTheFormula) {
  testing::for_each_isa(2, [](const Context& context) {
    for (const Shape& shape : kShapes) {
      for (const int64_t tokens : {1, 3, 17, 64, 65, 130}) {
        SCOPED_TRACE(::testing::Message() << shape << ", " << tokens << " tokens");
        const auto expected = formula(Problem(shape, tokens, 9));
        const auto actual = run_one(context, shape, tokens, 9);
        EXPECT_LE(testing::max_relative_error(actual.q, expected.q), 2e-5);
        EXPECT_LE(testing::max_relative_error(actual.keys, expected.keys), 2e-5);
        EXPECT_LE(testing::max_relative_error(actual.values, expected.values), 2e-5);
      }
    }
  });
}

// The last tokens of a sequence, on their own: what they give for what was before them is added to
// the gradients of that.
TEST(AttentionBackward, ASequenceMayContinueAnother) {
  testing::for_each_isa(2, [](const Context& context) {
    for (const Shape& shape : kShapes) {
      for (const auto& [tokens, before] :
           {std::pair<int64_t, int64_t>{3, 1}, {40, 17}, {130, 64}, {130, 100}, {71, 70}}) {
        SCOPED_TRACE(::testing::Message() << shape << ", " << tokens << " tokens, " << before);
        const Problem p(shape, tokens, 9);
        const auto expected = formula(p);
        std::vector<float> out(p.dout.size());
        std::vector<float> log_sums(static_cast<size_t>(tokens * shape.heads));
        AttentionArgs forward = p.forward();
        forward.out = out.data();
        forward.log_sums = log_sums.data();
        attention(context, forward);
        Gradients<float> g{std::vector<float>(p.q.size(), NAN),
                           std::vector<float>(p.keys.size(), NAN),
                           std::vector<float>(p.values.size(), NAN)};
        AttentionBackwardArgs first = p.backward();
        first.out = out.data();
        first.log_sums = log_sums.data();
        first.dq = g.q.data();
        first.dkeys = g.keys.data();
        first.dvalues = g.values.data();
        first.tokens = before;
        AttentionBackwardArgs second = first;
        second.tokens = tokens - before;
        second.position = before;
        second.q += before * first.q_stride;
        second.out += before * shape.heads * shape.value_dim;
        second.log_sums += before * shape.heads;
        second.dout += before * shape.heads * shape.value_dim;
        second.dq += before * first.q_stride;
        second.dkeys += before * shape.key_heads * shape.key_dim;
        if (!shape.latent()) second.dvalues += before * shape.key_heads * shape.value_dim;
        second.earlier_dkeys = g.keys.data();
        second.earlier_dvalues = g.values.data();
        const std::vector<AttentionBackwardArgs> both = {first, second};
        attention_backward(context, both);
        EXPECT_LE(testing::max_relative_error(g.q, expected.q), 2e-5);
        EXPECT_LE(testing::max_relative_error(g.keys, expected.keys), 2e-5);
        EXPECT_LE(testing::max_relative_error(g.values, expected.values), 2e-5);
      }
    }
  });
}

TEST(AttentionBackward, LogSumsAreThoseOfTheScores) {
  testing::for_each_isa(1, [](const Context& context) {
    const Shape shape{6, 2, 24, 20};
    const Problem p(shape, 700, 3);  // two chunks of keys
    std::vector<float> out(p.dout.size()), log_sums(static_cast<size_t>(700 * shape.heads));
    AttentionArgs args = p.forward();
    args.out = out.data();
    args.log_sums = log_sums.data();
    attention(context, args);
    std::vector<double> row(static_cast<size_t>(shape.value_dim));
    for (const int64_t token : {0, 511, 512, 699}) {
      const auto expected = attention_row<double>(args, token, 4, row.data());
      EXPECT_NEAR(log_sums[static_cast<size_t>(token * shape.heads + 4)], expected, 1e-5) << token;
    }
  });
}

TEST(AttentionBackward, OtherSequencesDoNotMatter) {
  testing::for_each_isa(2, [](const Context& context) {
    for (const Shape& shape : {kShapes[2], kShapes[4]}) {
      std::vector<Problem> problems;
      for (const int64_t tokens : {70, 1, 33}) problems.emplace_back(shape, tokens, tokens);
      const auto together = run(context, problems);
      for (size_t i = 0; i < problems.size(); ++i) {
        const int64_t tokens = problems[i].tokens;
        EXPECT_EQ(together[i], run_one(context, shape, tokens, static_cast<uint64_t>(tokens)));
      }
    }
  });
}

TEST(AttentionBackward, ThreadsDoNotMatter) {
  testing::expect_threads_do_not_matter(
      [](const Context& context) { return run_one(context, kShapes[2], 130, 5); });
  testing::expect_threads_do_not_matter(
      [](const Context& context) { return run_one(context, kShapes[4], 130, 5); });
}

}  // namespace
}  // namespace ponder
