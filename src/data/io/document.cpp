#include "data/io/document.hpp"

#include <simdjson.h>

#include <algorithm>
#include <cstring>

#include "base/check.hpp"
#include "io/printable.hpp"

namespace ponder {
namespace {

using simdjson::dom::element;

bool is_valid_utf8(std::string_view text) {
  return simdjson::validate_utf8(text.data(), text.size());
}

// The value that a dotted name leads to.
bool find_value(const element& root, std::string_view name, element& value) {
  value = root;
  while (true) {
    const size_t dot = name.find('.');
    element next;
    if (value[name.substr(0, dot)].get(next) != simdjson::SUCCESS) return false;
    value = next;
    if (dot == name.npos) return true;
    name.remove_prefix(dot + 1);
  }
}

// Behind the JSON string that begins at `at`; the record is known to be valid.
size_t string_end(std::string_view record, size_t at) {
  for (++at; record[at] != '"'; ++at)
    if (record[at] == '\\') ++at;
  return at + 1;
}

size_t value_end(std::string_view record, size_t at) {
  if (record[at] == '"') return string_end(record, at);
  if (record[at] != '{' && record[at] != '[') return record.find_first_of(",}] \t\r\n", at);
  int depth = 0;
  do {
    const char c = record[at];
    if (c == '"') {
      at = string_end(record, at);
      continue;
    }
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    ++at;
  } while (depth > 0);
  return at;
}

struct Place {
  size_t begin = 0, end = 0;  // end = 0: not found
};

// What a JSON string of a valid record, with its quotes, says.
std::string unescaped(std::string_view quoted) {
  if (quoted.find('\\') == quoted.npos) return std::string(quoted.substr(1, quoted.size() - 2));
  simdjson::dom::parser parser;
  std::string_view text;
  if (parser.parse(simdjson::padded_string(quoted)).get(text) != simdjson::SUCCESS) return {};
  return std::string(text);
}

// Where the value of a dotted name stands in a record of valid JSON. The first of equal names, as
// the parser takes it.
Place value_place(std::string_view record, std::string_view name, bool dotted = true) {
  const auto skip_space = [&](size_t at) {
    return std::min(record.find_first_not_of(" \t\r\n", at), record.size());
  };
  const size_t dot = dotted ? name.find('.') : name.npos;
  const std::string_view key = name.substr(0, dot);
  size_t at = skip_space(0);
  if (at >= record.size() || record[at] != '{') return {};
  for (at = skip_space(at + 1); at < record.size() && record[at] == '"'; at = skip_space(at + 1)) {
    const size_t key_end = string_end(record, at);
    const std::string found = unescaped(record.substr(at, key_end - at));
    const size_t begin = skip_space(skip_space(key_end) + 1);
    const size_t end = value_end(record, begin);
    if (found == key) {
      if (dot == name.npos) return {begin, end};
      const Place inner = value_place(record.substr(begin, end - begin), name.substr(dot + 1));
      return inner.end == 0 ? inner : Place{begin + inner.begin, begin + inner.end};
    }
    at = skip_space(end);
    if (at >= record.size() || record[at] != ',') break;
  }
  return {};
}

std::string made_id(std::string_view origin, uint64_t number) {
  return std::string(origin) + ":" + std::to_string(number);
}

constexpr std::string_view kDigits = "0123456789";

}  // namespace

struct DocumentParser::State {
  simdjson::dom::parser parser;
  element root;
};

DocumentParser::DocumentParser() : state_(std::make_unique<State>()) {}
DocumentParser::~DocumentParser() = default;
DocumentParser::DocumentParser(DocumentParser&&) noexcept = default;

std::string DocumentParser::parse(const FieldNames& fields, std::string_view origin,
                                  Document& document) {
  std::string& record = document.record;
  record.reserve(record.size() + simdjson::SIMDJSON_PADDING);
  const auto error = state_->parser.parse(record.data(), record.size(), false).get(state_->root);
  if (error == simdjson::UTF8_ERROR) return "the line is not UTF-8";
  if (error != simdjson::SUCCESS)
    return std::string("the line is no JSON: ") + simdjson::error_message(error);
  if (!state_->root.is_object()) return "the line is no JSON object";
  element value;
  if (!find_value(state_->root, fields.text, value))
    return "there is no field " + printable(fields.text);
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS)
    return "the field " + printable(fields.text) + " is no string";
  document.text.assign(text);
  document.has_id = false;
  if (find_value(state_->root, fields.id, value)) {
    int64_t number;
    uint64_t large;
    if (value.get(text) == simdjson::SUCCESS) {
      document.id.assign(text);
      document.has_id = true;
    } else if (value.get(number) == simdjson::SUCCESS) {
      document.id = std::to_string(number);
      document.has_id = true;
    } else if (value.get(large) == simdjson::SUCCESS) {
      document.id = std::to_string(large);
      document.has_id = true;
    }
  }
  if (!document.has_id) document.id = made_id(origin, document.number);
  document.url.clear();
  if (find_value(state_->root, fields.url, value) && value.get(text) == simdjson::SUCCESS)
    document.url.assign(text);
  return {};
}

std::string DocumentParser::field(std::string_view name) const {
  element value;
  if (!find_value(state_->root, name, value)) return {};
  return simdjson::minify(value);
}

std::string document_of_text(std::string_view text, std::string_view origin,
                             const FieldNames& fields, Document& document) {
  if (!is_valid_utf8(text)) return "the text is not UTF-8";
  document.text.assign(text);
  document.id = made_id(origin, document.number);
  document.url.clear();
  document.record.clear();
  document.record += "{";
  append_json_string(document.record, fields.id);
  document.record += ": ";
  append_json_string(document.record, document.id);
  document.record += ", ";
  append_json_string(document.record, fields.text);
  document.record += ": ";
  append_json_string(document.record, text);
  document.record += "}";
  return {};
}

std::string output_record(const Document& document, const FieldNames& fields) {
  const std::string& record = document.record;
  if (!document.text_changed && document.added.empty()) return record;
  std::string out;
  out.reserve(record.size() + 64);
  size_t from = 0;
  if (document.text_changed) {
    Place place = value_place(record, fields.text);
    if (place.end == 0) place = value_place(record, fields.text, false);  // of document_of_text()
    PONDER_CHECK(place.end > 0);  // or the text would leave as it came
    out.append(record, 0, place.begin);
    append_json_string(out, document.text);
    from = place.end;
  }
  const size_t brace = record.rfind('}');
  out.append(record, from, brace - from);
  for (const auto& [name, value] : document.added) {
    const size_t last = out.find_last_not_of(" \t");
    out += last != out.npos && out[last] == '{' ? "" : ", ";
    append_json_string(out, name);
    out += ": " + value;
  }
  return out + "}";
}

void append_json_string(std::string& out, std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  size_t from = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<uint8_t>(text[at]);
    if (byte >= 0x20 && byte != '"' && byte != '\\') continue;
    out.append(text, from, at - from);
    from = at + 1;
    out += '\\';
    switch (byte) {
      case '"':
      case '\\':
        out += static_cast<char>(byte);
        break;
      case '\n':
        out += 'n';
        break;
      case '\r':
        out += 'r';
        break;
      case '\t':
        out += 't';
        break;
      default:
        out += {'u', '0', '0', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  out.append(text, from, text.size() - from);
  out += '"';
}

std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

bool id_less(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    const size_t digits_a = std::min(a.find_first_not_of(kDigits), a.size());
    const size_t digits_b = std::min(b.find_first_not_of(kDigits), b.size());
    if (digits_a == 0 || digits_b == 0) {
      if (a[0] != b[0]) return static_cast<uint8_t>(a[0]) < static_cast<uint8_t>(b[0]);
      a.remove_prefix(1);
      b.remove_prefix(1);
      continue;
    }
    const auto number = [](std::string_view run) {
      return run.substr(std::min(run.find_first_not_of('0'), run.size()));
    };
    const std::string_view x = number(a.substr(0, digits_a)), y = number(b.substr(0, digits_b));
    if (x.size() != y.size()) return x.size() < y.size();
    if (x != y) return x < y;
    if (digits_a != digits_b) return digits_a < digits_b;
    a.remove_prefix(digits_a);
    b.remove_prefix(digits_b);
  }
  return a.size() < b.size();
}

}  // namespace ponder
