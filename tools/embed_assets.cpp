// Writes the C++ file that holds the web pages. Run while building:
//
//   embed_assets OUTPUT.cpp HEADERS MANIFEST
//
// HEADERS has a line "Name: value" for each header that every answer carries; MANIFEST a line
// "/path file" for each asset. Any failure ends with a message and status 1.
#include <zlib.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <string_view>

namespace {

[[noreturn]] void fail(const std::string& message) {
  std::fprintf(stderr, "embed_assets: %s\n", message.c_str());
  std::exit(1);
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) fail("cannot read " + path);
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

// The same bytes every time: the gzip header has no name and no time.
std::string gzip(const std::string& bytes) {
  z_stream stream{};
  constexpr int kGzipWindow = 15 + 16;
  if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, kGzipWindow, 9, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    fail("zlib does not start");
  }
  std::string packed(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) fail("zlib does not finish");
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

// FNV-1a: tells two versions of a page apart, nothing more.
std::string etag(std::string_view bytes) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (char c : bytes) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3u;
  char text[32];
  std::snprintf(text, sizeof text, "W/\"%016llx\"", static_cast<unsigned long long>(hash));
  return text;
}

const char* content_type(const std::string& file) {
  static const std::map<std::string, const char*> kTypes = {
      {"html", "text/html; charset=utf-8"},
      {"css", "text/css; charset=utf-8"},
      {"js", "text/javascript; charset=utf-8"},
      {"svg", "image/svg+xml"},
      {"woff2", "font/woff2"},
  };
  auto type = kTypes.find(file.substr(file.rfind('.') + 1));
  if (type == kTypes.end()) fail("no content type is known for " + file);
  return type->second;
}

// A C++ string literal, in pieces that a compiler likes. Octal escapes of three digits end by
// themselves; '?' could begin a trigraph.
void write_literal(std::ostream& out, std::string_view bytes) {
  constexpr size_t kPiece = 2000;
  out << '"';
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i % kPiece == kPiece - 1) out << "\"\n\"";
    auto c = static_cast<unsigned char>(bytes[i]);
    if (c >= 32 && c < 127 && c != '"' && c != '\\' && c != '?') {
      out << static_cast<char>(c);
    } else {
      char escape[5];
      std::snprintf(escape, sizeof escape, "\\%03o", c);
      out << escape;
    }
  }
  out << "\"sv";
}

void write_headers(std::ostream& out, const std::string& text) {
  out << "constexpr AssetHeader kHeaders[] = {\n";
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    size_t colon = line.find(": ");
    if (colon == std::string::npos) fail("not a header: " + line);
    out << "{";
    write_literal(out, std::string_view(line).substr(0, colon));
    out << ", ";
    write_literal(out, std::string_view(line).substr(colon + 2));
    out << "},\n";
  }
  out << "};\n";
}

void write_assets(std::ostream& out, const std::string& manifest) {
  std::map<std::string, std::string> files;  // by path, in the order of binary search
  std::istringstream lines(manifest);
  for (std::string path, file; lines >> path >> file;) {
    if (!files.emplace(path, file).second) fail("twice in the manifest: " + path);
  }
  out << "constexpr EmbeddedAsset kAssets[] = {\n";
  for (const auto& [path, file] : files) {
    std::string bytes = read_file(file);
    std::string packed = gzip(bytes);
    if (packed.size() >= bytes.size()) packed.clear();
    std::string tag = etag(bytes);
    out << '{';
    for (std::string_view text : {std::string_view(path), std::string_view(content_type(file)),
                                  std::string_view(bytes), std::string_view(packed)}) {
      write_literal(out, text);
      out << ",\n ";
    }
    write_literal(out, tag);
    out << "},\n";
  }
  out << "};\n";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) fail("usage: embed_assets OUTPUT.cpp HEADERS MANIFEST");
  std::ofstream out(argv[1], std::ios::binary);
  out << "// Made by tools/embed_assets.cpp from web/.\n"
         "#include \"serve/web/web_assets.hpp\"\n\n"
         "namespace ponder {\n\nnamespace {\n\nusing namespace std::string_view_literals;\n\n";
  write_headers(out, read_file(argv[2]));
  write_assets(out, read_file(argv[3]));
  out << "\n}  // namespace\n\n"
         "std::span<const EmbeddedAsset> embedded_assets() { return kAssets; }\n"
         "std::span<const AssetHeader> asset_headers() { return kHeaders; }\n\n"
         "}  // namespace ponder\n";
  out.close();
  if (!out) fail(std::string("cannot write ") + argv[1]);
}
