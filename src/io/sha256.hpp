// SHA-256 (FIPS 180-4) of data that arrives in pieces.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace ponder {

class Sha256 {
 public:
  Sha256();

  void update(std::span<const std::byte> bytes);
  std::string hex();  // 64 lower-case digits; ends the computation

 private:
  struct Free {
    void operator()(void* context) const;
  };
  std::unique_ptr<void, Free> context_;
};

}  // namespace ponder
