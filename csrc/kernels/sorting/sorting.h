// Order: the indices that sort a row, and the place of a value in a sorted row. Comparisons have no instruction set of
// their own, so these kernels are compiled once.
//
// The order is total: -0 equals 0, and NaN (of either sign) is the largest value.
#pragma once

#include <cstdint>

#include "base/dtype.h"

namespace ranvier {

// Bytes of scratch for a row of `count` elements.
std::int64_t argsort_scratch_bytes(DType dtype, std::int64_t count);

// indices[0, wanted) of the smallest (largest, if `descending`) elements of a row, in order; equal elements in the
// order of their places. 0 <= wanted <= count < 2^32.
void argsort_row(DType dtype, std::int64_t count, const void* row, bool descending, std::int64_t wanted,
                 std::int32_t* indices, void* scratch);

// out[i] = the first place at which values[i] can stand in the increasing `row` (the last one, if `right`).
void searchsorted(DType dtype, std::int64_t count, const void* row, std::int64_t values_count, const void* values,
                  bool right, std::int32_t* out);

}  // namespace ranvier
