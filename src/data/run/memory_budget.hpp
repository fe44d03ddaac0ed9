// How the steps that read documents keep within a limit of memory.
#pragma once

#include <cstdint>

namespace ponder {

// Threads, at most `wanted` and at least one, so that `memory` bytes suffice: a batch of documents
// with the program takes up to 112 MB, and each further thread, with its parser and the words of
// its document, up to 24 MB (measured on documentation in many languages). No result depends on
// the number.
int threads_within(uint64_t memory, int wanted);

// The longest record, in bytes, for which `memory` suffices: its line is held while it is read,
// parsed, cut into words and written.
uint64_t longest_record_within(uint64_t memory);

}  // namespace ponder
