#include "train/rl/store.hpp"

#include <zstd.h>

#include <algorithm>
#include <charconv>

#include "base/file.hpp"

namespace ponder {
namespace {

constexpr uint64_t kMostFileBytes = uint64_t{1} << 32;
constexpr size_t kMostTextBytes = size_t{1} << 31;  // of what a file holds
constexpr size_t kMostTokens = 1 << 24;
constexpr std::string_view kPrefix = "step-", kSuffix = ".jsonl.zst";
constexpr int kLevel = 6;

Failure broken(const std::string& what, const std::string& where) {
  return Failure{{.what = what, .where = where, .mend = "the file of rollouts is damaged"}};
}

template <typename Number>
Result<std::vector<Number>> numbers(const Json& object, const char* key, const std::string& where) {
  const Json* array = find_field(object, key);
  if (array == nullptr || !array->is_array() || array->size() > kMostTokens)
    return broken(std::string(key) + " is no list of numbers", where);
  std::vector<Number> values;
  values.reserve(array->size());
  for (const Json& value : *array) {
    const bool right = std::is_integral_v<Number> ? value.is_number_integer() : value.is_number();
    if (!right) return broken(std::string(key) + " is no list of numbers", where);
    const double wide = value.get<double>();
    if (!(wide >= -2147483648.0 && wide <= 2147483647.0))
      return broken(std::string(key) + " has a number out of range", where);
    values.push_back(static_cast<Number>(wide));
  }
  return values;
}

Result<Verdict> verdict_by_name(std::string_view name, const std::string& where) {
  for (int i = 0; i <= static_cast<int>(Verdict::kInfra); ++i)
    if (verdict_name(static_cast<Verdict>(i)) == name) return static_cast<Verdict>(i);
  return broken("the verdict is none that we know", where);
}

OrderedJson reward_to_json(const Reward& reward) {
  OrderedJson object = OrderedJson::object();
  if (reward.total) object["total"] = *reward.total;
  object["accuracy"] = reward.accuracy;
  object["form"] = reward.form;
  object["language"] = reward.language;
  object["command"] = reward.command;
  object["overlong"] = reward.overlong;
  return object;
}

Result<Reward> reward_from_json(const Json& object, const std::string& where) {
  Reward reward;
  const Json* parts = find_field(object, "reward");
  if (parts == nullptr) return broken("there is no reward", where);
  if (find_field(*parts, "total") != nullptr)
    reward.total = PONDER_TRY(number_field(*parts, "total", where));
  reward.accuracy = PONDER_TRY(number_field(*parts, "accuracy", where));
  reward.form = PONDER_TRY(number_field(*parts, "form", where));
  reward.language = PONDER_TRY(number_field(*parts, "language", where));
  reward.command = PONDER_TRY(number_field(*parts, "command", where));
  reward.overlong = PONDER_TRY(number_field(*parts, "overlong", where));
  const std::string verdict = PONDER_TRY(text_field(object, "verdict", where));
  reward.judgement = {PONDER_TRY(verdict_by_name(verdict, where)),
                      PONDER_TRY(text_field_or(object, "extracted", where, "")),
                      PONDER_TRY(text_field_or(object, "why", where, ""))};
  return reward;
}

// What a file holds, decompressed piece by piece and never more than it may.
Result<std::string> decompressed(std::string_view bytes, const std::string& where) {
  const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(),
                                                                     ZSTD_freeDCtx);
  PONDER_CHECK(context != nullptr);
  std::string text, piece(ZSTD_DStreamOutSize(), '\0');
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  size_t left = 1;  // of the frame; 0: it is over
  while (in.pos < in.size || left != 0) {
    ZSTD_outBuffer out{piece.data(), piece.size(), 0};
    const size_t before = in.pos;
    left = ZSTD_decompressStream(context.get(), &out, &in);
    if (ZSTD_isError(left) != 0) return broken(ZSTD_getErrorName(left), where);
    if (left != 0 && out.pos == 0 && in.pos == before) return broken("it ends too early", where);
    if (text.size() + out.pos > kMostTextBytes) return broken("it is too large", where);
    text.append(piece.data(), out.pos);
  }
  return text;
}

}  // namespace

OrderedJson rollout_to_json(const Rollout& rollout) {
  const Problem& problem = rollout.problem;
  std::vector<double> log_probability(rollout.answer.log_probability.begin(),
                                      rollout.answer.log_probability.end());
  return {{"prompt_index", rollout.prompt_index},
          {"sample", rollout.sample},
          {"seed", rollout.seed},
          {"problem",
           {{"id", problem.id},
            {"task", problem.task},
            {"prompt", problem.prompt},
            {"answer", problem.answer},
            {"level", problem.level},
            {"extra", problem.extra}}},
          {"prompt", rollout.prompt},
          {"starts_inside", rollout.starts_inside},
          {"tokens", rollout.answer.tokens},
          {"log_probability", std::move(log_probability)},
          {"ended", rollout.answer.ended},
          {"text", rollout.text},
          {"verdict", verdict_name(rollout.reward.judgement.verdict)},
          {"extracted", rollout.reward.judgement.extracted},
          {"why", rollout.reward.judgement.why},
          {"reward", reward_to_json(rollout.reward)}};
}

Result<Rollout> rollout_from_json(const Json& object, const std::string& where) {
  Rollout rollout;
  rollout.prompt_index = PONDER_TRY(integer_field(object, "prompt_index", where, {0}));
  rollout.sample =
      static_cast<int>(PONDER_TRY(integer_field(object, "sample", where, {0, 1 << 20})));
  const Json* seed = find_field(object, "seed");
  if (seed == nullptr || !seed->is_number_unsigned()) return broken("there is no seed", where);
  rollout.seed = seed->get<uint64_t>();
  const Json* problem = find_field(object, "problem");
  if (problem == nullptr) return broken("there is no problem", where);
  rollout.problem.id = PONDER_TRY(text_field(*problem, "id", where));
  rollout.problem.task = PONDER_TRY(text_field(*problem, "task", where));
  rollout.problem.prompt = PONDER_TRY(text_field(*problem, "prompt", where));
  rollout.problem.answer = PONDER_TRY(text_field(*problem, "answer", where));
  rollout.problem.extra = problem->value("extra", Json::object());
  rollout.problem.level =
      static_cast<int>(PONDER_TRY(integer_field(*problem, "level", where, {0, 1 << 20})));
  rollout.prompt = PONDER_TRY(numbers<int32_t>(object, "prompt", where));
  rollout.starts_inside = PONDER_TRY(bool_field(object, "starts_inside", where));
  rollout.answer.tokens = PONDER_TRY(numbers<int32_t>(object, "tokens", where));
  rollout.answer.log_probability = PONDER_TRY(numbers<float>(object, "log_probability", where));
  rollout.answer.ended = PONDER_TRY(bool_field(object, "ended", where));
  if (rollout.answer.tokens.size() != rollout.answer.log_probability.size())
    return broken("there are not as many log-probabilities as tokens", where);
  rollout.text = PONDER_TRY(text_field(object, "text", where));
  rollout.reward = PONDER_TRY(reward_from_json(object, where));
  return rollout;
}

std::filesystem::path rollout_file(const std::filesystem::path& run, int64_t step) {
  char name[64];
  std::snprintf(name, sizeof name, "step-%09lld.jsonl.zst", static_cast<long long>(step));
  return run / "rollouts" / name;
}

Result<std::vector<int64_t>> stored_steps(const std::filesystem::path& run) {
  std::vector<int64_t> steps;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(run / "rollouts", error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) continue;
    int64_t step = 0;
    const char* const end = name.data() + name.size() - kSuffix.size();
    const auto parsed = std::from_chars(name.data() + kPrefix.size(), end, step);
    if (parsed.ec == std::errc() && parsed.ptr == end) steps.push_back(step);
  }
  if (error || steps.empty())
    return Failure{{.what = "there are no stored rollouts",
                    .where = (run / "rollouts").string(),
                    .mend = "give the folder of a run of ponder train rl that stored them"}};
  std::sort(steps.begin(), steps.end());
  return steps;
}

Result<void> write_rollouts(const std::filesystem::path& file,
                            const std::vector<Rollout>& rollouts) {
  std::string text;
  for (const Rollout& rollout : rollouts)
    text += rollout_to_json(rollout).dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  std::string packed(ZSTD_compressBound(text.size()), '\0');
  const size_t size = ZSTD_compress(packed.data(), packed.size(), text.data(), text.size(), kLevel);
  if (ZSTD_isError(size) != 0)
    return Failure{{.what = ZSTD_getErrorName(size), .where = file.string()}};
  packed.resize(size);
  std::error_code error;
  std::filesystem::create_directories(file.parent_path(), error);
  if (error) return Failure{{.what = error.message(), .where = file.parent_path().string()}};
  return write_file(file, packed);
}

Result<void> read_rollouts(const std::filesystem::path& file,
                           const std::function<bool(Rollout)>& visit) {
  const std::string packed = PONDER_TRY(read_file(file, kMostFileBytes));
  const std::string text = PONDER_TRY(decompressed(packed, file.string()));
  int64_t number = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string where = file.string() + " line " + std::to_string(++number);
    const Json object =
        PONDER_TRY(parse_json(std::string_view(text).substr(begin, end - begin), where));
    if (!visit(PONDER_TRY(rollout_from_json(object, where)))) return {};
    begin = end + 1;
  }
  return {};
}

}  // namespace ponder
