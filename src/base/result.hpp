// Result<T>: a value or an Error. Used for bad input, I/O and everything else that a user can
// cause.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "base/macros.hpp"

namespace ponder {

// An error says what went wrong, where (file, offset, tensor, field or flag) and how to mend it.
struct Error {
  std::string what;
  std::string where = {};
  std::string mend = {};

  // "where: what; mend", leaving out what is empty. One line.
  std::string message() const;
};

// Wraps an error on its way out of a function, so that it converts to any Result<T>:
//   return Failure{{.what = "…", .where = path, .mend = "…"}};
struct Failure {
  Error error;
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Failure failure) : state_(std::in_place_index<1>, std::move(failure.error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  // Only when ok().
  T& value() & {
    PONDER_CHECK(ok());
    return std::get<0>(state_);
  }
  const T& value() const& {
    PONDER_CHECK(ok());
    return std::get<0>(state_);
  }
  T&& value() && {
    PONDER_CHECK(ok());
    return std::get<0>(std::move(state_));
  }
  T take_value() && { return std::move(*this).value(); }

  // Only when !ok().
  const Error& error() const {
    PONDER_CHECK(!ok());
    return std::get<1>(state_);
  }
  Error take_error() && {
    PONDER_CHECK(!ok());
    return std::get<1>(std::move(state_));
  }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Failure failure) : error_(std::move(failure.error)) {}

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  void take_value() && { PONDER_CHECK(ok()); }

  const Error& error() const {
    PONDER_CHECK(!ok());
    return *error_;
  }
  Error take_error() && {
    PONDER_CHECK(!ok());
    return std::move(*error_);
  }

 private:
  std::optional<Error> error_;
};

}  // namespace ponder
