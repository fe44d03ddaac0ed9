// What the API needs of an engine, so that tests can give it another.
#pragma once

#include <memory>

#include "engine/engine.hpp"

namespace ponder {

// Functions as in Engine.
class Backend {
 public:
  virtual ~Backend() = default;
  virtual Submitted submit(GenerationRequest request, std::shared_ptr<GenerationSink> sink) = 0;
  virtual Submitted submit(EmbeddingRequest request, EmbeddingSink sink) = 0;
  virtual void cancel(uint64_t id) = 0;
  virtual EngineStats stats() const = 0;
  virtual Result<int64_t> save_prefix(std::span<const int32_t> tokens,
                                      const std::filesystem::path& file) = 0;
  virtual Result<int64_t> load_prefix(const std::filesystem::path& file) = 0;
};

class EngineBackend : public Backend {
 public:
  explicit EngineBackend(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}

  Submitted submit(GenerationRequest request, std::shared_ptr<GenerationSink> sink) override {
    return engine_->submit(std::move(request), std::move(sink));
  }
  Submitted submit(EmbeddingRequest request, EmbeddingSink sink) override {
    return engine_->submit(std::move(request), std::move(sink));
  }
  void cancel(uint64_t id) override { engine_->cancel(id); }
  EngineStats stats() const override { return engine_->stats(); }
  Result<int64_t> save_prefix(std::span<const int32_t> tokens,
                              const std::filesystem::path& file) override {
    return engine_->save_prefix(tokens, file);
  }
  Result<int64_t> load_prefix(const std::filesystem::path& file) override {
    return engine_->load_prefix(file);
  }

 private:
  std::unique_ptr<Engine> engine_;
};

}  // namespace ponder
