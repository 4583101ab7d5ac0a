// The oracle of the elementwise kernels: one element at a time, functions in long double by <cmath> and
// rounded once, IEEE operations in their own type. For tests; never used in a step.
#pragma once

#include <cstdint>

#include "base/dtype.h"
#include "kernels/types.h"

namespace ranvier {

// out[i] = op(a[i], b[i], c[i]) for i < n, all operands arrays; `dtype` as for ew_lookup. False, with nothing
// written, when the pair (op, dtype) is not offered.
bool ew_reference(Ew op, DType dtype, std::int64_t n, void* out, const void* a, const void* b, const void* c);

// out[i] = conversion of a[i], by the rules stated at ew_cast_lookup.
void ew_cast_reference(DType from, DType to, std::int64_t n, void* out, const void* a);

}  // namespace ranvier
