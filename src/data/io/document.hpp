// A document: a text with a name, and the record of the input that it came from.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace ponder {

// Which fields of a JSON record mean what; a dot leads into an object ("meta.url").
struct FieldNames {
  std::string text = "text";
  std::string id = "id";
  std::string url = "url";
};

struct Document {
  std::string id;      // its field, or "FILE:NUMBER" without one
  std::string text;    // valid UTF-8
  std::string url;     // empty if there is none
  std::string record;  // one line of JSON, as it was read
  uint64_t number = 0;
  uint64_t offset = 0;

  bool has_id = false;
  bool text_changed = false;
  // Further fields that the output gets: names, and values as JSON.
  std::vector<std::pair<std::string, std::string>> added;
};

// Reads records of JSON. Reusable memory: one object a thread.
class DocumentParser {
 public:
  DocumentParser();
  ~DocumentParser();
  DocumentParser(DocumentParser&&) noexcept;

  // From document.record. Empty, or why the record cannot be used. `origin` names the file in the
  // id of a document without one.
  std::string parse(const FieldNames& fields, std::string_view origin, Document& document);
  // A field of the record that parse() read last, as JSON; empty if it is not there.
  std::string field(std::string_view name) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A document made of plain text: its record is JSON with `id` and `text`. Empty, or why the text
// cannot be used.
std::string document_of_text(std::string_view text, std::string_view origin,
                             const FieldNames& fields, Document& document);

// The record for the output, without a line end: as it was read but for the text, if that changed,
// and the fields that were added.
std::string output_record(const Document& document, const FieldNames& fields);

// `text`, valid UTF-8, as a JSON string with its quotes.
void append_json_string(std::string& out, std::string_view text);
std::string json_string(std::string_view text);

// Whether id `a` goes before `b`: runs of digits compare as numbers, all else as bytes.
bool id_less(std::string_view a, std::string_view b);

}  // namespace ponder
