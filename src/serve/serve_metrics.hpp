// Figures of models and answers for /metrics and the status page.
#pragma once

#include <map>
#include <string>

#include "serve/http/metrics.hpp"
#include "serve/model_host.hpp"
#include "serve/outcome.hpp"

namespace ponder {

class ServeMetrics {
 public:
  // Both must outlive what is registered here.
  ServeMetrics(Metrics& metrics, const ModelHost& host);

  void observe(const Outcome& outcome);

 private:
  struct PerModel {
    Histogram* first_token;
    Histogram* each_token;
    Histogram* queue;
    Counter* answers;
  };
  std::map<std::string, PerModel> models_;
};

}  // namespace ponder
