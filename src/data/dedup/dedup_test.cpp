#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "base/rng.hpp"
#include "data/dedup/dedup.hpp"
#include "data/dedup/duplicates_map.hpp"
#include "data/dedup/minhash.hpp"
#include "data/dedup/spill_sorter.hpp"
#include "data/dedup/substrings.hpp"
#include "testing/temp_folder.hpp"

namespace ponder {
namespace {

TEST(MinHash, KernelsGiveTheSameBits) {
  Rng rng(3);
  std::vector<uint64_t> shingles(137);
  for (uint64_t& shingle : shingles) shingle = rng.next_u64();
  const MinHashOptions options{.bands = 9, .rows = 7};
  const auto expected = MinHash(options, Isa::kRef).band_keys(shingles);
  EXPECT_EQ(expected.size(), 9u);
  for (const Isa isa : available_isas())
    EXPECT_EQ(MinHash(options, isa).band_keys(shingles), expected) << isa_name(isa);
}

// Two sets of n shingles of which so many are common have the wanted Jaccard similarity.
TEST(MinHash, FindsPairsAsOftenAsTheFormulaSays) {
  const MinHash minhash({}, available_isas().back());
  Rng rng(11);
  for (const double similarity : {0.70, 0.75, 0.80, 0.85}) {
    const int pairs = 2000, size = 300;
    const int common = static_cast<int>(std::lround(2 * size * similarity / (1 + similarity)));
    int found = 0;
    for (int pair = 0; pair < pairs; ++pair) {
      std::vector<uint64_t> a(size);
      for (uint64_t& shingle : a) shingle = rng.next_u64();
      std::vector<uint64_t> b = a;
      for (int i = common; i < size; ++i) b[static_cast<size_t>(i)] = rng.next_u64();
      const auto x = minhash.band_keys(a), y = minhash.band_keys(b);
      bool shared = false;
      for (size_t band = 0; band < x.size(); ++band) shared = shared || x[band] == y[band];
      found += shared;
    }
    const double real = static_cast<double>(common) / (2 * size - common);
    const double expected = 1 - std::pow(1 - std::pow(real, 8), 14);
    const double error = std::sqrt(expected * (1 - expected) / pairs);
    EXPECT_NEAR(found / static_cast<double>(pairs), expected, 4 * error) << similarity;
  }
}

TEST(Components, LeastDocumentIsTheRootWhateverTheOrder) {
  for (int order = 0; order < 2; ++order) {
    Components components;
    std::vector<std::pair<Ordinal, Ordinal>> pairs = {{9, 4}, {7, 9}, {1, 2}, {4, 3}};
    if (order == 1) std::reverse(pairs.begin(), pairs.end());
    for (const auto& [a, b] : pairs) components.join(a, b);
    std::vector<std::pair<Ordinal, Ordinal>> found;
    for (const auto& member : components.members())
      found.emplace_back(member.document, member.root);
    EXPECT_EQ(found, (std::vector<std::pair<Ordinal, Ordinal>>{
                         {1, 1}, {2, 1}, {3, 3}, {4, 3}, {7, 3}, {9, 3}}));
  }
}

// The whole of near-deduplication against comparing every band of every pair.
TEST(Deduplicate, ComponentsAreThoseOfBruteForce) {
  Rng rng(21);
  std::vector<std::string> texts;
  for (int i = 0; i < 400; ++i) {
    std::string text;
    if (i % 3 == 0 || texts.empty()) {
      for (int word = 0; word < 60; ++word)
        text += "w" + std::to_string(rng.next_below(1000)) + " ";
    } else {  // an earlier one with some words changed
      text = texts[rng.next_below(texts.size())];
      for (uint64_t changes = rng.next_below(4); changes > 0; --changes)
        text[rng.next_below(text.size())] = 'x';
    }
    texts.push_back(text);
  }
  const testing::TempFolder folder;
  std::string lines;
  for (size_t i = 0; i < texts.size(); ++i)
    lines += "{\"id\": " + std::to_string(i) + ", \"text\": " + json_string(texts[i]) + "}\n";
  InputOptions input;
  input.paths = {folder.write("in.jsonl", lines).string()};
  DedupOptions options;
  options.kind = DedupKind::kNear;
  options.memory = 1 << 24;
  StepRun run;
  run.folder = (folder.path() / "out").string();
  run.settings = dedup_settings(options);
  ThreadPool pool(2);
  const auto peers = make_peers({}, folder.path(), nullptr);
  ASSERT_TRUE(peers.ok());
  const auto inputs = find_inputs(input);
  ASSERT_TRUE(inputs.ok());
  const auto tally = deduplicate(options, input, inputs.value(), run, *peers.value(), pool);
  ASSERT_TRUE(tally.ok()) << tally.error().message();

  const MinHash minhash(options.near, Isa::kRef);
  std::vector<std::vector<uint64_t>> keys;
  std::vector<size_t> root(texts.size());
  for (size_t i = 0; i < texts.size(); ++i) {
    keys.push_back(minhash.band_keys(minhash.shingles(normal_words(texts[i]))));
    root[i] = i;
  }
  for (bool moved = true; moved;) {
    moved = false;
    for (size_t a = 0; a < texts.size(); ++a)
      for (size_t b = 0; b < a; ++b)
        for (size_t band = 0; band < keys[a].size(); ++band)
          if (keys[a][band] == keys[b][band] && root[a] != root[b]) {
            root[a] = root[b] = std::min(root[a], root[b]);
            moved = true;
          }
  }
  std::string expected;
  for (size_t i = 0; i < texts.size(); ++i)
    if (root[i] != i)
      expected += "{\"id\": \"" + std::to_string(i) +
                  "\", \"rule\": \"near_duplicate\", \"duplicate_of\": \"" +
                  std::to_string(root[i]) + "\"}\n";
  EXPECT_GT(tally.value().removed, 100u);
  EXPECT_EQ(read_file(folder.path() / "out/removed.jsonl", 1 << 24).value(), expected);
}

using Words = std::vector<std::string>;

// Which words stay, by a search of every pair of places, as a suffix array would find them: the
// longest common run of words at two places, if it has at least `length` words, repeats at the
// later place; of runs of `length` words the very first stays whole.
class RepeatedByBruteForce {
 public:
  RepeatedByBruteForce(const std::vector<Words>& texts, size_t length)
      : texts_(texts), length_(length) {
    for (size_t text = 0; text < texts.size(); ++text)
      for (size_t word = 0; word < texts[text].size(); ++word) places_.push_back({text, word});
    for (const Words& words : texts) {
      later_.emplace_back(words.size(), 0);
      first_.emplace_back(words.size(), 0);
    }
    for (size_t b = 0; b < places_.size(); ++b)
      for (size_t a = 0; a < b; ++a) compare(places_[a], places_[b]);
  }
  bool stays(size_t text, size_t word) const {
    return later_[text][word] == 0 || first_[text][word] != 0;
  }

 private:
  struct At {
    size_t text, word;
  };
  size_t common(const At& a, const At& b) const {
    size_t n = 0;
    while (a.word + n < texts_[a.text].size() && b.word + n < texts_[b.text].size() &&
           texts_[a.text][a.word + n] == texts_[b.text][b.word + n])
      ++n;
    return n;
  }
  bool occurs_before(const At& window) const {
    for (const At& place : places_) {
      if (place.text == window.text && place.word == window.word) return false;
      if (common(place, window) >= length_) return true;
    }
    return false;
  }
  void compare(const At& a, const At& b) {
    const size_t n = common(a, b);
    if (n < length_) return;
    for (size_t i = 0; i < n; ++i) later_[b.text][b.word + i] = 1;
    for (size_t i = 0; i + length_ <= n; ++i) {
      const At window = {a.text, a.word + i};
      for (size_t w = 0; w < length_ && !occurs_before(window); ++w)
        first_[window.text][window.word + w] = 1;
    }
  }

  const std::vector<Words>& texts_;
  size_t length_;
  std::vector<At> places_;
  std::vector<std::vector<char>> later_, first_;
};

// The words that substring deduplication leaves of each text, without those of which nothing is
// left.
std::vector<std::string> left_by_deduplication(const std::vector<std::string>& texts,
                                               size_t length) {
  std::string lines;
  for (size_t i = 0; i < texts.size(); ++i)
    lines += "{\"id\": " + std::to_string(i) + ", \"text\": " + json_string(texts[i]) + "}\n";
  const testing::TempFolder folder;
  InputOptions input;
  input.paths = {folder.write("in.jsonl", lines).string()};
  DedupOptions options;
  options.kind = DedupKind::kSubstring;
  options.words = static_cast<int>(length);
  StepRun run;
  run.folder = (folder.path() / "out").string();
  run.settings = dedup_settings(options);
  ThreadPool pool(2);
  const auto peers = make_peers({}, folder.path(), nullptr);
  const auto inputs = find_inputs(input);
  const auto tally = deduplicate(options, input, inputs.value(), run, *peers.value(), pool);
  EXPECT_TRUE(tally.ok());
  RecordReader reader = RecordReader::open(folder.path() / "out/part-00000.jsonl",
                                           RecordFormat::kJsonLines, 1 << 20, {})
                            .value();
  Record record;
  DocumentParser parser;
  std::vector<std::string> left;
  while (reader.next(record).value()) {
    Document document;
    document.record.assign(record.bytes);
    EXPECT_EQ(parser.parse({}, "f", document), "");
    std::string words;
    for (const NormalWord& word : exact_words(document.text))
      words += document.text.substr(word.begin, word.end - word.begin) + " ";
    if (!words.empty()) left.push_back(words);
  }
  return left;
}

// Words of a small alphabet, so that repeated passages overlap, nest, and repeat in one document.
TEST(Deduplicate, RepeatedPassagesAreThoseOfBruteForce) {
  constexpr size_t kLength = 5;
  for (const uint64_t alphabet : {2u, 3u, 8u}) {
    Rng rng(31 + alphabet);
    std::vector<Words> texts(20);
    for (Words& words : texts)
      for (uint64_t count = rng.next_below(50); count > 0; --count)
        words.push_back("w" + std::to_string(rng.next_below(alphabet)));
    texts.emplace_back(30, "same");
    texts.push_back(texts[0]);
    const RepeatedByBruteForce brute(texts, kLength);
    std::vector<std::string> whole, expected;
    for (size_t text = 0; text < texts.size(); ++text) {
      std::string all, left;
      for (size_t word = 0; word < texts[text].size(); ++word) {
        all += texts[text][word] + " ";
        if (brute.stays(text, word)) left += texts[text][word] + " ";
      }
      whole.push_back(all);
      if (!left.empty()) expected.push_back(left);
    }
    EXPECT_NE(whole, expected);
    EXPECT_EQ(left_by_deduplication(whole, kLength), expected) << alphabet;
  }
}

// Sorts `count` random numbers; how many files they were in.
size_t sort_numbers(int count, uint64_t memory, int threads) {
  const testing::TempFolder folder;
  ThreadPool pool(threads);
  SpillSorter<uint64_t> sorter(folder.path(), "test", memory, pool);
  Rng rng(1);
  std::vector<uint64_t> expected, sorted;
  for (int i = 0; i < count; ++i) {
    expected.push_back(rng.next_below(static_cast<uint64_t>(count) / 2));
    EXPECT_TRUE(sorter.add(expected.back()).ok());
  }
  EXPECT_TRUE(sorter.for_each([&](uint64_t value) { sorted.push_back(value); }).ok());
  std::sort(expected.begin(), expected.end());
  EXPECT_TRUE(sorted == expected) << count << " numbers, " << threads << " threads";
  return sorter.runs();
}

TEST(SpillSorter, SortsMoreThanFits) {
  EXPECT_EQ(sort_numbers(0, 0, 1), 0u);
  EXPECT_EQ(sort_numbers(1000, 0, 1), 0u);
  EXPECT_EQ(sort_numbers(10'000, 0, 1), 10u);  // the least memory is for 1024 records
  EXPECT_EQ(sort_numbers(300'000, 1 << 30, 3), 0u);
  EXPECT_EQ(sort_numbers(600'000, 200'000 * sizeof(uint64_t), 3), 9u);
}

// A process may have 1024 files open.
TEST(SpillSorter, NeverMergesThousandsOfFiles) { EXPECT_LT(sort_numbers(200'000, 0, 2), 64u); }

TEST(Substrings, CutRepeatedWordsOnly) {
  const std::string text = "a b c d e f\ng h";
  const auto words = exact_words(text);
  ASSERT_EQ(words.size(), 8u);
  const auto cut = [&](std::vector<WindowRun> runs) {
    return without_repeated(text, words, runs, 3);
  };
  EXPECT_EQ(cut({}), text);
  EXPECT_EQ(cut({{0, 1, 2, false}}), "a f\ng h");
  EXPECT_EQ(cut({{0, 0, 1, false}}), "d e f\ng h");
  EXPECT_EQ(cut({{0, 5, 1, false}}), "a b c d e ");
  EXPECT_EQ(cut({{0, 1, 1, false}, {0, 2, 1, true}}), "a c d e f\ng h");  // an original stays whole
}

TEST(Notes, DamageIsAnError) {
  const testing::TempFolder folder;
  std::string notes;
  append_note(notes, 3, "id", "payload");
  ASSERT_TRUE(write_file(folder.path() / "n", notes).ok());
  NotesReader reader = NotesReader::open(folder.path() / "n").value();
  Note note;
  ASSERT_TRUE(reader.next(note).value());
  EXPECT_EQ(note.number, 3u);
  EXPECT_EQ(note.id, "id");
  EXPECT_EQ(note.payload, "payload");
  EXPECT_FALSE(reader.next(note).value());
  for (size_t size = 1; size < notes.size(); ++size) {
    ASSERT_TRUE(write_file(folder.path() / "n", notes.substr(0, size)).ok());
    NotesReader broken = NotesReader::open(folder.path() / "n").value();
    EXPECT_FALSE(broken.next(note).ok()) << size;
  }
}

}  // namespace
}  // namespace ponder
