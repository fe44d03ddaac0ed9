// Gradients by finite differences, to judge a backward pass by its forward pass.
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

#include "testing/numbers.hpp"

namespace ponder::testing {

// d f / d x of f: std::vector<double> → double, by central differences of fourth order. For f that
// is smooth and of the order of 1 the error is about 1e-10.
template <typename Function>
std::vector<double> finite_differences(const Function& f, std::vector<double> x,
                                       double step = 1e-3) {
  std::vector<double> gradient(x.size());
  for (size_t i = 0; i < x.size(); ++i) {
    const double before = x[i];
    const auto at = [&](double shift) {
      x[i] = before + shift;
      return f(x);
    };
    const double near = at(step) - at(-step), far = at(2 * step) - at(-2 * step);
    gradient[i] = (8 * near - far) / (12 * step);
    x[i] = before;
  }
  return gradient;
}

// Σ a·b: makes one number of an op's output, with `b` as the gradient of that output.
template <typename A, typename B>
double inner_product(const A& a, const B& b) {
  double sum = 0.0;
  for (size_t i = 0; i < a.size(); ++i)
    sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

// How far `actual` is from the differences of f at x, relative to the greatest of them.
template <typename Actual, typename Function>
double gradient_error(const Actual& actual, const Function& f, const std::vector<double>& x) {
  return max_relative_error(actual, finite_differences(f, x));
}

}  // namespace ponder::testing
