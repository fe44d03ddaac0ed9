#include "eval/run_store.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstring>

namespace ponder {
namespace {

constexpr int kLargestText = 256 << 20;
constexpr int kPatience = 10'000;  // milliseconds, for another process's lock
constexpr int kPause = 100;        // of these, between two looks at it

constexpr const char* kSchema = R"(
CREATE TABLE notes (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE problems (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, task TEXT NOT NULL,
  level INTEGER NOT NULL, prompt TEXT NOT NULL, answer TEXT NOT NULL, extra TEXT NOT NULL,
  contamination TEXT NOT NULL);
CREATE TABLE asked (problem INTEGER, sample INTEGER, PRIMARY KEY (problem, sample));
CREATE TABLE answers (problem INTEGER, sample INTEGER, text TEXT NOT NULL, thoughts TEXT NOT NULL,
  ended TEXT NOT NULL, input INTEGER NOT NULL, cached INTEGER NOT NULL, cache_write INTEGER NOT NULL,
  output INTEGER NOT NULL, reasoning INTEGER NOT NULL, told INTEGER NOT NULL, doubts TEXT NOT NULL,
  served TEXT NOT NULL, seconds REAL NOT NULL, first_seconds REAL NOT NULL, attempts INTEGER NOT NULL,
  lost INTEGER NOT NULL, dollars REAL, PRIMARY KEY (problem, sample));
CREATE TABLE failures (problem INTEGER, sample INTEGER, error TEXT NOT NULL, lost INTEGER NOT NULL,
  PRIMARY KEY (problem, sample));
CREATE TABLE verdicts (problem INTEGER, sample INTEGER, verdict TEXT NOT NULL,
  extracted TEXT NOT NULL, why TEXT NOT NULL, PRIMARY KEY (problem, sample));
CREATE TABLE sessions (id INTEGER PRIMARY KEY, seconds REAL NOT NULL);
)";

std::string json_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<Verdict> find_verdict(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(Verdict::kInfra); ++i)
    if (verdict_name(static_cast<Verdict>(i)) == name) return static_cast<Verdict>(i);
  return std::nullopt;
}

}  // namespace

// One statement, its values bound and read from left to right.
class RunStore::Statement {
 public:
  Statement(RunStore& store, const char* sql) : store_(store) {
    good_ = sqlite3_prepare_v2(store.database_, sql, -1, &statement_, nullptr) == SQLITE_OK;
  }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement() { sqlite3_finalize(statement_); }

  Statement& bind(int64_t value) { return took(sqlite3_bind_int64(statement_, ++bound_, value)); }
  Statement& bind(double value) { return took(sqlite3_bind_double(statement_, ++bound_, value)); }
  Statement& bind(const std::optional<double>& value) {
    return value ? bind(*value) : took(sqlite3_bind_null(statement_, ++bound_));
  }
  Statement& bind(std::string_view value) {
    return took(sqlite3_bind_text64(statement_, ++bound_, value.data(), value.size(),
                                    SQLITE_TRANSIENT, SQLITE_UTF8));
  }
  Statement& bind(SampleKey key) { return bind(key.problem).bind(key.sample); }

  // Whether there is another row.
  Result<bool> step() {
    if (!good_) return store_.failure();
    column_ = 0;
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    return store_.failure();
  }
  Result<void> run() {
    while (PONDER_TRY(step())) {
    }
    return {};
  }

  int64_t integer() { return sqlite3_column_int64(statement_, column_++); }
  double number() { return sqlite3_column_double(statement_, column_++); }
  std::optional<double> number_or_null() {
    if (sqlite3_column_type(statement_, column_) != SQLITE_NULL) return number();
    ++column_;
    return std::nullopt;
  }
  bool is_null() const { return sqlite3_column_type(statement_, column_) == SQLITE_NULL; }
  std::string text() {
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column_));
    const auto size = static_cast<size_t>(sqlite3_column_bytes(statement_, column_++));
    return bytes == nullptr ? std::string() : std::string(bytes, size);
  }
  SampleKey key() {
    const int64_t problem = integer();
    return {problem, integer()};
  }

 private:
  Statement& took(int code) {
    good_ = good_ && code == SQLITE_OK;
    return *this;
  }

  RunStore& store_;
  sqlite3_stmt* statement_ = nullptr;
  bool good_ = false;
  int bound_ = 0, column_ = 0;
};

Failure RunStore::failure() const {
  const int code = sqlite3_errcode(database_);
  return Failure{{.what = sqlite3_errmsg(database_),
                  .where = file_.string(),
                  .mend = code == SQLITE_FULL     ? "make room on the disk, then --resume"
                          : code == SQLITE_NOTADB ? "this is no file of a run"
                                                  : ""}};
}

Result<void> RunStore::execute(const char* sql) {
  if (sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return failure();
  return {};
}

Result<std::unique_ptr<RunStore>> RunStore::connect(const std::filesystem::path& folder, int flags,
                                                    bool lock) {
  auto store = std::unique_ptr<RunStore>(new RunStore);
  store->file_ = folder / "run.sqlite";
  if (lock) {
    const auto path = folder / "run.lock";
    store->lock_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (store->lock_ < 0) return Failure{{.what = std::strerror(errno), .where = path.string()}};
    if (::flock(store->lock_, LOCK_EX | LOCK_NB) != 0)
      return Failure{{.what = "another process is working on this run",
                      .where = folder.string(),
                      .mend = "wait for it, or choose another --out"}};
  }
  if (sqlite3_open_v2(store->file_.c_str(), &store->database_, flags, nullptr) != SQLITE_OK)
    return store->failure();
  sqlite3_limit(store->database_, SQLITE_LIMIT_LENGTH, kLargestText);
  sqlite3_busy_timeout(store->database_, kPatience);
  PONDER_TRY(store->execute("PRAGMA trusted_schema = OFF; PRAGMA synchronous = FULL;"));
  return store;
}

bool RunStore::exists(const std::filesystem::path& folder) {
  std::error_code ignored;
  return std::filesystem::exists(folder / "run.sqlite", ignored);
}

Result<std::unique_ptr<RunStore>> RunStore::create(const std::filesystem::path& folder) {
  std::error_code code;
  std::filesystem::create_directories(folder, code);
  if (code) return Failure{{.what = code.message(), .where = folder.string()}};
  if (exists(folder))
    return Failure{{.what = "there is a run already",
                    .where = folder.string(),
                    .mend = "--resume goes on with it; or choose another --out"}};
  auto store = PONDER_TRY(connect(folder, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, true));
  PONDER_TRY(store->execute("BEGIN"));
  PONDER_TRY(store->execute(kSchema));
  PONDER_TRY(store->execute("COMMIT"));
  return store;
}

Result<std::unique_ptr<RunStore>> RunStore::open(const std::filesystem::path& folder) {
  if (!exists(folder)) return read(folder);
  return connect(folder, SQLITE_OPEN_READWRITE, true);
}

Result<std::unique_ptr<RunStore>> RunStore::read(const std::filesystem::path& folder) {
  if (!exists(folder))
    return Failure{{.what = "holds no run",
                    .where = folder.string(),
                    .mend = "`ponder eval run --out` names the folder that it fills"}};
  return connect(folder, SQLITE_OPEN_READONLY, false);
}

Result<std::unique_ptr<RunStore>> RunStore::copy(const std::filesystem::path& folder) {
  auto made = PONDER_TRY(create(folder));  // to be overwritten, page by page
  const std::lock_guard guard(mutex_);
  sqlite3_backup* backup = sqlite3_backup_init(made->database_, "main", database_, "main");
  if (backup == nullptr) return made->failure();
  int code = SQLITE_BUSY;
  for (int waited = 0; waited < kPatience && (code == SQLITE_BUSY || code == SQLITE_LOCKED);
       waited += kPause) {
    code = sqlite3_backup_step(backup, -1);
    if (code == SQLITE_BUSY || code == SQLITE_LOCKED) sqlite3_sleep(kPause);
  }
  sqlite3_backup_finish(backup);
  if (code != SQLITE_DONE) {
    const std::string why = sqlite3_errstr(code);
    std::error_code ignored;
    std::filesystem::remove(made->file_, ignored);
    return Failure{{.what = "cannot be copied: " + why, .where = file_.string()}};
  }
  return made;
}

RunStore::~RunStore() {
  sqlite3_close(database_);
  if (lock_ >= 0) ::close(lock_);
}

Result<void> RunStore::set_note(const std::string& name, const OrderedJson& value) {
  const std::lock_guard guard(mutex_);
  const std::string text = value.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
  return Statement(*this, "INSERT OR REPLACE INTO notes VALUES (?, ?)")
      .bind(std::string_view(name))
      .bind(std::string_view(text))
      .run();
}

Result<OrderedJson> RunStore::note(const std::string& name) {
  const std::lock_guard guard(mutex_);
  Statement statement(*this, "SELECT value FROM notes WHERE name = ?");
  statement.bind(std::string_view(name));
  if (!PONDER_TRY(statement.step())) return OrderedJson(nullptr);
  return parse_ordered_json(statement.text(), file_.string() + ": " + name);
}

Result<void> RunStore::set_problems(const std::vector<StoredProblem>& problems) {
  const std::lock_guard guard(mutex_);
  PONDER_TRY(execute("BEGIN; DELETE FROM problems;"));
  int64_t number = 0;
  for (const StoredProblem& stored : problems) {
    const Problem& problem = stored.problem;
    Statement insert(*this, "INSERT INTO problems VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    insert.bind(number++).bind(std::string_view(problem.id)).bind(std::string_view(problem.task));
    insert.bind(int64_t{problem.level}).bind(std::string_view(problem.prompt));
    insert.bind(std::string_view(problem.answer)).bind(std::string_view(json_of(problem.extra)));
    insert.bind(std::string_view(json_of(stored.contamination)));
    if (auto done = insert.run(); !done.ok()) {
      PONDER_TRY(execute("ROLLBACK"));
      return done;
    }
  }
  return execute("COMMIT");
}

Result<std::vector<StoredProblem>> RunStore::problems() {
  const std::lock_guard guard(mutex_);
  Statement select(*this,
                   "SELECT id, task, level, prompt, answer, extra, contamination FROM problems "
                   "ORDER BY number");
  std::vector<StoredProblem> all;
  while (PONDER_TRY(select.step())) {
    StoredProblem stored;
    Problem& problem = stored.problem;
    problem.id = select.text();
    problem.task = select.text();
    problem.level = static_cast<int>(select.integer());
    problem.prompt = select.text();
    problem.answer = select.text();
    problem.extra = PONDER_TRY(parse_json(select.text(), file_.string() + ": " + problem.id));
    stored.contamination =
        PONDER_TRY(parse_json(select.text(), file_.string() + ": " + problem.id));
    all.push_back(std::move(stored));
  }
  return all;
}

Result<void> RunStore::begin(SampleKey key) {
  const std::lock_guard guard(mutex_);
  return Statement(*this, "INSERT OR REPLACE INTO asked VALUES (?, ?)").bind(key).run();
}

Result<void> RunStore::withdraw(SampleKey key) {
  const std::lock_guard guard(mutex_);
  return Statement(*this, "DELETE FROM asked WHERE problem = ? AND sample = ?").bind(key).run();
}

Result<std::vector<SampleKey>> RunStore::interrupted() {
  const std::lock_guard guard(mutex_);
  Statement select(*this, "SELECT problem, sample FROM asked ORDER BY problem, sample");
  std::vector<SampleKey> keys;
  while (PONDER_TRY(select.step())) keys.push_back(select.key());
  return keys;
}

Result<void> RunStore::set_answer(SampleKey key, const Reply& reply,
                                  std::optional<double> dollars) {
  const std::lock_guard guard(mutex_);
  PONDER_TRY(execute("BEGIN"));
  const auto store = [&]() -> Result<void> {
    Statement insert(*this,
                     "INSERT INTO answers VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,"
                     "?15,?16,?17 + coalesce((SELECT lost FROM failures WHERE problem = ?1 AND "
                     "sample = ?2), 0),?18)");
    const TokenUsage& usage = reply.usage;
    insert.bind(key).bind(std::string_view(reply.text)).bind(std::string_view(reply.reasoning));
    insert.bind(answer_end_name(reply.end)).bind(usage.input).bind(usage.cached);
    insert.bind(usage.cache_write).bind(usage.output).bind(usage.reasoning);
    insert.bind(int64_t{usage.told}).bind(std::string_view(reply.doubts));
    insert.bind(std::string_view(reply.served)).bind(reply.seconds).bind(reply.first_seconds);
    insert.bind(int64_t{reply.attempts}).bind(reply.lost_tokens).bind(dollars);
    PONDER_TRY(insert.run());
    for (const char* sql : {"DELETE FROM asked WHERE problem = ? AND sample = ?",
                            "DELETE FROM failures WHERE problem = ? AND sample = ?"})
      PONDER_TRY(Statement(*this, sql).bind(key).run());
    return execute("COMMIT");
  };
  auto stored = store();
  if (!stored.ok()) PONDER_TRY(execute("ROLLBACK"));
  return stored;
}

Result<void> RunStore::set_failure(SampleKey key, const std::string& error, int64_t lost_tokens) {
  const std::lock_guard guard(mutex_);
  PONDER_TRY(Statement(*this,
                       "INSERT INTO failures VALUES (?, ?, ?, ?) ON CONFLICT (problem, sample) DO "
                       "UPDATE SET error = excluded.error, lost = lost + excluded.lost")
                 .bind(key)
                 .bind(std::string_view(error))
                 .bind(lost_tokens)
                 .run());
  return Statement(*this, "DELETE FROM asked WHERE problem = ? AND sample = ?").bind(key).run();
}

Result<void> RunStore::set_judgement(SampleKey key, const Judgement& judgement) {
  const std::lock_guard guard(mutex_);
  return Statement(*this, "INSERT OR REPLACE INTO verdicts VALUES (?, ?, ?, ?, ?)")
      .bind(key)
      .bind(verdict_name(judgement.verdict))
      .bind(std::string_view(judgement.extracted))
      .bind(std::string_view(judgement.why))
      .run();
}

Result<void> RunStore::forget_judgements() {
  const std::lock_guard guard(mutex_);
  return execute("DELETE FROM verdicts");
}

Result<int64_t> RunStore::new_session() {
  const std::lock_guard guard(mutex_);
  PONDER_TRY(execute("INSERT INTO sessions (seconds) VALUES (0)"));
  return sqlite3_last_insert_rowid(database_);
}

Result<void> RunStore::set_session(int64_t id, double seconds) {
  const std::lock_guard guard(mutex_);
  return Statement(*this, "INSERT OR REPLACE INTO sessions VALUES (?, ?)")
      .bind(id)
      .bind(seconds)
      .run();
}

Result<double> RunStore::session_seconds() {
  const std::lock_guard guard(mutex_);
  Statement select(*this, "SELECT coalesce(sum(seconds), 0) FROM sessions");
  PONDER_TRY(select.step());
  return select.number();
}

Result<std::set<SampleKey>> RunStore::answered() {
  const std::lock_guard guard(mutex_);
  Statement select(*this, "SELECT problem, sample FROM answers");
  std::set<SampleKey> keys;
  while (PONDER_TRY(select.step())) keys.insert(select.key());
  return keys;
}

Result<std::vector<StoredAnswer>> RunStore::answers(SampleKey key, bool texts) {
  const std::lock_guard guard(mutex_);
  const std::string sql =
      "SELECT a.problem, a.sample, " + std::string(texts ? "text, thoughts" : "'', ''") +
      ", ended, input, cached, cache_write, output, reasoning, told, doubts, served, seconds, "
      "first_seconds, attempts, lost, dollars, verdict, extracted, why FROM answers a LEFT JOIN "
      "verdicts v ON v.problem = a.problem AND v.sample = a.sample WHERE (?1 < 0 OR a.problem = "
      "?1) "
      "AND (?2 < 0 OR a.sample = ?2) ORDER BY 1, 2";
  Statement select(*this, sql.c_str());
  select.bind(key);
  std::vector<StoredAnswer> all;
  while (PONDER_TRY(select.step())) {
    StoredAnswer answer{.key = select.key(), .reply = {}, .dollars = {}, .judgement = {}};
    Reply& reply = answer.reply;
    reply.text = select.text();
    reply.reasoning = select.text();
    reply.end = find_answer_end(select.text()).value_or(AnswerEnd::kStop);
    reply.usage.input = select.integer();
    reply.usage.cached = select.integer();
    reply.usage.cache_write = select.integer();
    reply.usage.output = select.integer();
    reply.usage.reasoning = select.integer();
    reply.usage.told = select.integer() != 0;
    reply.doubts = select.text();
    reply.served = select.text();
    reply.seconds = select.number();
    reply.first_seconds = select.number();
    reply.attempts = static_cast<int>(select.integer());
    reply.lost_tokens = select.integer();
    answer.dollars = select.number_or_null();
    if (!select.is_null()) {
      const std::optional<Verdict> verdict = find_verdict(select.text());
      answer.judgement = {.verdict = verdict.value_or(Verdict::kInfra),
                          .extracted = select.text(),
                          .why = select.text()};
    }
    all.push_back(std::move(answer));
  }
  return all;
}

Result<std::vector<StoredFailure>> RunStore::failures() {
  const std::lock_guard guard(mutex_);
  Statement select(*this, "SELECT problem, sample, error FROM failures ORDER BY problem, sample");
  std::vector<StoredFailure> all;
  while (PONDER_TRY(select.step())) {
    const SampleKey key = select.key();
    all.push_back({key, select.text()});
  }
  return all;
}

Result<double> RunStore::dollars() {
  const std::lock_guard guard(mutex_);
  Statement select(*this, "SELECT coalesce(sum(dollars), 0) FROM answers");
  PONDER_TRY(select.step());
  return select.number();
}

Result<int64_t> RunStore::lost_tokens() {
  const std::lock_guard guard(mutex_);
  Statement select(*this,
                   "SELECT (SELECT coalesce(sum(lost), 0) FROM answers) + "
                   "(SELECT coalesce(sum(lost), 0) FROM failures)");
  PONDER_TRY(select.step());
  return select.integer();
}

}  // namespace ponder
