// ponder bench: how fast a model runs here, and how fast it could.
#include <CLI/CLI.hpp>

#include "cli/bench_report.hpp"
#include "cli/commands.hpp"
#include "cli/flags.hpp"
#include "cli/format_text.hpp"
#include "cli/interrupt.hpp"
#include "cli/terminal.hpp"

namespace ponder {
namespace {

constexpr int64_t kMostTokens = 1 << 24;

struct BenchFlags {
  ModelFlags model;
  std::vector<int64_t> prompt{512}, gen{64}, batch{1}, depth{0};
  std::optional<int64_t> repeat;
  std::string compare;
  bool profile = false, json = false;
};

Result<std::vector<SpeedTest>> list_tests(const BenchFlags& flags, const Config& config) {
  std::vector<SpeedTest> tests;
  for (const int64_t prompt : flags.prompt)
    if (prompt > 0) tests.push_back({.prompt = prompt});
  for (const int64_t depth : flags.depth)
    for (const int64_t batch : flags.batch)
      for (const int64_t gen : flags.gen)
        if (gen > 0) tests.push_back({.gen = gen, .batch = batch, .depth = depth});
  if (tests.empty())
    return Failure{{.what = "nothing to measure",
                    .where = "--prompt, --gen",
                    .mend = "give a number above 0 to one of them"}};
  for (const SpeedTest& test : tests) {
    if (test.positions() <= config.context) continue;
    return Failure{{.what = test.name() + " needs " + std::to_string(test.positions()) +
                            " positions, and the model was made for " +
                            std::to_string(config.context),
                    .where = test.prompt > 0 ? "--prompt" : "--gen, --depth",
                    .mend = "give less"}};
  }
  return tests;
}

Result<int> bench(const BenchFlags& flags) {
  std::optional<BenchBaseline> baseline;
  if (!flags.compare.empty()) baseline = PONDER_TRY(BenchBaseline::open(flags.compare));
  const BenchBaseline* before = baseline ? &*baseline : nullptr;
  const auto loaded = PONDER_TRY(load_model(flags.model));
  const Model& model = loaded->model;
  const Context& context = loaded->runtime.context();
  const auto tests = PONDER_TRY(list_tests(flags, model.config()));
  const uint64_t loading_peak = peak_memory();
  const BenchMachine machine{.cpu = cpu_model_name(),
                             .isa = std::string(isa_name(context.isa)),
                             .threads = context.pool->size(),
                             .roofline = measure_roofline(context)};
  reset_peak_memory();  // the buffer that was read is no need of the model
  BenchModel described{.file = model.path().filename().string(),
                       .bytes = model.file_bytes(),
                       .parameters = count_parameters(model.config()).total,
                       .load_seconds = loaded->load_seconds};
  if (!flags.json) PONDER_TRY(print(bench_head_text(machine, described, before)));
  std::vector<BenchResult> results;
  ProgressLine progress;
  for (const SpeedTest& test : tests) {
    SpeedResult speed = PONDER_TRY(
        measure_speed(context, model, test,
                      {.repeats = static_cast<int>(flags.repeat.value_or(SpeedOptions{}.repeats)),
                       .kv_dtype = loaded->kv_dtype,
                       .stop = &stop_flag(),
                       .progress = progress.sink()}));
    progress.clear();
    results.push_back({test, std::move(speed)});
    if (flags.json) continue;
    PONDER_TRY(print(bench_row_text(machine, results.back(), before)));
    if (flags.profile) PONDER_TRY(print(bench_profile_text(machine, results.back())));
  }
  described.peak_bytes = std::max(loading_peak, peak_memory());
  if (flags.json)
    PONDER_TRY(print(json_text(bench_json(machine, described, results, before, flags.profile), 1)));
  return 0;
}

void add_list_flag(CLI::App& command, const std::string& name, std::vector<int64_t>& target,
                   int64_t least, int64_t most, const std::string& help) {
  const auto parse = [least, most](const std::string& text) {
    return parse_integers(text, least, most, "");
  };
  const auto set = [&target, parse](const std::string& text) { target = parse(text).value(); };
  command.add_option_function<std::string>(name, set, help)
      ->check(checked_by(parse))
      ->type_name("N,...");
}

}  // namespace

void add_bench_command(CLI::App& app, Selection& selection) {
  CLI::App& command = *app.add_subcommand("bench", "Measure the speed of a model on this machine");
  auto flags = std::make_shared<BenchFlags>();
  add_model_flags(command, flags->model);
  add_list_flag(command, "--prompt", flags->prompt, 0, kMostTokens,
                "Lengths of prompts; 0: none; default: 512");
  add_list_flag(command, "--gen", flags->gen, 0, kMostTokens,
                "Numbers of tokens to generate; 0: none; default: 64");
  add_list_flag(command, "--batch", flags->batch, 1, 1024,
                "Sequences that are generated at once; default: 1");
  add_list_flag(command, "--depth", flags->depth, 0, kMostTokens,
                "Tokens before the generated ones, not timed; default: 0");
  add_integer_flag(command, "--repeat", flags->repeat, 1, 10000)
      ->description("Timed runs of each test, after one to warm up; default: 3");
  command.add_flag("--profile", flags->profile, "Print a table of ops for each test");
  command.add_flag("--json", flags->json, "Print a JSON object at the end, and nothing else");
  command.add_option("--compare", flags->compare, "Print the ratio to an earlier --json output")
      ->type_name("FILE");
  command.footer(
      "Tests are named as by llama-bench: pp512 is a prompt of 512 tokens, tg64 the generation of\n"
      "64. tokens/s is the median, over all sequences of a batch together; `of limit` compares it\n"
      "with what reading memory and multiplying allow (see docs/user-guide.md).\n\n"
      "Examples:\n"
      "  ponder bench -m model.gguf\n"
      "  ponder bench -m model.gguf --prompt 128,512 --gen 64 --batch 1,4,16 --profile\n"
      "  ponder bench -m model.gguf --json > before.json\n"
      "  ponder bench -m model.gguf --compare before.json");
  command.callback([flags, &selection] { selection.command = [flags] { return bench(*flags); }; });
}

}  // namespace ponder
