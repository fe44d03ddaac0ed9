// ponder data filter: documents by rules.
#include <CLI/CLI.hpp>

#include "base/file.hpp"
#include "cli/data.hpp"
#include "data/steps/filter_settings.hpp"
#include "data/steps/filter_step.hpp"

namespace ponder {
namespace {

constexpr uint64_t kLongestRules = 1 << 20;

struct FilterFlags {
  DataFlags data;
  std::vector<std::string> presets, settings, expressions;
  std::string rules, language, language_model;
  bool record = false, show = false;
};

Result<Filters> chosen_filters(const FilterFlags& flags) {
  Filters filters;
  if (!flags.language.empty()) {
    filters.push_back(make_filter("language"));
    PONDER_TRY(set_filter_option(filters, "language.keep", flags.language));
  }
  if (!flags.language_model.empty()) {
    if (filters.empty())
      return Failure{
          {.what = "--language is missing: which languages are kept", .where = "--lang-model"}};
    filters.back()->lists()[1].values = {flags.language_model};
  }
  for (const std::string& name : flags.presets)
    for (auto& filter : PONDER_TRY(preset_filters(name))) filters.push_back(std::move(filter));
  if (!flags.rules.empty()) {
    const std::string text = PONDER_TRY(read_file(flags.rules, kLongestRules));
    for (auto& filter : PONDER_TRY(parse_filters(text, flags.rules)))
      filters.push_back(std::move(filter));
  }
  for (const std::string& setting : flags.settings) {
    const size_t sign = setting.find('=');
    if (sign == setting.npos)
      return Failure{{.what = "write FILTER.OPTION=VALUE", .where = "--set " + setting}};
    PONDER_TRY(set_filter_option(filters, setting.substr(0, sign), setting.substr(sign + 1)));
  }
  if (!flags.expressions.empty()) {
    filters.push_back(make_filter("expression"));
    filters.back()->lists()[0].values = flags.expressions;
    filters.back()->numbers()[0].value = static_cast<double>(flags.expressions.size());
  }
  return filters;
}

Result<int> filter_documents(FilterFlags& flags) {
  Filters filters = PONDER_TRY(chosen_filters(flags));
  if (flags.show) {
    PONDER_TRY(print(filters_as_toml(filters)));
    return 0;
  }
  if (flags.data.input.paths.empty() || flags.data.run.folder.empty())
    return Failure{{.what = "IN and --output are missing", .where = "ponder data filter"}};
  ProgressLine line;
  PONDER_TRY(prepare_data_flags(flags.data, line));
  FilterStep step =
      PONDER_TRY(FilterStep::create(std::move(filters), flags.record, flags.data.run.threads));
  flags.data.run.settings = {
      {"step", "filter"}, {"record", flags.record}, {"filters", step.settings()}};
  return run_data_step(flags.data, step);
}

}  // namespace

void add_data_filter(CLI::App& data, Selection& selection) {
  CLI::App& command = *data.add_subcommand("filter", "Keep documents that pass rules");
  auto flags = std::make_shared<FilterFlags>();
  add_data_flags(command, flags->data);
  for (const char* name : {"IN", "--output"}) command.get_option(name)->required(false);
  std::string presets;
  for (const std::string_view name : preset_names())
    presets += (presets.empty() ? "" : ", ") + std::string(name);
  command.add_option("--preset", flags->presets, "Published sets of rules: " + presets)
      ->allow_extra_args(false)
      ->type_name("NAME");
  command.add_option("--rules", flags->rules, "File of rules (TOML)")->type_name("FILE");
  command.add_option("--set", flags->settings, "Change one: gopher_quality.min_words=30, or =off")
      ->allow_extra_args(false)
      ->type_name("F.O=V");
  command.add_option("--language", flags->language, "Keep these languages only: en or en,de")
      ->type_name("CODES");
  command
      .add_option("--lang-model", flags->language_model,
                  "A fastText model for --language, for example lid.176.ftz, instead of CLD2")
      ->type_name("FILE");
  command
      .add_option("--keep-if", flags->expressions, "An expression: 'words > 10 && score >= 0.5'")
      ->allow_extra_args(false)
      ->type_name("EXPR");
  command.add_flag("--record", flags->record,
                   "Measure every rule for every document, for what-if and histograms");
  command.add_flag("--show-rules", flags->show, "Print the rules as a file for --rules, and end");
  command.footer(
      "Presets: fineweb-paper and fineweb-datatrove differ in one number, the share of characters\n"
      "in repeated lines: 0.1 in the paper, 0.01 in datatrove.\n\n"
      "Examples:\n"
      "  ponder data filter --preset gopher crawl/*.jsonl.zst -o filtered\n"
      "  ponder data filter --preset fineweb-paper --show-rules > rules.toml\n"
      "  ponder data filter --rules rules.toml --language en in.jsonl -o out --compress zst\n"
      "  zcat in.jsonl.gz | ponder data filter --preset c4 - -o - > out.jsonl");
  command.callback(
      [flags, &selection] { selection.command = [flags] { return filter_documents(*flags); }; });
}

}  // namespace ponder
