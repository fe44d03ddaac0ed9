#include "io/sha256.hpp"

#include <openssl/evp.h>

#include "base/macros.hpp"

namespace ponder {

void Sha256::Free::operator()(void* context) const {
  EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context));
}

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  PONDER_CHECK(context_ != nullptr);
  auto* context = static_cast<EVP_MD_CTX*>(context_.get());
  PONDER_CHECK(EVP_DigestInit_ex(context, EVP_sha256(), nullptr) == 1);
}

void Sha256::update(std::span<const std::byte> bytes) {
  auto* context = static_cast<EVP_MD_CTX*>(context_.get());
  PONDER_CHECK(EVP_DigestUpdate(context, bytes.data(), bytes.size()) == 1);
}

std::string Sha256::hex() {
  static constexpr char kHex[] = "0123456789abcdef";
  unsigned char digest[32];
  auto* context = static_cast<EVP_MD_CTX*>(context_.get());
  PONDER_CHECK(EVP_DigestFinal_ex(context, digest, nullptr) == 1);
  std::string text;
  for (const unsigned char byte : digest) {
    text += kHex[byte >> 4];
    text += kHex[byte & 15];
  }
  return text;
}

}  // namespace ponder
