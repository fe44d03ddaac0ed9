// Rows of Arrow's arrays as JSON.
#pragma once

#include <arrow/record_batch.h>

#include <string>

namespace ponder {

// Adds element `row` of `array`: numbers, texts, true and false, lists and structs as what they
// are; maps as lists of {"key", "value"}; all else (times, decimals) as texts. Infinite numbers
// and NaN become null. False if it is nested too deep.
bool append_value(std::string& out, const arrow::Array& array, int64_t row, int depth = 0);

// An object with a member for each column. False if one is nested too deep.
bool append_row(std::string& out, const arrow::RecordBatch& batch, int64_t row);

}  // namespace ponder
