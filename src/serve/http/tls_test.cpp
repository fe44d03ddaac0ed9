// The server over TLS, with a certificate made here.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "serve/http/serving_testing.hpp"
#include "testing/temp_folder.hpp"

namespace ponder {
namespace {

using namespace ponder::testing;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// Writes cert.pem and key.pem of a fresh key.
void make_certificate(const std::filesystem::path& folder) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  const auto* name = reinterpret_cast<const unsigned char*>("localhost");
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC, name, -1, -1,
                             0);
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
  EXPECT_GT(X509_sign(certificate, key, EVP_sha256()), 0);
  FILE* file = std::fopen((folder / "cert.pem").c_str(), "w");
  PEM_write_X509(file, certificate);
  std::fclose(file);
  file = std::fopen((folder / "key.pem").c_str(), "w");
  PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
  std::fclose(file);
  X509_free(certificate);
  EVP_PKEY_free(key);
}

class TlsClient {
 public:
  explicit TlsClient(uint16_t port) : client_(port), context_(SSL_CTX_new(TLS_client_method())) {
    tls_ = SSL_new(context_);
    SSL_set_fd(tls_, client_.descriptor());
    connected_ = SSL_connect(tls_) == 1;
  }
  ~TlsClient() {
    SSL_free(tls_);
    SSL_CTX_free(context_);
  }
  bool connected() const { return connected_; }
  Client& wire() { return client_; }
  void send(std::string_view text) {
    EXPECT_EQ(SSL_write(tls_, text.data(), static_cast<int>(text.size())), std::ssize(text));
  }
  // Until the server says goodbye; `clean`: it did.
  std::string read_all(bool* clean = nullptr) {
    std::string all;
    char piece[4096];
    int got;
    while ((got = SSL_read(tls_, piece, sizeof piece)) > 0)
      all.append(piece, static_cast<size_t>(got));
    if (clean != nullptr) *clean = SSL_get_error(tls_, got) == SSL_ERROR_ZERO_RETURN;
    return all;
  }
  std::string read_some() {
    char piece[4096];
    const int got = SSL_read(tls_, piece, sizeof piece);
    return got > 0 ? std::string(piece, static_cast<size_t>(got)) : "";
  }

 private:
  Client client_;
  SSL_CTX* context_;
  SSL* tls_;
  bool connected_ = false;
};

class Tls : public ::testing::Test {
 protected:
  Tls() { make_certificate(folder_.path()); }
  HttpServerOptions options() const {
    return {.tls_certificate = folder_.path() / "cert.pem", .tls_key = folder_.path() / "key.pem"};
  }
  TempFolder folder_;
};

TEST_F(Tls, AnswersAndSaysGoodbye) {
  Serving serving(options());
  EXPECT_THAT(serving.server().address(), StartsWith("https://127.0.0.1:"));
  TlsClient client(serving.port());
  ASSERT_TRUE(client.connected());
  client.send(get("/echo"));
  EXPECT_EQ(status_of(client.read_some()), 200);
  client.send(post("/echo", std::string(100'000, 'x'), "Connection: close\r\n"));
  bool clean = false;
  const std::string answer = client.read_all(&clean);
  EXPECT_EQ(body_of(answer)["body"], std::string(100'000, 'x'));
  EXPECT_TRUE(clean);
}

TEST_F(Tls, Streams) {
  Serving serving(options());
  TlsClient client(serving.port());
  client.send(get("/stream", "Connection: close\r\n"));
  const auto exchange = serving.held();
  for (int i = 0; i < 100; ++i)
    EXPECT_TRUE(exchange->send("data: " + std::string(5'000, 'x') + "\n\n"));
  exchange->finish();
  EXPECT_THAT(client.read_all(), EndsWith("x\n\n\r\n0\r\n\r\n"));
}

TEST_F(Tls, APeerThatLeavesIsNoticed) {
  Serving serving(options());
  int gone = 0;
  for (const char* path : {"/hold", "/stream"}) {
    for (const bool reset : {false, true}) {
      TlsClient client(serving.port());
      client.send(get(path));
      const auto exchange = serving.held();
      reset ? client.wire().reset() : client.wire().close();
      EXPECT_TRUE(serving.wait_gone(++gone)) << path << reset;
    }
  }
}

TEST_F(Tls, PlainAndSlowGreetingsAreClosed) {
  auto slow = options();
  slow.limits.head_time = std::chrono::milliseconds(50);
  Serving serving(slow);
  Client plain(serving.port(), get("/echo"));
  EXPECT_EQ(plain.read_all().find("HTTP/"), std::string::npos);
  Client silent(serving.port());
  EXPECT_EQ(silent.read_all(), "");
}

TEST_F(Tls, SaysWhatIsWrongWithItsFiles) {
  const auto refusal = [](HttpServerOptions options) {
    auto server = HttpServer::create(std::move(options), [](auto) {});
    return server.ok() ? "" : server.error().message();
  };
  auto wrong = options();
  wrong.tls_key = "";
  EXPECT_THAT(refusal(wrong), HasSubstr("give the file of the key"));
  wrong.tls_key = wrong.tls_certificate;
  EXPECT_THAT(refusal(wrong), HasSubstr("cert.pem"));
  wrong.tls_certificate = "/nonexistent/cert.pem";
  EXPECT_THAT(refusal(wrong), HasSubstr("/nonexistent/cert.pem"));
  const TempFolder other;
  make_certificate(other.path());
  auto mixed = options();
  mixed.tls_key = other.path() / "key.pem";
  EXPECT_THAT(refusal(mixed), HasSubstr("key.pem"));
}

}  // namespace
}  // namespace ponder
