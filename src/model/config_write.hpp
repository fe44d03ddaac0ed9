// The reverse of config_from_json().
#pragma once

#include <string>

#include "base/result.hpp"
#include "model/config.hpp"

namespace ponder {

// A config.json of Hugging Face's kind, from which config_from_json() makes `config` again. Fails
// on rope factors given one by one, which config.json has no key for.
Result<std::string> config_to_json(const Config& config);

}  // namespace ponder
