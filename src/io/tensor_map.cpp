#include "io/tensor_map.hpp"

#include <utility>

#include "io/printable.hpp"

namespace ponder {
namespace {

bool inside(std::span<const std::byte> part, std::span<const std::byte> whole) {
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

}  // namespace

Result<void> TensorMap::add(std::string name, const TensorView& view,
                            std::shared_ptr<const MappedFile> file) {
  PONDER_CHECK(file != nullptr && inside(view.bytes, file->bytes()));
  const std::string where = file->path().string() + ": tensor " + printable(name);
  const auto [entry, added] = entries_.try_emplace(name, Entry{view, std::move(file)});
  if (!added) {
    return Failure{{.what = "this name is taken by a tensor in " +
                            printable(entry->second.file->path().string()),
                    .where = where,
                    .mend = "get the file again from its source"}};
  }
  total_bytes_ += view.bytes.size();
  names_.push_back(std::move(name));
  return {};
}

const TensorView* TensorMap::find(std::string_view name) const {
  const auto entry = entries_.find(name);
  return entry == entries_.end() ? nullptr : &entry->second.view;
}

std::string TensorMap::where(std::string_view name) const {
  const auto entry = entries_.find(name);
  const std::string tensor = "tensor " + printable(name);
  if (entry == entries_.end()) return tensor;
  return entry->second.file->path().string() + ": " + tensor;
}

void TensorMap::release(std::string_view name) const {
  const auto entry = entries_.find(name);
  if (entry != entries_.end()) entry->second.file->release(entry->second.view.bytes);
}

}  // namespace ponder
