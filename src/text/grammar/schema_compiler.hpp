// Turns the parts of a JSON schema into nodes of a grammar.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/grammar/json_grammar.hpp"
#include "text/grammar/number_range.hpp"
#include "text/grammar/schema_merge.hpp"

namespace ponder {

// `at` is the JSON pointer of a part; `depth` counts parts in parts.
class SchemaCompiler {
 public:
  SchemaCompiler(Grammar& grammar, const OrderedJson& root)
      : grammar_(grammar), json_(grammar), root_(root) {}

  Result<NodeId> run();

 private:
  static constexpr int kMostDepth = 64;
  static constexpr int64_t kMostWork = 20'000;       // parts, however often they are met
  static constexpr int64_t kMostCopied = 1'000'000;  // values in schemas that were merged
  static constexpr size_t kMostProperties = 4096;
  static constexpr size_t kMostValues = 16'384;  // of an enum
  static constexpr int64_t kMostCount = 16'384;  // of characters, elements, members

  Result<NodeId> part(const OrderedJson& schema, const std::string& at, int depth);
  Result<void> check_keywords(const OrderedJson& schema, const std::string& at) const;

  // References.
  Result<const OrderedJson*> target(const std::string& reference, const std::string& at) const;
  Result<NodeId> reference(const OrderedJson& schema, const std::string& at, int depth);
  // The schema with its $ref, if it has one, replaced by what it means.
  Result<OrderedJson> resolved(OrderedJson schema, const std::string& at);

  // Combinations.
  Result<NodeId> all_of(const OrderedJson& schema, const std::string& at, int depth);
  Result<NodeId> any_of(const OrderedJson& schema, const std::string& keyword,
                        const std::string& at, int depth);
  Result<NodeId> merged_part(const OrderedJson& first, const OrderedJson& second,
                             const std::string& at, int depth);
  Result<NodeId> values(const OrderedJson& schema, const std::string& at);

  // Types.
  Result<std::vector<std::string>> types(const OrderedJson& schema, const std::string& at) const;
  Result<NodeId> of_type(const std::string& type, const OrderedJson& schema, const std::string& at,
                         int depth);
  Result<NodeId> string(const OrderedJson& schema, const std::string& at);
  Result<NodeId> number(const OrderedJson& schema, bool integer, const std::string& at);
  Result<NodeId> array(const OrderedJson& schema, const std::string& at, int depth);
  Result<NodeId> object(const OrderedJson& schema, const std::string& at, int depth);

  struct Property {
    std::string name;
    NodeId value = 0;
    bool required = false;
  };
  // What the members beyond the declared ones are; nothing: there are none.
  using More = std::optional<NodeId>;
  Result<std::vector<Property>> properties(const OrderedJson& schema, const std::string& at,
                                           int depth);
  Result<More> more_members(const OrderedJson& schema, const std::string& at, int depth);
  Result<NodeId> map(const OrderedJson& schema, NodeId value, const std::string& at, int depth);
  NodeId members(const std::vector<Property>& properties, const More& more);

  // A count: 0 to kMostCount, which larger upper bounds become. `absent` if there is none.
  Result<int64_t> count(const OrderedJson& schema, const char* keyword, const std::string& at,
                        int64_t absent) const;
  static bool is_upper(std::string_view keyword) { return keyword.starts_with("max"); }

  Grammar& grammar_;
  JsonGrammar json_;
  const OrderedJson& root_;
  struct Waiting {
    const OrderedJson* schema;
    std::string at;
    RuleId rule;
  };
  std::map<std::string, RuleId> references_;
  std::deque<Waiting> waiting_;  // rules of references, not yet compiled
  int64_t work_ = 0, copied_ = 0;
};

}  // namespace ponder
