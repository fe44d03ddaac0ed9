#include "data/run/peers.hpp"

#define OMPI_SKIP_MPICXX 1
#include <mpi.h>
#include <sys/prctl.h>

#include <algorithm>
#include <chrono>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <thread>

#include "base/env.hpp"
#include "base/file.hpp"
#include "base/log.hpp"

namespace ponder {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kLongestMessage = 1ull << 31;
constexpr std::chrono::milliseconds kLongestPause{32};  // between two looks for a file

class Alone : public Peers {
 public:
  Alone() : Peers(0, 1) {}
  Result<std::vector<std::string>> exchange(std::vector<std::string> outgoing) override {
    return outgoing;
  }
};

class Mpi : public Peers {
 public:
  Mpi(int rank, int world) : Peers(rank, world) {}
  ~Mpi() override { MPI_Finalize(); }
  Result<std::vector<std::string>> exchange(std::vector<std::string> outgoing) override {
    const auto ranks = static_cast<size_t>(world());
    std::vector<int> send_sizes(ranks), send_at(ranks), sizes(ranks), at(ranks);
    std::string all;
    for (size_t i = 0; i < ranks; ++i) {
      send_at[i] = static_cast<int>(all.size());
      send_sizes[i] = static_cast<int>(outgoing[i].size());
      all += outgoing[i];
      outgoing[i] = {};
    }
    PONDER_CHECK(all.size() < INT_MAX);
    if (MPI_Alltoall(send_sizes.data(), 1, MPI_INT, sizes.data(), 1, MPI_INT, MPI_COMM_WORLD) !=
        MPI_SUCCESS)
      return Failure{{.what = "MPI_Alltoall failed"}};
    size_t total = 0;
    for (size_t i = 0; i < ranks; ++i) {
      at[i] = static_cast<int>(total);
      total += static_cast<size_t>(sizes[i]);
      if (total >= INT_MAX) return Failure{{.what = "the messages of one round are too long"}};
    }
    std::string got(total, '\0');
    if (MPI_Alltoallv(all.data(), send_sizes.data(), send_at.data(), MPI_BYTE, got.data(),
                      sizes.data(), at.data(), MPI_BYTE, MPI_COMM_WORLD) != MPI_SUCCESS)
      return Failure{{.what = "MPI_Alltoallv failed"}};
    std::vector<std::string> incoming(ranks);
    for (size_t i = 0; i < ranks; ++i)
      incoming[i] = got.substr(static_cast<size_t>(at[i]), static_cast<size_t>(sizes[i]));
    return incoming;
  }

 protected:
  void end(const std::string& failure) override {
    if (failure.empty()) return;
    log(LogLevel::kError, failure);
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
};

class Files : public Peers {
 public:
  Files(const Place& place, fs::path folder, ProgressSink waiting)
      : Peers(place.rank, place.world), folder_(std::move(folder)), waiting_(waiting) {}

  Result<std::vector<std::string>> exchange(std::vector<std::string> outgoing) override {
    for (int to = 0; to < world(); ++to)
      PONDER_TRY(write_file(message(rank(), to), outgoing[static_cast<size_t>(to)]));
    std::vector<std::string> incoming;
    for (int from = 0; from < world(); ++from) {
      const fs::path path = message(from, rank());
      std::error_code error;
      std::chrono::milliseconds pause{1};
      while (!fs::exists(path, error)) {
        std::this_thread::sleep_for(pause);
        pause = std::min(2 * pause, kLongestPause);
        if (waiting_ && !waiting_({.what = "waiting for other processes", .unit = ""}))
          return Failure{{.what = "stopped"}};
      }
      incoming.push_back(PONDER_TRY(read_file(path, kLongestMessage)));
    }
    ++round_;
    return incoming;
  }

 private:
  fs::path message(int from, int to) const {
    return folder_ / ("mail-" + std::to_string(round_) + "-" + std::to_string(from) + "-" +
                      std::to_string(to));
  }

  fs::path folder_;
  ProgressSink waiting_;
  int round_ = 0;
};

// Both variables as numbers with rank < world; nothing if they are not set.
std::optional<Place> place_of(const char* rank, const char* world, const char* first, bool mpi) {
  const auto rank_text = environment(rank), world_text = environment(world);
  if (!rank_text || !world_text) return std::nullopt;
  const auto first_text = first == nullptr ? std::nullopt : environment(first);
  const long base = first_text ? std::strtol(first_text->c_str(), nullptr, 10) : 0;
  const long r = std::strtol(rank_text->c_str(), nullptr, 10) - base;
  const long w = std::strtol(world_text->c_str(), nullptr, 10);
  if (w < 1 || w > 1'000'000 || r < 0 || r >= w) return std::nullopt;
  return Place{static_cast<int>(r), static_cast<int>(w), mpi};
}

}  // namespace

Result<std::vector<std::string>> Peers::share(const std::string& mine) {
  return exchange(std::vector<std::string>(static_cast<size_t>(world_), mine));
}

Place place_from_environment() {
  if (const auto place = place_of("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", nullptr, true))
    return *place;
  if (const auto place = place_of("PMI_RANK", "PMI_SIZE", nullptr, true)) return *place;
  if (const auto place =
          place_of("SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_MIN", false))
    return *place;
  return {};
}

Result<std::unique_ptr<Peers>> make_peers(const Place& place, const fs::path& folder,
                                          ProgressSink waiting) {
  if (place.world == 1) return std::unique_ptr<Peers>(std::make_unique<Alone>());
  if (!place.mpi) return std::unique_ptr<Peers>(std::make_unique<Files>(place, folder, waiting));
  // Without mpirun a rank would go on alone for a while, beside those that are started anew.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  int provided = 0;
  if (MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS)
    return Failure{{.what = "MPI cannot be started"}};
  return std::unique_ptr<Peers>(std::make_unique<Mpi>(place.rank, place.world));
}

}  // namespace ponder
