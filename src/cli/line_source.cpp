#include "cli/line_source.hpp"

#include <histedit.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <vector>

#include "cli/interrupt.hpp"
#include "cli/terminal.hpp"

namespace ponder {
namespace {

constexpr int kHistoryLines = 1000;
constexpr size_t kLineLimit = 64u << 20;

class PlainSource : public LineSource {
 public:
  Line read(const std::string&) override {
    while (true) {
      const size_t end = buffer_.find('\n', searched_);
      if (end != std::string::npos || closed_) return take(end);
      searched_ = buffer_.size();
      char block[4096];
      const ssize_t count = ::read(STDIN_FILENO, block, sizeof block);
      if (stop_flag()) return {.status = LineStatus::kInterrupted, .text = {}};
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0 || buffer_.size() > kLineLimit) closed_ = true;
      if (count > 0) buffer_.append(block, static_cast<size_t>(count));
    }
  }
  bool interactive() const override { return false; }

 private:
  Line take(size_t end) {
    if (end == std::string::npos && buffer_.empty())
      return {.status = LineStatus::kEnd, .text = {}};
    Line line{.status = LineStatus::kLine, .text = buffer_.substr(0, end)};
    buffer_.erase(0, end == std::string::npos ? end : end + 1);
    searched_ = 0;
    if (line.text.ends_with('\r')) line.text.pop_back();
    return line;
  }

  std::string buffer_;
  size_t searched_ = 0;  // no line feed before it
  bool closed_ = false;
};

// Reads a bracketed paste up to its end mark, so that line feeds in it do not send the message
// (https://invisible-island.net/xterm/xterm-paste64.html).
unsigned char insert_paste(EditLine* editor, int) {
  constexpr std::wstring_view kEnd = L"\033[201~";
  std::wstring text;
  wchar_t c = 0;
  while (text.size() < kLineLimit && el_wgetc(editor, &c) == 1) {
    text += c == L'\r' ? L'\n' : c;
    if (!text.ends_with(kEnd)) continue;
    text.resize(text.size() - kEnd.size());
    break;
  }
  std::erase_if(text, [](wchar_t w) { return w < L' ' && w != L'\n' && w != L'\t'; });
  while (text.ends_with(L'\n')) text.pop_back();
  if (!text.empty() && el_winsertstr(editor, text.c_str()) != 0) return CC_ERROR;
  return CC_REFRESH;
}

class EditedSource : public LineSource {
 public:
  explicit EditedSource(std::filesystem::path file)
      : file_(std::move(file)),
        editor_(el_init("ponder", stdin, stdout, stderr)),
        history_(history_init()) {
    HistEvent event;
    history(history_, &event, H_SETSIZE, kHistoryLines);
    history(history_, &event, H_SETUNIQUE, 1);
    if (!file_.empty()) history(history_, &event, H_LOAD, file_.c_str());
    el_set(editor_, EL_CLIENTDATA, this);
    el_set(editor_, EL_PROMPT, &EditedSource::prompt);
    el_set(editor_, EL_EDITOR, "emacs");
    el_set(editor_, EL_HIST, history, history_);
    el_set(editor_, EL_BIND, "^R", "em-inc-search-prev", nullptr);
    el_set(editor_, EL_ADDFN, "ponder-paste", "insert a bracketed paste", insert_paste);
    el_set(editor_, EL_BIND, "\\e[200~", "ponder-paste", nullptr);
    el_set(editor_, EL_BIND, "\\e[1~", "ed-move-to-beg", nullptr);
    el_set(editor_, EL_BIND, "\\e[4~", "ed-move-to-end", nullptr);
    el_set(editor_, EL_BIND, "\\e[3~", "ed-delete-next-char", nullptr);
    el_set(editor_, EL_BIND, "\\e[1;5C", "em-next-word", nullptr);
    el_set(editor_, EL_BIND, "\\e[1;5D", "ed-prev-word", nullptr);
  }
  ~EditedSource() override {
    history_end(history_);
    el_end(editor_);
  }
  EditedSource(const EditedSource&) = delete;
  EditedSource& operator=(const EditedSource&) = delete;

  Line read(const std::string& prompt) override {
    prompt_ = prompt;
    el_resize(editor_);
    write_to_terminal("\033[?2004h");
    int count = 0;
    const char* text = el_gets(editor_, &count);
    write_to_terminal("\033[?2004l");
    if (stop_flag()) {
      const LineInfo* begun = el_line(editor_);
      Line line{.status = LineStatus::kInterrupted,
                .text = std::string(begun->buffer, begun->lastchar)};
      el_reset(editor_);
      write_to_terminal("\n");
      return line;
    }
    if (text == nullptr || count <= 0) {
      write_to_terminal("\n");
      return {.status = LineStatus::kEnd, .text = {}};
    }
    Line line{.status = LineStatus::kLine, .text = std::string(text, static_cast<size_t>(count))};
    if (line.text.ends_with('\n')) line.text.pop_back();
    return line;
  }

  void remember(const std::string& message) override {
    HistEvent event;
    history(history_, &event, H_ENTER, message.c_str());
    if (file_.empty()) return;
    // Prompts are private.
    const mode_t mask = ::umask(077);
    history(history_, &event, H_SAVE, file_.c_str());
    ::umask(mask);
  }

  bool interactive() const override { return true; }

 private:
  static char* prompt(EditLine* editor) {
    EditedSource* source = nullptr;
    el_get(editor, EL_CLIENTDATA, &source);
    return source->prompt_.data();
  }
  static void write_to_terminal(std::string_view text) { (void)print(text); }

  std::filesystem::path file_;
  std::string prompt_;
  EditLine* editor_;
  History* history_;
};

}  // namespace

std::unique_ptr<LineSource> open_line_source(const std::filesystem::path& history) {
  if (!is_terminal(STDIN_FILENO) || !is_terminal(STDOUT_FILENO))
    return std::make_unique<PlainSource>();
  std::error_code ignored;
  if (!history.empty()) std::filesystem::create_directories(history.parent_path(), ignored);
  return std::make_unique<EditedSource>(history);
}

}  // namespace ponder
