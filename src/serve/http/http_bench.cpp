// The server's own cost: a small request on a kept connection, and events of streams.
#include <benchmark/benchmark.h>

#include <thread>

#include "serve/http/client_testing.hpp"
#include "serve/http/server.hpp"

namespace ponder {
namespace {

using testing::Client;

constexpr int kEvents = 200;

std::unique_ptr<HttpServer> make_server() {
  const auto handler = [](const std::shared_ptr<HttpExchange>& exchange) {
    if (exchange->request().path != "/stream") return exchange->respond({.body = "{}"});
    exchange->start_stream();
    for (int i = 0; i < kEvents; ++i) exchange->send("data: " + std::string(200, 'x') + "\n\n");
    exchange->finish();
  };
  return std::move(HttpServer::create({}, handler)).take_value();
}

void requests(benchmark::State& state) {
  const auto server = make_server();
  Client client(server->port());
  for (auto _ : state) {
    client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    benchmark::DoNotOptimize(client.read_answer());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(requests)->Name("http/request")->UseRealTime();

// `range` clients at once; items are events.
void events(benchmark::State& state) {
  const auto server = make_server();
  for (auto _ : state) {
    std::vector<Client> clients;
    for (int64_t i = 0; i < state.range(0); ++i) {
      clients.emplace_back(server->port(), "GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    for (Client& client : clients) benchmark::DoNotOptimize(client.read_until("\r\n0\r\n\r\n"));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0) * kEvents);
}
BENCHMARK(events)->Name("http/events")->Arg(1)->Arg(64)->UseRealTime();

// From the peer's close to on_disconnect().
void disconnects(benchmark::State& state) {
  std::atomic<int> gone{0};
  std::shared_ptr<HttpExchange> held;
  std::atomic<bool> there{false};
  const auto handler = [&](std::shared_ptr<HttpExchange> exchange) {
    exchange->on_disconnect([&] {
      ++gone;
      gone.notify_one();
    });
    held = std::move(exchange);
    there = true;
    there.notify_one();
  };
  const auto server = std::move(HttpServer::create({}, handler)).take_value();
  for (auto _ : state) {
    state.PauseTiming();
    there = false;
    Client client(server->port(), "GET /hold HTTP/1.1\r\nHost: localhost\r\n\r\n");
    there.wait(false);
    const int before = gone;
    state.ResumeTiming();
    client.close();
    gone.wait(before);
  }
}
BENCHMARK(disconnects)->Name("http/disconnect")->UseRealTime();

}  // namespace
}  // namespace ponder
