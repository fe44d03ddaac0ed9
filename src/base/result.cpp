#include "base/result.hpp"

namespace ponder {

std::string Error::message() const {
  std::string text;
  if (!where.empty()) text += where + ": ";
  text += what;
  if (!mend.empty()) text += "; " + mend;
  return text;
}

}  // namespace ponder
