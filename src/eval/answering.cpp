#include "eval/answering.hpp"

namespace ponder {
namespace {

constexpr std::string_view kNames[] = {"stop", "length", "filtered"};

}  // namespace

std::string_view answer_end_name(AnswerEnd end) { return kNames[static_cast<int>(end)]; }

std::optional<AnswerEnd> find_answer_end(std::string_view name) {
  for (const AnswerEnd end : {AnswerEnd::kStop, AnswerEnd::kLength, AnswerEnd::kFiltered})
    if (answer_end_name(end) == name) return end;
  return std::nullopt;
}

}  // namespace ponder
