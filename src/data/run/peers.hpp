// How processes that share a step talk: as ranks of MPI, or through files of a shared folder.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/progress.hpp"
#include "base/result.hpp"

namespace ponder {

class Peers {
 public:
  virtual ~Peers() = default;

  int rank() const { return rank_; }
  int world() const { return world_; }

  // Every rank calls this equally often. Gives message i of `outgoing` to rank i; returns what the
  // ranks sent to this one, in their order. Messages of one call stay below 2 GB together.
  virtual Result<std::vector<std::string>> exchange(std::vector<std::string> outgoing) = 0;
  // Everybody's message to everybody.
  Result<std::vector<std::string>> share(const std::string& mine);
  // What common work gave. After an error the other ranks do not wait for this one: it is logged,
  // and MPI ends them.
  template <typename T>
  Result<T> guard(Result<T> result) {
    end(result.ok() ? "" : result.error().message());
    return result;
  }

 protected:
  Peers(int rank, int world) : rank_(rank), world_(world) {}
  // `failure`: empty, or why the work ended early.
  virtual void end(const std::string& failure) { static_cast<void>(failure); }

 private:
  int rank_, world_;
};

// Who this process is among those that share the work.
struct Place {
  int rank = 0;
  int world = 1;
  bool mpi = false;
};
// From OMPI_COMM_WORLD_RANK/_SIZE or PMI_RANK/_SIZE (MPI), else SLURM_ARRAY_TASK_ID and _COUNT,
// else alone.
Place place_from_environment();

// Messages go through MPI, or as files into `folder`, where they stay until all is done so that a
// killed process can start again. `waiting` is asked while waiting for files: false ends the wait.
Result<std::unique_ptr<Peers>> make_peers(const Place& place, const std::filesystem::path& folder,
                                          ProgressSink waiting);

}  // namespace ponder
