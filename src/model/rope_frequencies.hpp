// Rotation frequencies and amplitude from what a model file says of them (model-spec §4).
#pragma once

#include <string_view>
#include <vector>

#include "model/config.hpp"

namespace ponder {

// f_j of all pairs j < dims/2: θ_base^(−2j/d), changed as `scaling` says. kFactors: unscaled, the
// caller divides. Sources: YaRN 2309.00071 §3.2 (NTK-by-parts) as in Hugging Face transformers;
// Llama 3.1's scaling as in transformers' rope utilities.
std::vector<float> rope_frequencies(double theta, int64_t dims, const RopeScalingConfig& scaling);

// What the unscaled frequencies are divided by to give rope.inv_freq: the tensor of GGUF files for
// scalings that have no keys, Llama 3's.
inline constexpr std::string_view kRopeFactorsName = "rope_freqs.weight";
std::vector<float> rope_factors(const RopeConfig& rope);

// a on cos and sin: YaRN's attention factor, 1 for the others.
double rope_amplitude(const RopeScalingConfig& scaling);

// m of DeepSeek's softmax scale, (dn + dr)^-½ · m²: 1 without YaRN or without mscale_all_dim.
double yarn_softmax_factor(const RopeScalingConfig& scaling);

// Fills what follows from the other fields of a valid Config: the rotation's inv_freq and
// amplitude and the attention's scale, head_dim^-½ (· m² for MLA).
void derive_constants(Config& config);

}  // namespace ponder
