#include "data/dedup/notes.hpp"

#include <cstring>

namespace ponder {
namespace {

constexpr size_t kReleased = 4 << 20;

struct Head {
  uint64_t number;
  uint32_t id_size, payload_size;
};

}  // namespace

void append_note(std::string& notes, uint64_t number, std::string_view id,
                 std::string_view payload) {
  const Head head{number, static_cast<uint32_t>(id.size()), static_cast<uint32_t>(payload.size())};
  notes.append(reinterpret_cast<const char*>(&head), sizeof(head));
  notes += id;
  notes += payload;
}

Result<NotesReader> NotesReader::open(const std::filesystem::path& path) {
  NotesReader reader;
  reader.file_ = PONDER_TRY(MappedFile::open(path));
  const auto bytes = reader.file_.bytes();
  reader.rest_ = {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  return reader;
}

Result<bool> NotesReader::next(Note& note) {
  if (rest_.empty()) return false;
  const size_t read = file_.bytes().size() - rest_.size();
  if (read - released_ >= kReleased) {
    MappedFile::release(file_.bytes().subspan(released_, read - released_));
    released_ = read;
  }
  Head head;
  if (rest_.size() >= sizeof(head)) std::memcpy(&head, rest_.data(), sizeof(head));
  if (rest_.size() < sizeof(head) ||
      rest_.size() - sizeof(head) < uint64_t{head.id_size} + head.payload_size)
    return Failure{{.what = "the file of notes is damaged",
                    .where = file_.path().string(),
                    .mend = "start again in an empty folder"}};
  note.number = head.number;
  note.id = rest_.substr(sizeof(head), head.id_size);
  note.payload = rest_.substr(sizeof(head) + head.id_size, head.payload_size);
  rest_.remove_prefix(sizeof(head) + head.id_size + head.payload_size);
  return true;
}

}  // namespace ponder
