// Flags that several commands have, and how a model is opened with them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "model/kv_cache.hpp"
#include "model/model.hpp"
#include "ops/runtime.hpp"
#include "text/chat_template.hpp"
#include "text/tokenizer.hpp"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace ponder {

struct ModelFlags {
  std::string model;
  int threads = 0;  // 0: one per CPU
  std::string isa;  // empty: the best, or $PONDER_ISA
  std::string activations = "int8";
  std::string mla = "absorbed";
  std::string kv_type = "f16";
  bool load_mtp = false;  // no flag of its own: --speculate sets it
};

// Lets a command do without -m: it then has the built-in model.
void use_builtin_model(CLI::App& command, ModelFlags& flags);
// Adds -m and, unless `compute` is false, the flags of everything that computes.
void add_model_flags(CLI::App& command, ModelFlags& flags, bool compute = true);
void add_isa_flag(CLI::App& command, std::string& isa);
// A flag for a whole number or nothing.
CLI::Option* add_integer_flag(CLI::App& command, const std::string& name,
                              std::optional<int64_t>& target, int64_t least, int64_t most);
CLI::Option* add_context_flag(CLI::App& command, std::optional<int64_t>& target);

// A model and what runs it. Stays where it is: sessions point into it.
struct LoadedModel {
  Runtime runtime;
  Model model;
  DType kv_dtype;
  double load_seconds;
};
Result<std::unique_ptr<LoadedModel>> load_model(const ModelFlags& flags);

// What -m means: the path itself if it exists, else a model of that name in the cache of `pull`, or
// the built-in one.
Result<std::filesystem::path> find_model(const std::string& name);
Result<Tokenizer> load_tokenizer(const std::string& name);
// `name` if it is not empty, else the template that the model's file holds.
Result<ChatTemplate> choose_template(const std::string& name, const Tokenizer& tokenizer,
                                     const std::string& model);

// How many positions the cache gets: `flag` if given, else `wanted`, at most the model's context.
Result<int64_t> choose_context(std::optional<int64_t> flag, int64_t wanted, const Config& config);

// For CLI11's check(), which names the flag itself: runs `parse` and gives what is wrong, if any.
template <typename Parse>
std::function<std::string(const std::string&)> checked_by(Parse parse) {
  return [parse](const std::string& text) {
    const auto result = parse(text);
    return result.ok() ? std::string() : result.error().what;
  };
}

}  // namespace ponder
