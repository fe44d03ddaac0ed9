#include "judge/sandbox/listener.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

namespace ponder {

Listener listen_on_loopback() {
  Listener listener{Fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), 0};
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* any = reinterpret_cast<sockaddr*>(&address);
  if (!listener.fd || bind(listener.fd.get(), any, size) != 0 ||
      listen(listener.fd.get(), 4) != 0 || getsockname(listener.fd.get(), any, &size) != 0)
    return {};
  listener.port = ntohs(address.sin_port);
  return listener;
}

}  // namespace ponder
