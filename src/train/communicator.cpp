#include "train/communicator.hpp"

#define OMPI_SKIP_MPICXX 1  // its old C++ interface, which nothing links
#include <mpi.h>

#include <algorithm>
#include <bit>

#include "base/env.hpp"
#include "core/buffer.hpp"

namespace ponder {
namespace {

class Alone : public Communicator {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  void sum(std::span<float>) override {}
  void sum(std::span<double>) override {}
  void sum(std::span<int64_t>) override {}
  std::vector<std::string> gather(const std::string& bytes) override { return {bytes}; }
  void broadcast(std::string&) override {}
  void barrier() override {}
  void abort(int) override {}
};

// MPI's own handler ends all ranks on an error, so its return codes say nothing.
class Mpi : public Communicator {
 public:
  Mpi() {
    MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    MPI_Comm_size(MPI_COMM_WORLD, &size_);
  }
  ~Mpi() override { MPI_Finalize(); }

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  void sum(std::span<float> values) override { add_pairwise(values, MPI_FLOAT); }
  void sum(std::span<double> values) override { add_pairwise(values, MPI_DOUBLE); }
  void sum(std::span<int64_t> values) override { add_pairwise(values, MPI_INT64_T); }

  std::vector<std::string> gather(const std::string& bytes) override {
    std::vector<std::string> all(static_cast<size_t>(size_));
    all[static_cast<size_t>(rank_)] = bytes;
    for (int owner = 0; owner < size_; ++owner) send_all(all[static_cast<size_t>(owner)], owner);
    return all;
  }
  void broadcast(std::string& bytes) override { send_all(bytes, 0); }
  void barrier() override { MPI_Barrier(MPI_COMM_WORLD); }
  void abort(int status) override { MPI_Abort(MPI_COMM_WORLD, status); }

 private:
  // Partners swap pieces and both add the lower rank's to the higher's: after log₂ size rounds all
  // have the sum of one and the same tree.
  template <typename T>
  void add_pairwise(std::span<T> values, MPI_Datatype type) {
    constexpr size_t kPiece = 1 << 20;
    Buffer<T> theirs(std::min(values.size(), kPiece));
    for (int distance = 1; distance < size_; distance *= 2) {
      const int partner = rank_ ^ distance;
      for (size_t begin = 0; begin < values.size(); begin += kPiece) {
        const size_t count = std::min(kPiece, values.size() - begin);
        T* mine = values.data() + begin;
        MPI_Sendrecv(mine, static_cast<int>(count), type, partner, 0, theirs.data(),
                     static_cast<int>(count), type, partner, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        const T* low = rank_ < partner ? mine : theirs.data();
        const T* high = rank_ < partner ? theirs.data() : mine;
        for (size_t i = 0; i < count; ++i) mine[i] = low[i] + high[i];
      }
    }
  }

  // `owner`'s bytes to everybody.
  void send_all(std::string& bytes, int owner) {
    constexpr uint64_t kPiece = 1 << 28;
    uint64_t size = bytes.size();
    MPI_Bcast(&size, 1, MPI_UINT64_T, owner, MPI_COMM_WORLD);
    bytes.resize(size);
    for (uint64_t begin = 0; begin < size; begin += kPiece)
      MPI_Bcast(bytes.data() + begin, static_cast<int>(std::min(kPiece, size - begin)), MPI_BYTE,
                owner, MPI_COMM_WORLD);
  }

  int rank_ = 0, size_ = 1;
};

}  // namespace

std::unique_ptr<Communicator> Communicator::alone() { return std::make_unique<Alone>(); }

Result<std::unique_ptr<Communicator>> Communicator::create() {
  if (!environment("OMPI_COMM_WORLD_SIZE")) return alone();
  int provided = 0;
  // Only the thread that trains talks to other ranks.
  if (MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS)
    return Failure{{.what = "MPI does not start", .where = "mpirun"}};
  std::unique_ptr<Communicator> ranks = std::make_unique<Mpi>();
  const auto size = static_cast<unsigned>(ranks->size());
  if (std::has_single_bit(size)) return ranks;
  return Failure{{.what = std::to_string(size) + " processes cannot share the work evenly",
                  .where = "mpirun -n",
                  .mend = "start 1, 2, 4, 8 … of them"}};
}

int64_t Communicator::largest(int64_t here) {
  std::vector<int64_t> of_rank(static_cast<size_t>(size()));
  of_rank[static_cast<size_t>(rank())] = here;
  sum(std::span(of_rank));
  return *std::max_element(of_rank.begin(), of_rank.end());
}

}  // namespace ponder
