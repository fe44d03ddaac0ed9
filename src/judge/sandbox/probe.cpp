// Whether a confinement holds: a helper tries to get out, while there is something to be had.
#include <fstream>

#include "judge/sandbox/box.hpp"
#include "judge/sandbox/box_files.hpp"
#include "judge/sandbox/listener.hpp"

namespace ponder {
namespace {

std::string names_of(uint32_t escapes) {
  static constexpr const char* kNames[] = {"reads files outside",     "writes files outside",
                                           "connects to the network", "signals processes",
                                           "traces processes",        "makes namespaces",
                                           "gains privileges",        "cannot write to its folder"};
  std::string names;
  for (size_t bit = 0; bit < std::size(kNames); ++bit) {
    if ((escapes >> bit & 1) != 0) names += (names.empty() ? "" : ", ") + std::string(kNames[bit]);
  }
  return names;
}

}  // namespace

std::string BoxRunner::probe() const {
  auto folder = BoxFolder::create();
  if (!folder.ok()) return folder.error().message();
  const std::string secret = folder.value().path() + "/secret";
  std::ofstream(secret) << "secret\n";
  const Listener listener = listen_on_loopback();
  const BoxReport report = run_probe(secret, listener.port);
  if (!report.problem.empty()) return report.problem;
  return report.escapes == 0 ? std::string() : "a program in it " + names_of(report.escapes);
}

}  // namespace ponder
