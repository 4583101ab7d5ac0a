// Rows replaced by, or combined with, others. Compiled once: it moves memory, and the order of the updates is the
// result's.
#pragma once

#include <cstdint>

#include "base/dtype.h"

namespace ranvier {

enum class Combine : std::int64_t { kSet, kAdd, kMultiply, kMax, kMin };

// out[index[i], :] = combine(out[index[i], :], updates[i, :]) for increasing i; out is [rows, cols], updates [n, cols].
// Stops at the first index outside [0, rows) and returns its i, else -1. NaN wins maxima and minima; integers wrap;
// of booleans, sums and maxima are "or", products and minima "and".
std::int64_t scatter_update(Combine combine, DType dtype, std::int64_t n, std::int64_t cols, std::int64_t rows,
                            const void* index, bool index64, const void* updates, void* out);

}  // namespace ranvier
