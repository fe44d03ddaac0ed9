// Whether a confinement holds: a helper tries to get out, while there is something to be had.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <fstream>

#include "judge/sandbox/box.hpp"
#include "judge/sandbox/box_files.hpp"

namespace ponder {
namespace {

// Listens on the loopback address; `port` becomes the number that it got.
Fd listen_here(int& port) {
  Fd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* any = reinterpret_cast<sockaddr*>(&address);
  if (!listener || bind(listener.get(), any, size) != 0 || listen(listener.get(), 4) != 0 ||
      getsockname(listener.get(), any, &size) != 0)
    return {};
  port = ntohs(address.sin_port);
  return listener;
}

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
  int port = 0;
  const Fd listener = listen_here(port);
  const BoxReport report = run_probe(secret, port);
  if (!report.problem.empty()) return report.problem;
  return report.escapes == 0 ? std::string() : "a program in it " + names_of(report.escapes);
}

}  // namespace ponder
