// The processes that train together: one alone, or those that mpirun has started.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace ponder {

// All functions but rank() and size() are called by all ranks in the same order. A rank that fails
// ends them all (abort()), so none waits for ever.
class Communicator {
 public:
  // One process alone: nothing is exchanged.
  static std::unique_ptr<Communicator> alone();
  // Under mpirun (OMPI_COMM_WORLD_SIZE is set) all its processes, else alone(): MPI is not even
  // initialised then. At most one at a time. The number of ranks must be a power of two.
  static Result<std::unique_ptr<Communicator>> create();
  virtual ~Communicator() = default;

  virtual int rank() const = 0;
  virtual int size() const = 0;

  // The sums of all ranks' values, added pairwise: neighbours, then pairs of them, and so on. With
  // values that were summed by a tree up to this rank, the tree goes on; every rank gets the bits.
  virtual void sum(std::span<float> values) = 0;
  virtual void sum(std::span<double> values) = 0;
  virtual void sum(std::span<int64_t> values) = 0;
  // Whether any rank says so; the largest that any rank says.
  bool any(bool here) { return largest(here ? 1 : 0) > 0; }
  int64_t largest(int64_t here);
  // The bytes of each rank, in the order of ranks, to all of them.
  virtual std::vector<std::string> gather(const std::string& bytes) = 0;
  // Rank 0's bytes to all.
  virtual void broadcast(std::string& bytes) = 0;
  virtual void barrier() = 0;
  // Ends all ranks at once, with this exit status; alone, it does nothing.
  virtual void abort(int status) = 0;
};

}  // namespace ponder
