// Lists of unwanted domains, addresses and words in addresses.
#include <algorithm>
#include <unordered_set>

#include "base/file.hpp"
#include "data/rules/filters.hpp"
#include "data/text/site.hpp"

namespace ponder {
namespace {

constexpr uint64_t kLongestList = 1ull << 30;  // bytes

using Strings = std::unordered_set<std::string>;

// One entry a line; # begins a remark.
Result<void> read_lists(const std::vector<std::string>& files, Strings& entries) {
  for (const std::string& file : files) {
    const std::string text = PONDER_TRY(read_file(file, kLongestList));
    std::vector<TextSpan> lines;
    plain_lines(text, lines);
    for (const TextSpan& line : lines) {
      const std::string_view entry = stripped(line.of(text));
      if (!entry.empty() && entry[0] != '#') entries.insert(lowered(entry));
    }
  }
  return {};
}

class Url : public TextFilter {
 public:
  enum List { kDomains, kUrls, kWords, kSoftWords };
  enum Test { kDomain, kUrl, kHardWord, kSoftWord };

  Url() : TextFilter("url") {
    numbers_ = {{"max_listed", 0, "largest number of hits in a list"},
                {"max_soft_words", 1, "largest number of different words of soft_words"}};
    lists_ = {{"domains", {}, "files of domains, one a line; their subdomains count too"},
              {"urls", {}, "files of whole addresses"},
              {"words", {}, "files of words that no address may hold"},
              {"soft_words", {}, "files of words of which an address may hold some"}};
    rules_ = {{"url_domain", 0, FilterRule::kAbove},
              {"url_listed", 0, FilterRule::kAbove},
              {"url_word", 0, FilterRule::kAbove},
              {"url_soft_words", 1, FilterRule::kAbove}};
  }

  Result<void> prepare() override {
    for (int i = 0; i < 4; ++i) PONDER_TRY(read_lists(list(i), entries_[i]));
    return {};
  }

  void check(Document& document, FilterScratch&, Measures& measures) const override {
    const std::string url = lowered(document.url);
    std::string host = site_of(url);
    double domains = 0;
    while (!host.empty()) {
      domains += static_cast<double>(entries_[kDomains].count(host));
      const size_t dot = host.find('.');
      host = dot == host.npos ? "" : host.substr(dot + 1);
    }
    if (measures.take(*this, kDomain, domains)) return;
    if (measures.take(*this, kUrl, static_cast<double>(entries_[kUrls].count(url)))) return;
    double words = 0;
    Strings soft;
    for (size_t at = 0; at < url.size();) {
      size_t end = at;
      while (end < url.size() && std::isalnum(static_cast<uint8_t>(url[end]))) ++end;
      const std::string word = url.substr(at, end - at);
      words += static_cast<double>(entries_[kWords].count(word));
      if (entries_[kSoftWords].contains(word)) soft.insert(word);
      at = end + 1;
    }
    if (measures.take(*this, kHardWord, words)) return;
    measures.take(*this, kSoftWord, static_cast<double>(soft.size()));
  }

 private:
  Strings entries_[4];
};

}  // namespace

std::unique_ptr<TextFilter> make_url() { return std::make_unique<Url>(); }

}  // namespace ponder
