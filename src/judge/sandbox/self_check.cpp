#include "judge/sandbox/self_test.hpp"
namespace ponder {
bool SelfTestReport::passed() const { return complete; }
std::string SelfTestReport::summary() const { return ""; }
SelfTestReport self_test(const Sandbox&, const SelfTestOptions&) { return {}; }
}  // namespace ponder
