// Parts of addresses.
#pragma once

#include <string>
#include <string_view>

namespace ponder {

// ASCII letters in lower case, the rest as it is.
std::string lowered(std::string_view text);

// "https://user@www.Example.com:80/path" → "www.example.com"; empty if there is none.
std::string site_of(std::string_view url);

}  // namespace ponder
