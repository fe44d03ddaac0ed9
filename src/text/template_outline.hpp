// What a Jinja template writes and under which statements, without running it. Enough to tell
// whether a template is one that we know, however it is laid out.
// Syntax and white space: https://jinja.palletsprojects.com/en/stable/templates/
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace ponder {

struct TemplateOutline {
  struct Output {
    std::string expression;  // in the form that canonical_jinja() gives
    bool for_tools = false;  // within an if or for that is about tools
  };
  std::vector<Output> outputs;          // {{ … }} and text outside of tags, in order
  std::vector<std::string> statements;  // {% … %} in the same form
};

// One form for expressions that differ in layout only: no white space outside of strings, one kind
// of quotes, escapes resolved, x['name'] as x.name.
std::string canonical_jinja(std::string_view expression);

// With the settings of Hugging Face: trim_blocks and lstrip_blocks. Fails on tags that do not end,
// and on statements other than if, for and set.
Result<TemplateOutline> outline_template(std::string_view source, const std::string& where);

}  // namespace ponder
