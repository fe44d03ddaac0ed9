// The filters, each in its own file.
#pragma once

#include <memory>

#include "data/rules/filter.hpp"

namespace ponder {

std::unique_ptr<TextFilter> make_gopher_quality();
std::unique_ptr<TextFilter> make_gopher_repetition();
std::unique_ptr<TextFilter> make_c4_quality();
std::unique_ptr<TextFilter> make_c4_paragraphs();
std::unique_ptr<TextFilter> make_fineweb_quality();
std::unique_ptr<TextFilter> make_language();
std::unique_ptr<TextFilter> make_url();
std::unique_ptr<TextFilter> make_pii();
std::unique_ptr<TextFilter> make_thoughts();
std::unique_ptr<TextFilter> make_answer();
std::unique_ptr<TextFilter> make_expression();

}  // namespace ponder
