#include "data/dedup/substrings.hpp"

#include <algorithm>
#include <cstring>

#include "data/dedup/shuffle.hpp"
#include "data/dedup/spill_sorter.hpp"
#include "data/text/characters.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace ponder {
namespace {

struct Window {
  uint64_t hash;
  Ordinal document;
  uint64_t word;

  bool operator<(const Window& other) const {
    if (hash != other.hash) return hash < other.hash;
    return document != other.document ? document < other.document : word < other.word;
  }
};

struct WindowMark {
  Ordinal document;
  uint32_t word;
  uint32_t original;

  bool operator<(const WindowMark& other) const {
    if (document != other.document) return document < other.document;
    return word != other.word ? word < other.word : original < other.original;
  }
};

// Adds a mark that comes behind all others.
void extend(std::vector<WindowRun>& runs, const WindowMark& mark) {
  if (!runs.empty()) {
    WindowRun& last = runs.back();
    if (last.document == mark.document && last.word + last.count == mark.word &&
        last.original == (mark.original != 0)) {
      ++last.count;
      return;
    }
  }
  runs.push_back({mark.document, mark.word, 1, mark.original != 0});
}

bool stands_alone(uint32_t code) {
  return (code >= 0x2e80 && code <= 0x9fff) || (code >= 0xf900 && code <= 0xfaff) ||
         (code >= 0x20000 && code <= 0x3ffff);
}

// Marks all windows of a group with the same hash; one alone is no repetition.
class Marker {
 public:
  Marker(Shuffle& marks, int world) : marks_(marks), world_(world) {}

  Result<void> take(const Window& window) {
    if (!any_ || window.hash != first_.hash) {
      first_ = window;
      any_ = true;
      alone_ = true;
      return {};
    }
    if (alone_) PONDER_TRY(mark(first_, 1));
    alone_ = false;
    return mark(window, 0);
  }

 private:
  Result<void> mark(const Window& window, uint32_t original) {
    const auto owner = static_cast<int>(shard_of(window.document) % static_cast<size_t>(world_));
    return marks_.put(owner,
                      WindowMark{window.document, static_cast<uint32_t>(window.word), original});
  }

  Shuffle& marks_;
  int world_;
  Window first_{};
  bool any_ = false, alone_ = true;
};

// Sorts the windows of all documents and puts a mark for each that occurs more than once.
Result<void> mark_windows(const RunFolder& folder, Peers& peers, Shuffle& marks, uint64_t memory,
                          ThreadPool& pool) {
  SpillSorter<Window> sorter(folder.hidden(), "sort-" + std::to_string(peers.rank()), memory, pool);
  Shuffle windows(peers, [&](std::string_view bytes) -> Result<void> {
    Window window;
    for (; bytes.size() >= sizeof(Window); bytes.remove_prefix(sizeof(Window))) {
      std::memcpy(&window, bytes.data(), sizeof(Window));
      PONDER_TRY(sorter.add(window));
    }
    return {};
  });
  const auto world = static_cast<size_t>(peers.world());
  for (auto shard = static_cast<size_t>(peers.rank()); shard < folder.shards(); shard += world) {
    NotesReader reader = PONDER_TRY(NotesReader::open(folder.notes_file(shard)));
    Note note;
    while (PONDER_TRY(reader.next(note))) {
      Window window{0, ordinal_of(shard, note.number), 0};
      for (; (window.word + 1) * 8 <= note.payload.size(); ++window.word) {
        std::memcpy(&window.hash, note.payload.data() + window.word * 8, 8);
        PONDER_TRY(windows.put(static_cast<int>((window.hash >> 32) * world >> 32), window));
      }
    }
  }
  PONDER_TRY(windows.finish());
  Marker marker(marks, peers.world());
  Result<void> marked;
  PONDER_TRY(sorter.for_each([&](const Window& window) {
    if (marked.ok()) marked = marker.take(window);
  }));
  return marked;
}

}  // namespace

std::vector<NormalWord> exact_words(std::string_view text) {
  std::vector<NormalWord> words;
  size_t begin = 0;
  const auto end_word = [&](size_t end) {
    if (end > begin)
      words.push_back(
          {.hash = XXH3_64bits(text.data() + begin, end - begin), .begin = begin, .end = end});
  };
  for (size_t at = 0; at < text.size();) {
    const Char c = decode_char(text, at);
    const bool space = is_python_space(c.code), alone = stands_alone(c.code);
    if (space || alone) {
      end_word(at);
      begin = at + (space ? c.length : 0);
    }
    at += c.length;
    if (alone) {
      end_word(at);
      begin = at;
    }
  }
  end_word(text.size());
  return words;
}

Result<std::vector<WindowRun>> match_substrings(const RunFolder& folder, Peers& peers,
                                                uint64_t memory, ThreadPool& pool) {
  SpillSorter<WindowMark> mine(folder.hidden(), "marks-" + std::to_string(peers.rank()), memory / 3,
                               pool);
  Shuffle marks(peers, [&](std::string_view bytes) -> Result<void> {
    WindowMark mark;
    for (; bytes.size() >= sizeof(mark); bytes.remove_prefix(sizeof(mark))) {
      std::memcpy(&mark, bytes.data(), sizeof(mark));
      PONDER_TRY(mine.add(mark));
    }
    return {};
  });
  PONDER_TRY(mark_windows(folder, peers, marks, memory - memory / 3, pool));
  PONDER_TRY(marks.finish());
  std::vector<WindowRun> runs;
  PONDER_TRY(mine.for_each([&](const WindowMark& mark) { extend(runs, mark); }));
  return runs;
}

std::string without_repeated(std::string_view text, const std::vector<NormalWord>& words,
                             std::span<const WindowRun> runs, size_t length) {
  // How many repeated and original windows begin and end at each word.
  std::vector<int> repeated(words.size() + 1, 0), original(words.size() + 1, 0);
  for (const WindowRun& run : runs) {
    if (uint64_t{run.word} + run.count - 1 + length > words.size()) continue;
    std::vector<int>& windows = run.original ? original : repeated;
    ++windows[run.word];
    --windows[run.word + run.count - 1 + length];
  }
  std::string kept;
  size_t from = 0;
  int in_repeated = 0, in_original = 0;
  bool cutting = false;
  for (size_t i = 0; i < words.size(); ++i) {
    in_repeated += repeated[i];
    in_original += original[i];
    const bool cut = in_repeated > 0 && in_original == 0;
    if (cut && !cutting) kept += text.substr(from, words[i].begin - from);
    if (!cut && cutting) from = words[i].begin;
    cutting = cut;
  }
  if (!cutting)
    kept += text.substr(from);
  else if (!words.empty())
    kept += text.substr(words.back().end);
  return kept;
}

}  // namespace ponder
