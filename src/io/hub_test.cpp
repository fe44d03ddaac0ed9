// Pulling models from a hub of the test's own, honest and not.
#include "io/hub.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/hub_listing.hpp"
#include "io/json.hpp"
#include "io/sha256.hpp"
#include "testing/http_server.hpp"
#include "testing/temp_folder.hpp"

namespace ponder {
namespace {

using ::testing::AnyOf;
using testing::content_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::HttpServer;
using testing::TempFolder;

std::string sha256(const std::string& text) {
  Sha256 hash;
  hash.update(std::as_bytes(std::span(text)));
  return hash.hex();
}

// --- names and choices

TEST(PullName, Parses) {
  const auto name = PullName::parse("deepseek-ai/DeepSeek-R1.5_x:Q4_K_M").value();
  EXPECT_EQ(name.owner, "deepseek-ai");
  EXPECT_EQ(name.repository, "DeepSeek-R1.5_x");
  EXPECT_EQ(name.choice, "Q4_K_M");
  EXPECT_EQ(PullName::parse("a/b").value().choice, "");
  EXPECT_EQ(PullName::parse("a/b:c/d.gguf").value().choice, "c/d.gguf");
}

TEST(PullName, Refuses) {
  for (const char* text :
       {"", "a", "a/", "/b", "a/b/c", "../b", "a/..", "a/b:", "a/b:../x.gguf", "a/b:/x", "a b/c",
        "a/b?x", "a/.b", "a/b..c", "a/b\n", "a\\b/c", "a/b:x\x1b", "http://h/a"}) {
    EXPECT_FALSE(PullName::parse(text).ok()) << text;
  }
  EXPECT_FALSE(PullName::parse("a/" + std::string(97, 'b')).ok());
}

std::vector<HubFile> files(std::initializer_list<const char*> names) {
  std::vector<HubFile> list;
  for (const char* name : names) list.push_back({name, 1, ""});
  return list;
}

std::string chosen(const char* name, const std::vector<HubFile>& list) {
  const auto choice = choose_files(PullName::parse(name).value(), list);
  if (!choice.ok()) return choice.error().message();
  std::string text;
  for (const auto& file : choice.value().files) text += file.name + " ";
  return text + "-> " + choice.value().load;
}

TEST(ChooseFiles, Safetensors) {
  const auto list = files({".gitattributes", "README.md", "config.json", "generation_config.json",
                           "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors",
                           "model.safetensors.index.json", "original/model.safetensors",
                           "tokenizer.json", "tokenizer_config.json", "x.gguf"});
  EXPECT_EQ(chosen("a/b", list),
            "config.json generation_config.json model-00001-of-00002.safetensors "
            "model-00002-of-00002.safetensors model.safetensors.index.json tokenizer.json "
            "tokenizer_config.json -> ");
  EXPECT_EQ(chosen("a/b:x.gguf", list), "x.gguf -> x.gguf");
}

TEST(ChooseFiles, Gguf) {
  const auto list = files({"README.md", "m-IQ4_XS.gguf", "m-Q4_K.gguf", "m-Q4_K_M.gguf",
                           "m-q8_0-00001-of-00002.gguf", "m-q8_0-00002-of-00002.gguf",
                           "UD/m-Q2_K-00001-of-00001.gguf"});
  EXPECT_EQ(chosen("a/b:Q4_K_M", list), "m-Q4_K_M.gguf -> m-Q4_K_M.gguf");
  EXPECT_EQ(chosen("a/b:q4_k", list), "m-Q4_K.gguf -> m-Q4_K.gguf");
  EXPECT_EQ(chosen("a/b:m-Q4_K.gguf", list), "m-Q4_K.gguf -> m-Q4_K.gguf");
  const std::string splits =
      "m-q8_0-00001-of-00002.gguf m-q8_0-00002-of-00002.gguf -> m-q8_0-00001-of-00002.gguf";
  EXPECT_EQ(chosen("a/b:Q8_0", list), splits);
  EXPECT_EQ(chosen("a/b:m-q8_0-00002-of-00002.gguf", list), splits);
  EXPECT_EQ(chosen("a/b:Q2_K", list),
            "UD/m-Q2_K-00001-of-00001.gguf -> UD/m-Q2_K-00001-of-00001.gguf");
  EXPECT_THAT(chosen("a/b:Q5_0", list), HasSubstr("no .gguf file fits 'Q5_0'; there are: "));
  EXPECT_THAT(chosen("a/b", list), HasSubstr("several .gguf files to choose from: "));
  EXPECT_THAT(chosen("a/b", list), HasSubstr("name one, such as a/b:UD/m-Q2_K"));
  EXPECT_EQ(chosen("a/b", files({"only.gguf"})), "only.gguf -> only.gguf");
  EXPECT_THAT(chosen("a/b", files({"README.md"})), HasSubstr("neither safetensors nor .gguf"));
  EXPECT_THAT(chosen("a/b:Q8_0", files({"model.safetensors"})), HasSubstr("no .gguf files"));
}

TEST(ParseListing, RefusesUnsafeNames) {
  for (const char* name : {"../x.gguf", "/etc/x.gguf", "a/../x.gguf", "a//x.gguf", "a/./x.gguf", "",
                           "a\\\\x.gguf", "x\\u001b[2J.gguf", "..", "a/"}) {
    const std::string model = std::string(R"({"siblings":[{"rfilename":")") + name + "\"}]}";
    EXPECT_THAT(parse_listing(model, "", "w").error().message(), HasSubstr("unsafe name")) << name;
  }
}

TEST(ParseListing, RefusesNonsense) {
  for (const char* model : {"", "[]", "{}", R"({"siblings":{}})", R"({"siblings":[1]})",
                            R"({"siblings":[{"rfilename":1}]})"}) {
    EXPECT_FALSE(parse_listing(model, "", "w").ok()) << model;
  }
  const char* model = R"({"siblings":[{"rfilename":"x"}]})";
  for (const char* tree : {"[", R"([{"path":"x","size":-7}])", R"([{"path":"x","size":"1"}])",
                           R"([{"path":"x","size":1e300}])", R"([{"path":"x","lfs":{"oid":1}}])"}) {
    EXPECT_FALSE(parse_listing(model, tree, "w").ok()) << tree;
  }
  const auto list = parse_listing(model, R"({"error":"x"})", "w").value();
  EXPECT_EQ(list[0].name, "x");
  EXPECT_FALSE(list[0].size.has_value());
}

TEST(Sha256From, OnlyWholeHashes) {
  const std::string hash = sha256("x");
  EXPECT_EQ(sha256_from(hash), hash);
  EXPECT_EQ(sha256_from("\"" + hash + "\""), hash);
  EXPECT_EQ(sha256_from("W/\"" + hash + "\""), hash);
  EXPECT_EQ(sha256_from("sha256:" + hash), hash);
  EXPECT_EQ(sha256_from("\"9c5c2a\""), std::nullopt);
  EXPECT_EQ(sha256_from(std::string(64, 'g')), std::nullopt);
}

// --- pulling

// A hub with one repository, o/r, of one or more files; the tests make it misbehave.
class Hub : public ::testing::Test {
 protected:
  std::map<std::string, std::string> content_ = {{"m.gguf", std::string(200000, 'm') + "end"}};
  bool lists_hashes_ = true;
  bool has_tree_ = true;
  // Answers for a file; by default what an honest hub says.
  std::function<std::string(const std::string& name, const HttpServer::Request&)> file_answer_ =
      [this](const std::string& name, const HttpServer::Request& request) {
        return honest(name, request);
      };
  TempFolder folder_;
  HttpServer server_{[this](const HttpServer::Request& request) { return answer(request); }};

  std::string honest(const std::string& name, const HttpServer::Request& request) {
    const std::string& body = content_.at(name);
    const std::string range(request["Range"]);
    if (range.empty()) return HttpServer::reply("200 OK", body);
    const size_t first = std::stoul(range.substr(6));
    return HttpServer::reply("206 Partial Content", body.substr(first),
                             "Content-Range: bytes " + std::to_string(first) + "-" +
                                 std::to_string(body.size() - 1) + "/" +
                                 std::to_string(body.size()) + "\r\n");
  }

  std::string answer(const HttpServer::Request& request) {
    const std::string target(request.target());
    static const std::string kFiles = "/o/r/resolve/main/";
    if (target == "/api/models/o/r") {
      Json siblings = Json::array();
      for (const auto& [name, body] : content_) siblings.push_back({{"rfilename", name}});
      return HttpServer::reply("200 OK", Json{{"siblings", siblings}}.dump());
    }
    if (target == "/api/models/o/r/tree/main?recursive=true" && has_tree_) {
      Json tree = Json::array();
      for (const auto& [name, body] : content_) {
        Json entry = {{"type", "file"}, {"path", name}, {"size", body.size()}};
        if (lists_hashes_) entry["lfs"] = {{"oid", sha256(body)}, {"size", body.size()}};
        tree.push_back(entry);
      }
      return HttpServer::reply("200 OK", tree.dump());
    }
    if (target.starts_with(kFiles) && content_.contains(target.substr(kFiles.size()))) {
      return file_answer_(target.substr(kFiles.size()), request);
    }
    return HttpServer::reply("404 Not Found", "{}");
  }

  PullOptions options(const std::string& name = "o/r") const {
    PullOptions options;
    options.name = name;
    options.hub = server_.address();
    options.cache = folder_.path();
    options.patience = std::chrono::seconds(5);
    return options;
  }
  std::string refusal() const {
    const auto path = pull(options());
    return path.ok() ? "accepted" : path.error().message();
  }
  std::filesystem::path target() const { return folder_.path() / "o/r/m.gguf"; }
  std::filesystem::path partial() const { return folder_.path() / "o/r/m.gguf.partial"; }
  // Headers `name` of the requests for files.
  std::vector<std::string> asked(const char* name) const {
    std::vector<std::string> values;
    for (const auto& request : server_.requests()) {
      if (request.target().find("/resolve/") != request.target().npos) {
        values.emplace_back(request[name]);
      }
    }
    return values;
  }
};

TEST_F(Hub, PullsAFile) {
  std::vector<uint64_t> done;
  auto with_progress = options();
  with_progress.progress = [&](const ProgressReport& report) {
    EXPECT_EQ(report.what, "downloading m.gguf");
    EXPECT_EQ(report.total, 200003u);
    done.push_back(report.done);
    return true;
  };
  EXPECT_EQ(pull(with_progress).value(), target());
  EXPECT_EQ(content_of(target()), content_["m.gguf"]);
  EXPECT_FALSE(std::filesystem::exists(partial()));
  ASSERT_FALSE(done.empty());
  EXPECT_EQ(done.back(), 200003u);

  // Complete: the hub is not asked again, not even to find out whether it is there.
  const size_t requests = server_.requests().size();
  EXPECT_EQ(pull(options()).value(), target());
  EXPECT_EQ(server_.requests().size(), requests);
  EXPECT_EQ(find_pulled(folder_.path(), "o/r"), target());
  EXPECT_EQ(find_pulled(folder_.path(), "o/r:Q8_0"), "");
  EXPECT_EQ(find_pulled(folder_.path(), "../r"), "");

  // Damaged: noticed by the size, and by the hash once the record is gone.
  folder_.write("o/r/m.gguf", "short");
  EXPECT_EQ(find_pulled(folder_.path(), "o/r"), "");
  EXPECT_EQ(pull(options()).value(), target());
  EXPECT_EQ(content_of(target()), content_["m.gguf"]);
  std::string damaged = content_["m.gguf"];
  damaged[7] = 'x';
  std::filesystem::remove_all(folder_.path() / "o");
  folder_.write("o/r/m.gguf", damaged);
  EXPECT_EQ(pull(options()).value(), target());
  EXPECT_EQ(content_of(target()), content_["m.gguf"]);
}

TEST_F(Hub, PullsAFolder) {
  content_ = {{"config.json", "{}"},
              {"model.safetensors", "tensors"},
              {"README.md", "no"},
              {"tokenizer.json", ""}};
  EXPECT_EQ(pull(options()).value(), folder_.path() / "o/r");
  EXPECT_EQ(content_of(folder_.path() / "o/r/model.safetensors"), "tensors");
  EXPECT_TRUE(std::filesystem::exists(folder_.path() / "o/r/tokenizer.json"));
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "o/r/README.md"));
}

TEST_F(Hub, PullsFromASubfolder) {
  content_ = {{"Q8 0/m-00001-of-00002.gguf", "one"}, {"Q8 0/m-00002-of-00002.gguf", "two"}};
  file_answer_ = [this](const std::string& name, const auto& request) {
    return honest(name, request);
  };
  // The space arrives encoded, so this hub, which does not decode, has no such file.
  EXPECT_THAT(refusal(),
              HasSubstr("Q8%200/m-00001-of-00002.gguf: the hub answers with status 404"));
  content_ = {{"q/m-00001-of-00002.gguf", "one"}, {"q/m-00002-of-00002.gguf", "two"}};
  EXPECT_EQ(pull(options()).value(), folder_.path() / "o/r/q/m-00001-of-00002.gguf");
  EXPECT_EQ(content_of(folder_.path() / "o/r/q/m-00002-of-00002.gguf"), "two");
}

TEST_F(Hub, Resumes) {
  folder_.write("o/r/m.gguf.partial", content_["m.gguf"].substr(0, 150000));
  EXPECT_EQ(pull(options()).value(), target());
  EXPECT_EQ(content_of(target()), content_["m.gguf"]);
  EXPECT_THAT(asked("Range"), ElementsAre("bytes=150000-"));
}

TEST_F(Hub, ResumesAfterEachTruncation) {
  file_answer_ = [this](const std::string& name, const HttpServer::Request& request) {
    std::string bytes = honest(name, request);
    if (asked("Range").size() <= 2) bytes.resize(bytes.size() / 2);
    return bytes;
  };
  EXPECT_EQ(refusal(), "accepted");
  EXPECT_EQ(content_of(target()), content_["m.gguf"]);
  EXPECT_EQ(asked("Range").size(), 3u);
  EXPECT_EQ(asked("Range")[0], "");
  EXPECT_NE(asked("Range")[1], "");
}

TEST_F(Hub, StartsAnewWhenTheHubIgnoresRanges) {
  folder_.write("o/r/m.gguf.partial", std::string(1000, '?'));
  file_answer_ = [this](const std::string& name, const auto&) {
    return HttpServer::reply("200 OK", content_.at(name));
  };
  EXPECT_EQ(refusal(), "accepted");
  EXPECT_EQ(content_of(target()), content_["m.gguf"]);
}

TEST_F(Hub, WithoutAHashItStartsAnew) {
  lists_hashes_ = false;
  folder_.write("o/r/m.gguf.partial", std::string(1000, '?'));
  EXPECT_EQ(refusal(), "accepted");
  EXPECT_EQ(content_of(target()), content_["m.gguf"]);
  EXPECT_THAT(asked("Range"), ElementsAre(""));
}

TEST_F(Hub, DamagedPartialIsDeleted) {
  folder_.write("o/r/m.gguf.partial", std::string(1000, '?'));
  EXPECT_THAT(refusal(), HasSubstr("the SHA-256 is "));
  EXPECT_FALSE(std::filesystem::exists(target()));
  EXPECT_EQ(refusal(), "accepted");  // nothing of it is left
  EXPECT_EQ(content_of(target()), content_["m.gguf"]);
}

TEST_F(Hub, PartialLongerThanTheFile) {
  folder_.write("o/r/m.gguf.partial", std::string(300000, '?'));
  EXPECT_EQ(refusal(), "accepted");
  EXPECT_EQ(content_of(target()), content_["m.gguf"]);
}

TEST_F(Hub, CompletePartialNeedsNoDownload) {
  folder_.write("o/r/m.gguf.partial", content_["m.gguf"]);
  EXPECT_EQ(refusal(), "accepted");
  EXPECT_TRUE(asked("Range").empty());
}

TEST_F(Hub, WrongPart) {
  for (const char* range :
       {"bytes 0-200002/200003", "bytes 1000-200001/200003", "bytes 1000-1001/x",
        "bytes 1000-200002/*", "", "bytes 1000-200003/200003", "bytes 1000-999999/1000000"}) {
    folder_.write("o/r/m.gguf.partial", content_["m.gguf"].substr(0, 1000));
    file_answer_ = [&](const auto&, const auto&) {
      return HttpServer::reply("206 Partial Content", std::string(199003, '?'),
                               std::string("Content-Range: ") + range + "\r\n");
    };
    EXPECT_THAT(refusal(), AnyOf(HasSubstr("another part than asked for"),
                                 HasSubstr("lists 200003 bytes and sends 1000000")))
        << range;
    EXPECT_FALSE(std::filesystem::exists(target()));
  }
}

TEST_F(Hub, WrongContent) {
  file_answer_ = [this](const auto&, const auto&) {
    return HttpServer::reply("200 OK", std::string(content_["m.gguf"].size(), '?'));
  };
  EXPECT_THAT(refusal(), HasSubstr("the SHA-256 is "));
  EXPECT_FALSE(std::filesystem::exists(target()));
}

TEST_F(Hub, HashFromTheRedirect) {
  lists_hashes_ = false;
  file_answer_ = [this](const auto&, const auto&) {
    return HttpServer::redirect("/elsewhere",
                                "X-Linked-Etag: \"" + std::string(64, '0') + "\"\r\n");
  };
  content_["m.gguf"] = "{}";  // what /elsewhere, a 404, has for a body is not taken for it
  EXPECT_THAT(refusal(), HasSubstr("status 404"));
  file_answer_ = [this](const auto&, const auto&) {
    return HttpServer::redirect("/api/models/o/r",
                                "X-Linked-Etag: \"" + std::string(64, '0') + "\"\r\n");
  };
  has_tree_ = false;
  EXPECT_THAT(refusal(), HasSubstr("not 0000000000"));
}

TEST_F(Hub, TruncatedAgainAndAgain) {
  lists_hashes_ = false;
  file_answer_ = [](const auto&, const auto&) {
    return "HTTP/1.1 200 OK\r\nContent-Length: 200003\r\n\r\nabc";
  };
  EXPECT_THAT(refusal(), HasSubstr("downloading failed"));
  EXPECT_EQ(asked("Range").size(), 1u);
  // With a hash it goes on as long as each attempt brings something, but not for ever.
  lists_hashes_ = true;
  EXPECT_THAT(refusal(), HasSubstr("downloading failed"));
  EXPECT_LE(asked("Range").size(), 21u);
  EXPECT_FALSE(std::filesystem::exists(target()));
}

TEST_F(Hub, OtherSizeThanListed) {
  for (const size_t size : {size_t{5}, size_t{300000}}) {
    file_answer_ = [=](const auto&, const auto&) {
      return HttpServer::reply("200 OK", std::string(size, '?'));
    };
    EXPECT_THAT(refusal(), HasSubstr("the hub lists 200003 bytes and sends"));
    file_answer_ = [=](const auto&, const auto&) {
      return "HTTP/1.1 200 OK\r\n\r\n" + std::string(size, '?');  // unannounced
    };
    EXPECT_THAT(refusal(), AnyOf(HasSubstr("ended after 5 of 200003 bytes"),
                                 HasSubstr("more than the 200003 bytes expected")));
  }
}

TEST_F(Hub, EndlessFileOfUnknownSize) {
  has_tree_ = false;
  file_answer_ = [](const auto&, const auto&) {
    return "HTTP/1.1 200 OK\r\n\r\n" + std::string((64 << 20) + 1, '?');
  };
  EXPECT_THAT(refusal(), HasSubstr("more than the 67108864 bytes expected"));
}

TEST_F(Hub, WithoutATree) {
  has_tree_ = false;
  EXPECT_EQ(refusal(), "accepted");
  EXPECT_EQ(content_of(target()), content_["m.gguf"]);
}

TEST_F(Hub, AbsurdSizeNeedsNoDiskToBeRefused) {
  PullOptions wanted = options();
  const HttpServer liar([](const HttpServer::Request& request) {
    const std::string target(request.target());
    if (target.find("tree") != target.npos) {
      return HttpServer::reply("200 OK", R"([{"path":"m.gguf","size":70368744177664}])");
    }
    return HttpServer::reply("200 OK", R"({"siblings":[{"rfilename":"m.gguf"}]})");
  });
  wanted.hub = liar.address();
  EXPECT_THAT(pull(wanted).error().message(), HasSubstr("bytes are needed"));
}

TEST_F(Hub, Statuses) {
  for (const char* status : {"401 Unauthorized", "403 Forbidden", "404 Not Found",
                             "429 Too Many Requests", "500 Oops", "204 No Content"}) {
    file_answer_ = [=](const auto&, const auto&) { return HttpServer::reply(status, ""); };
    EXPECT_THAT(refusal(), HasSubstr("status " + std::string(status).substr(0, 3)));
  }
  file_answer_ = [](const auto&, const auto&) { return HttpServer::reply("401 No", ""); };
  EXPECT_THAT(refusal(), HasSubstr("set HF_TOKEN"));
  EXPECT_THAT(pull(options("o/other")).error().message(), HasSubstr("status 404"));
}

TEST_F(Hub, SendsTheToken) {
  auto with_token = options();
  with_token.token = "hf_secret";
  EXPECT_TRUE(pull(with_token).ok());
  for (const auto& request : server_.requests()) {
    EXPECT_EQ(std::string(request["Authorization"]), "Bearer hf_secret");
  }
  with_token.token = "hf\r\nX-Evil: 1";
  EXPECT_THAT(pull(with_token).error().message(), HasSubstr("HF_TOKEN"));
}

TEST_F(Hub, StopsWhenAskedTo) {
  auto stopping = options();
  stopping.progress = [](const ProgressReport& report) { return report.done == 0; };
  EXPECT_EQ(pull(stopping).error().what, "stopped");
  EXPECT_FALSE(std::filesystem::exists(target()));
  EXPECT_GT(std::filesystem::file_size(partial()), 0u);
  EXPECT_EQ(refusal(), "accepted");
  EXPECT_EQ(content_of(target()), content_["m.gguf"]);
}

TEST_F(Hub, CacheCannotBeWritten) {
  auto bad = options();
  bad.cache = folder_.write("file", "x");
  EXPECT_THAT(pull(bad).error().message(), HasSubstr("cannot make the folder"));
}

TEST_F(Hub, PartialThatIsALink) {
  const auto elsewhere = folder_.write("elsewhere", "precious");
  std::filesystem::create_directories(partial().parent_path());
  std::filesystem::create_symlink(elsewhere, partial());
  EXPECT_THAT(refusal(), HasSubstr("cannot create"));
  EXPECT_EQ(content_of(elsewhere), "precious");
}

TEST_F(Hub, BadAddress) {
  auto bad = options();
  bad.hub = "huggingface.co";
  EXPECT_THAT(pull(bad).error().message(), HasSubstr("neither http:// nor https://"));
}

}  // namespace
}  // namespace ponder
