// Types that kernel signatures share.
#pragma once

#include <cstdint>

#include "base/dtype.h"

namespace ranvier {

// Elementwise operations, expanded from elementwise.def.
enum class Ew : std::uint8_t {
#define RANVIER_EW(name, ...) name,
#include "kernels/elementwise/elementwise.def"
#undef RANVIER_EW
  kCount
};

// Which operands of an elementwise call are single values instead of arrays of n. Unary and ternary calls
// have only the form `kArrays`; binary ones all three.
enum class EwForm : std::uint8_t { kArrays, kScalarLeft, kScalarRight };

// out[i] = op(a[i], b[i], c[i]) for i < n. Operands that the op does not have are ignored. `out` may be equal
// to an operand (same element size) but not overlap one otherwise. No alignment is required.
using EwFn = void (*)(std::int64_t n, void* out, const void* a, const void* b, const void* c);

// Two operations in one call: second(first(a, b), c), or second(c, first(a, b)) if `first_is_right`. A unary
// `first` ignores b, a unary `second` ignores c.
struct EwPair {
  Ew first;
  EwForm first_form;
  Ew second;
  bool first_is_right;
  bool other_is_scalar;  // c is a single value
};

enum class ReduceOp : std::uint8_t { kSum, kProd, kMax, kMin, kAny, kAll };

// Reduces the middle axis of a contiguous [outer, reduce, inner] array, for the outer indices [outer_begin,
// outer_end) and the inner ones [inner_begin, inner_end); out is [outer, inner]. The order of accumulation
// depends on `reduce` and on (inner == 1) only, never on the ranges, so callers may split these over threads.
// inner == 1: the tree of virtual lanes in reduce/lanes.h; inner > 1: per column, the tree of blocks of rows in
// reduce/reduce.isa.cpp. Both keep the rounding error of a sum logarithmic in `reduce`. Max and min propagate
// NaN; integer sums and products wrap. An empty reduction gives 0, 1, the lowest or the highest value, false,
// true. `out` must not overlap `in`.
using ReduceFn = void (*)(std::int64_t reduce, std::int64_t inner, std::int64_t outer_begin,
                          std::int64_t outer_end, std::int64_t inner_begin, std::int64_t inner_end,
                          const void* in, void* out);

// Windows along an axis of `in` elements: number i covers the elements [begin[i], end[i]), at least one. Neither table
// ever decreases.
struct WindowTable {
  std::int64_t in, out;  // out: how many windows
  const std::int64_t *begin, *end;
};

// Windows over contiguous images [in, in, in, inner]; what comes of them is [out, out, out, inner]. An image of fewer
// axes has some of one element.
struct ImageWindows {
  WindowTable axis[3];
  std::int64_t inner;
};

// The elements [begin, end) of an image along each of its axes.
struct ImageBox {
  std::int64_t begin[3], end[3];
};

// A counter-based random stream (Philox 4x32-10): element i of the stream is a function of key, stream and i.
struct RandomKey {
  std::uint64_t key;
  std::uint64_t stream;
};

}  // namespace ranvier
