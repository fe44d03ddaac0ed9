// In which language a text is written: for the reward that keeps thoughts in one language.
#pragma once

#include <string_view>

namespace ponder {

// The share of the text's words, from 0 to 1, that belong to `language` ("en", "zh", "fr" …; a code
// that CLD2 knows). Code blocks, formulas, numbers and tags are no words; of scripts without spaces
// each character is one. Words are told apart by their script; those of scripts that several
// languages share, by what CLD2 finds in the stretch they stand in, if it is sure. 1 for a text
// without words.
double language_share(std::string_view text, std::string_view language);

// Does language_share() know it?
bool is_known_language(std::string_view language);

}  // namespace ponder
