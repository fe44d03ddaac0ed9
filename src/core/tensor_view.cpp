#include "core/tensor_view.hpp"

#include "base/macros.hpp"

namespace ponder {

Shape Shape::of(std::initializer_list<int64_t> list) {
  PONDER_CHECK(list.size() <= kMaxRank);
  Shape shape;
  for (const int64_t dim : list) shape.dims[static_cast<size_t>(shape.rank++)] = dim;
  return shape;
}

int64_t Shape::elements() const {
  int64_t product = 1;
  for (int i = 0; i < rank; ++i) product *= (*this)[i];
  return product;
}

std::string Shape::text() const {
  std::string text = "(";
  for (int i = 0; i < rank; ++i) text += (i > 0 ? ", " : "") + std::to_string((*this)[i]);
  return text + ")";
}

}  // namespace ponder
