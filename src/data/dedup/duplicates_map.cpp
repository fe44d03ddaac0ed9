#include "data/dedup/duplicates_map.hpp"

#include <algorithm>
#include <cstring>

#include "data/dedup/shuffle.hpp"
#include "data/dedup/spill_sorter.hpp"
#include "data/io/document.hpp"

namespace ponder {
namespace {

struct KeyedDocument {
  uint64_t high, low;
  Ordinal document;

  bool operator<(const KeyedDocument& other) const {
    if (high != other.high) return high < other.high;
    if (low != other.low) return low < other.low;
    return document < other.document;
  }
};

struct Pair {
  Ordinal a, b;
};

KeyedDocument keyed(std::string_view payload, size_t key, size_t key_bytes, Ordinal document) {
  KeyedDocument record{0, 0, document};
  std::memcpy(&record.high, payload.data() + key * key_bytes, 8);
  if (key_bytes == 16) std::memcpy(&record.low, payload.data() + key * key_bytes + 8, 8);
  return record;
}

// Calls visit(note, ordinal) for the notes of this process's shards.
template <typename Visit>
Result<void> for_each_note(const RunFolder& folder, const Peers& peers, Visit&& visit) {
  const auto world = static_cast<size_t>(peers.world());
  for (auto shard = static_cast<size_t>(peers.rank()); shard < folder.shards(); shard += world) {
    NotesReader reader = PONDER_TRY(NotesReader::open(folder.notes_file(shard)));
    Note note;
    while (PONDER_TRY(reader.next(note))) PONDER_TRY(visit(note, ordinal_of(shard, note.number)));
  }
  return {};
}

template <typename Record>
Shuffle::Consume each(std::function<Result<void>(const Record&)> take) {
  return [take](std::string_view bytes) -> Result<void> {
    Record record;
    for (size_t at = 0; at + sizeof(Record) <= bytes.size(); at += sizeof(Record)) {
      std::memcpy(&record, bytes.data() + at, sizeof(Record));
      PONDER_TRY(take(record));
    }
    return {};
  };
}

// Joins the documents that share key number `key`.
Result<void> match_key(const RunFolder& folder, Peers& peers, const MatchOptions& options,
                       size_t key, Components& components, ThreadPool& pool) {
  SpillSorter<KeyedDocument> sorter(folder.hidden(), "sort-" + std::to_string(peers.rank()),
                                    options.memory, pool);
  Shuffle keys(
      peers, each<KeyedDocument>([&](const KeyedDocument& record) { return sorter.add(record); }));
  const auto owner = [&](uint64_t hash) {  // high bits, so that ranks share evenly
    return static_cast<int>((hash >> 32) * static_cast<uint64_t>(peers.world()) >> 32);
  };
  PONDER_TRY(for_each_note(folder, peers, [&](const Note& note, Ordinal ordinal) {
    if (note.payload.size() < (key + 1) * options.key_bytes) return Result<void>{};
    const KeyedDocument record = keyed(note.payload, key, options.key_bytes, ordinal);
    return keys.put(owner(record.high), record);
  }));
  PONDER_TRY(keys.finish());
  Shuffle pairs(peers, each<Pair>([&](const Pair& pair) {
                  components.join(pair.a, pair.b);
                  return Result<void>{};
                }));
  KeyedDocument first{};
  bool any = false;
  Result<void> sent;
  PONDER_TRY(sorter.for_each([&](const KeyedDocument& record) {
    if (any && record.high == first.high && record.low == first.low) {
      const Pair pair{first.document, record.document};
      if (sent.ok()) sent = pairs.put_all({reinterpret_cast<const char*>(&pair), sizeof(pair)});
    } else {
      first = record;
      any = true;
    }
  }));
  PONDER_TRY(std::move(sent));
  return pairs.finish();
}

// The ids of all members, on every process.
Result<std::unordered_map<Ordinal, std::string>> member_ids(
    const RunFolder& folder, Peers& peers, const std::vector<Components::Member>& members) {
  std::unordered_map<Ordinal, std::string> ids;
  ids.reserve(members.size());
  Shuffle shuffle(peers, [&](std::string_view bytes) -> Result<void> {
    while (bytes.size() >= 12) {
      Ordinal ordinal;
      uint32_t size;
      std::memcpy(&ordinal, bytes.data(), 8);
      std::memcpy(&size, bytes.data() + 8, 4);
      if (bytes.size() - 12 < size) break;
      ids[ordinal] = bytes.substr(12, size);
      bytes.remove_prefix(12 + size);
    }
    return {};
  });
  const auto is_member = [&](Ordinal ordinal) {
    return std::binary_search(members.begin(), members.end(), Components::Member{ordinal, 0},
                              [](const auto& a, const auto& b) { return a.document < b.document; });
  };
  PONDER_TRY(for_each_note(folder, peers, [&](const Note& note, Ordinal ordinal) -> Result<void> {
    if (!is_member(ordinal)) return {};
    std::string record(12, '\0');
    const auto size = static_cast<uint32_t>(note.id.size());
    std::memcpy(record.data(), &ordinal, 8);
    std::memcpy(record.data() + 8, &size, 4);
    return shuffle.put_all(record.append(note.id));
  }));
  PONDER_TRY(shuffle.finish());
  return ids;
}

}  // namespace

uint32_t Components::index_of(Ordinal ordinal) {
  const auto [at, added] = index_.try_emplace(ordinal, static_cast<uint32_t>(ordinals_.size()));
  if (added) {
    parents_.push_back(at->second);
    ordinals_.push_back(ordinal);
  }
  return at->second;
}

uint32_t Components::find(uint32_t index) {
  while (parents_[index] != index) {
    parents_[index] = parents_[parents_[index]];
    index = parents_[index];
  }
  return index;
}

// The root is the document that comes first, so components are the same in whatever order pairs
// come.
void Components::join(Ordinal a, Ordinal b) {
  const uint32_t x = find(index_of(a)), y = find(index_of(b));
  if (x == y) return;
  if (ordinals_[x] < ordinals_[y])
    parents_[y] = x;
  else
    parents_[x] = y;
}

std::vector<Components::Member> Components::members() {
  std::vector<Member> members;
  for (uint32_t i = 0; i < ordinals_.size(); ++i)
    members.push_back({ordinals_[i], ordinals_[find(i)]});
  std::sort(members.begin(), members.end(),
            [](const Member& a, const Member& b) { return a.document < b.document; });
  return members;
}

void DuplicateMap::add(Ordinal document, std::string_view kept) {
  const auto [at, added] =
      numbers_.try_emplace(std::string(kept), static_cast<uint32_t>(ids_.size()));
  if (added) ids_.emplace_back(kept);
  kept_[document] = at->second;
}

const std::string* DuplicateMap::find(Ordinal document) const {
  const auto found = kept_.find(document);
  return found == kept_.end() ? nullptr : &ids_[found->second];
}

Result<DuplicateMap> match_duplicates(const RunFolder& folder, Peers& peers,
                                      const MatchOptions& options, ThreadPool& pool) {
  Components components;
  for (size_t key = 0; key < options.keys; ++key) {
    PONDER_TRY(match_key(folder, peers, options, key, components, pool));
    if (options.progress &&
        !options.progress(
            {.what = "comparing", .done = key + 1, .total = options.keys, .unit = "bands"}))
      return Failure{{.what = "stopped"}};
  }
  const auto members = components.members();
  const auto ids = PONDER_TRY(member_ids(folder, peers, members));
  const auto id_of = [&](Ordinal ordinal) -> const std::string& {
    static const std::string kNone;
    const auto found = ids.find(ordinal);
    return found == ids.end() ? kNone : found->second;
  };
  std::unordered_map<Ordinal, Ordinal> kept;  // root → the one that stays
  for (const auto& [document, root] : members) {
    const auto [at, added] = kept.try_emplace(root, document);
    if (!added && id_less(id_of(document), id_of(at->second))) at->second = document;
  }
  DuplicateMap duplicates;
  for (const auto& [document, root] : members)
    if (kept[root] != document) duplicates.add(document, id_of(kept[root]));
  return duplicates;
}

}  // namespace ponder
