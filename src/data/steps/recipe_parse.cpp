#include "data/steps/recipe.hpp"

#include <algorithm>
#include <set>

#include "data/steps/toml_tables.hpp"
#include "io/printable.hpp"

namespace ponder {
namespace {

constexpr size_t kMostSteps = 100;

// Reads the keys of a table, and knows which nobody asked for.
class TableReader {
 public:
  TableReader(const toml::table& table, std::string where)
      : table_(table), where_(std::move(where)) {}

  bool has(std::string_view key) {
    asked_.insert(std::string(key));
    return table_.contains(key);
  }

  Result<void> text(std::string_view key, std::string& target) {
    if (!has(key)) return {};
    const auto value = table_[key].value_exact<std::string>();
    if (!value) return fail(key, "is no text");
    target = *value;
    return {};
  }

  Result<void> texts(std::string_view key, std::vector<std::string>& target) {
    if (!has(key)) return {};
    if (const auto one = table_[key].value_exact<std::string>()) {
      target = {*one};
      return {};
    }
    const toml::array* array = table_[key].as_array();
    if (array == nullptr) return fail(key, "is no list of texts");
    for (const toml::node& node : *array) {
      const auto value = node.value_exact<std::string>();
      if (!value) return fail(key, "is no list of texts");
      target.push_back(*value);
    }
    return {};
  }

  template <typename Integer>
  Result<void> integer(std::string_view key, int64_t least, int64_t most, Integer& target) {
    if (!has(key)) return {};
    const auto value = table_[key].value_exact<int64_t>();
    if (!value || *value < least || *value > most)
      return fail(
          key, "is no whole number from " + std::to_string(least) + " to " + std::to_string(most));
    target = static_cast<Integer>(*value);
    return {};
  }

  Result<void> number(std::string_view key, double least, double most, double& target) {
    if (!has(key)) return {};
    const auto value = table_[key].value<double>();
    if (!value || !(*value >= least && *value <= most)) return fail(key, "is out of range");
    target = *value;
    return {};
  }

  Result<void> flag(std::string_view key, bool& target) {
    if (!has(key)) return {};
    const auto value = table_[key].value_exact<bool>();
    if (!value) return fail(key, "is neither true nor false");
    target = *value;
    return {};
  }

  Result<void> need(std::string_view key) {
    if (has(key)) return {};
    return Failure{{.what = "the key " + std::string(key) + " is missing",
                    .where = toml_place(table_, where_)}};
  }

  // Fails if there is a key that was not asked for.
  Result<void> finish() const {
    std::string known;
    for (const std::string& key : asked_) known += " " + key;
    for (const auto& [key, node] : table_)
      if (!asked_.contains(std::string(key.str())))
        return Failure{{.what = "there is no key " + printable(key.str()) + " here",
                        .where = toml_place(node, where_),
                        .mend = "there are" + known}};
    return {};
  }

 private:
  Failure fail(std::string_view key, const std::string& what) const {
    return Failure{
        {.what = std::string(key) + " " + what, .where = toml_place(*table_.get(key), where_)}};
  }

  const toml::table& table_;
  std::string where_;
  std::set<std::string> asked_;
};

Result<void> read_dedup(TableReader& reader, RecipeStep& step) {
  DedupOptions& o = step.dedup;
  if (step.type == "dedup-exact") return {};
  if (step.type == "dedup-near") {
    o.kind = DedupKind::kNear;
    PONDER_TRY(reader.integer("bands", 1, 256, o.near.bands));
    PONDER_TRY(reader.integer("rows", 1, 64, o.near.rows));
    PONDER_TRY(reader.integer("ngram", 1, 100, o.near.ngram));
    return reader.integer("seed", 0, INT64_MAX, o.near.seed);
  }
  o.kind = DedupKind::kSubstring;
  PONDER_TRY(reader.integer("words", 5, 100000, o.words));
  return reader.integer("words_left", 0, 100000, o.words_left);
}

Result<void> read_decontaminate(TableReader& reader, RecipeStep& step) {
  DecontaminateOptions& o = step.decontaminate;
  PONDER_TRY(reader.need("against"));
  PONDER_TRY(reader.texts("against", step.against));
  PONDER_TRY(reader.texts("fields", step.fields));
  PONDER_TRY(reader.integer("ngram", 2, 1000, o.ngram));
  PONDER_TRY(reader.integer("shortest", 1, 1000, o.shortest));
  PONDER_TRY(reader.flag("cut", o.cut));
  PONDER_TRY(reader.integer("margin", 0, 1000000, o.margin));
  PONDER_TRY(reader.integer("least_piece", 0, 1000000, o.least_piece));
  return reader.integer("most_cuts", 0, 1000000, o.most_cuts);
}

Result<void> read_classify(TableReader& reader, RecipeStep& step) {
  PONDER_TRY(reader.need("model"));
  PONDER_TRY(reader.text("model", step.model));
  PONDER_TRY(reader.text("label", step.quality.label));
  PONDER_TRY(reader.number("threshold", 0, 1, step.quality.threshold));
  return reader.number("keep_fraction", 0, 1, step.quality.keep_fraction);
}

Result<void> read_recall(TableReader& reader, RecipeStep& step) {
  RecallOptions& o = step.recall;
  PONDER_TRY(reader.need("good"));
  PONDER_TRY(reader.texts("good", o.seed_files));
  PONDER_TRY(reader.number("fraction", 1e-9, 1, o.fraction));
  PONDER_TRY(reader.integer("rounds", 1, 100, o.rounds));
  PONDER_TRY(reader.number("enough", 0, 1, o.enough));
  PONDER_TRY(reader.number("site_share", 0, 1, o.site_share));
  PONDER_TRY(reader.integer("site_documents", 1, 1'000'000'000, o.site_documents));
  PONDER_TRY(reader.integer("negatives", 1, INT64_MAX, o.negatives));
  PONDER_TRY(reader.integer("dim", 1, 4096, o.training.dimension));
  PONDER_TRY(reader.integer("epochs", 1, 1000, o.training.epochs));
  PONDER_TRY(reader.integer("buckets", 1, 100'000'000, o.training.buckets));
  return reader.integer("seed", 0, INT64_MAX, o.seed);
}

Result<void> read_sample(TableReader& reader, RecipeStep& step) {
  PONDER_TRY(reader.need("fraction"));
  PONDER_TRY(reader.number("fraction", 0, 1, step.fraction));
  return reader.integer("seed", 0, INT64_MAX, step.seed);
}

Result<void> read_pack(TableReader& reader, RecipeStep& step) {
  PONDER_TRY(reader.need("tokenizer"));
  PONDER_TRY(reader.text("tokenizer", step.model));
  PONDER_TRY(reader.integer("length", 8, 1 << 20, step.pack.length));
  return reader.flag("end_token", step.pack.end_token);
}

Result<RecipeStep> read_step(const toml::table& table, const std::string& where) {
  RecipeStep step;
  TableReader reader(table, where);
  PONDER_TRY(reader.need("type"));
  PONDER_TRY(reader.text("type", step.type));
  if (step.type == "filter") {
    step.filters = PONDER_TRY(filters_of_table(table, where));
    PONDER_TRY(reader.flag("record", step.record));
    reader.has("preset");
    for (const auto& [key, node] : table)
      if (node.is_table()) reader.has(key.str());
  } else if (step.type.starts_with("dedup-") &&
             (step.type == "dedup-exact" || step.type == "dedup-near" ||
              step.type == "dedup-substring")) {
    PONDER_TRY(read_dedup(reader, step));
  } else if (step.type == "decontaminate") {
    PONDER_TRY(read_decontaminate(reader, step));
  } else if (step.type == "classify") {
    PONDER_TRY(read_classify(reader, step));
  } else if (step.type == "recall") {
    PONDER_TRY(read_recall(reader, step));
  } else if (step.type == "sample") {
    PONDER_TRY(read_sample(reader, step));
  } else if (step.type == "pack") {
    PONDER_TRY(read_pack(reader, step));
  } else {
    return Failure{{.what = printable(step.type) + " is no type of step",
                    .where = toml_place(table, where),
                    .mend = "there are filter, dedup-exact, dedup-near, dedup-substring, "
                            "decontaminate, classify, recall, sample, pack"}};
  }
  PONDER_TRY(reader.finish());
  return step;
}

}  // namespace

Result<DataRecipe> parse_recipe(std::string_view text, const std::string& where) {
  const toml::table table = PONDER_TRY(parse_toml(text, where));
  DataRecipe recipe;
  TableReader reader(table, where);
  for (const char* key : {"input", "output", "step"}) PONDER_TRY(reader.need(key));
  PONDER_TRY(reader.texts("input", recipe.input.paths));
  PONDER_TRY(reader.text("output", recipe.output));
  PONDER_TRY(reader.text("compress", recipe.compress));
  PONDER_TRY(reader.text("output_format", recipe.output_format));
  PONDER_TRY(reader.text("format", recipe.input.format));
  PONDER_TRY(reader.text("text_field", recipe.input.fields.text));
  PONDER_TRY(reader.text("id_field", recipe.input.fields.id));
  PONDER_TRY(reader.text("url_field", recipe.input.fields.url));
  PONDER_TRY(reader.finish());
  const toml::array* steps = table["step"].as_array();
  if (steps == nullptr || steps->empty() || steps->size() > kMostSteps)
    return Failure{{.what = "there are no steps, or too many",
                    .where = where,
                    .mend = "write [[step]] before each"}};
  for (const toml::node& node : *steps) {
    if (!node.is_table())
      return Failure{{.what = "a step is no table", .where = toml_place(node, where)}};
    recipe.steps.push_back(PONDER_TRY(read_step(*node.as_table(), where)));
    if (recipe.steps.back().type == "pack" && recipe.steps.size() < steps->size())
      return Failure{{.what = "pack must be the last step", .where = toml_place(node, where)}};
  }
  const bool parquet = recipe.output_format == "parquet";
  if (!parquet && recipe.output_format != "jsonl")
    return Failure{{.what = "output_format is neither jsonl nor parquet", .where = where}};
  if (parquet && recipe.steps.back().type == "pack")
    return Failure{{.what = "output_format is parquet, but the last step is pack",
                    .where = where,
                    .mend = "leave one of them out"}};
  return recipe;
}

}  // namespace ponder
