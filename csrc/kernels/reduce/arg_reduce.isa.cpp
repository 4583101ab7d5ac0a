// Index of the first extreme element over the middle axis of [outer, reduce, inner]; NaN is the extreme.
//
// inner == 1: one pass for the extreme (the tree of lanes.h), one for the first element equal to it. inner >
// 1: rows in increasing order, every column with its own best value and index.
#include "kernels/reduce/lanes.h"
#include "kernels/table.h"

namespace ranvier::RANVIER_ISA {
namespace {

constexpr int kColumns = 128;                          // of a tile
constexpr std::int64_t kRows = std::int64_t{1} << 30;  // of a block: its indices fit in 32 bits

// Index of the first element that is `extreme`, or NaN. There is one: if the row holds a NaN, `extreme` is
// NaN.
template <class T>
inline std::int64_t find_first(const T* x, std::int64_t n, T extreme) {
  constexpr int kChunk = 64;
  std::int64_t begin = 0;
  for (; begin + kChunk <= n; begin += kChunk) {
    int found = 0;
    for (int i = 0; i < kChunk; ++i) {
      const T value = x[begin + i];
      found |= (value == extreme) | (value != value);
    }
    if (found != 0) break;
  }
  for (std::int64_t i = begin; i < n; ++i)
    if ((x[i] == extreme) | (x[i] != x[i])) return i;
  return 0;
}

// Integers of the width of T, so that values and indices fill equally many vectors.
template <class T>
using IndexOf = std::conditional_t<sizeof(T) == 8, std::int64_t, std::int32_t>;

// Best values and their rows in [0, rows) for `width` columns; the first row must be there.
template <bool Largest, class T>
inline void scan_block(std::int64_t rows, std::int64_t inner, std::int64_t width, const T* x, T* best,
                       IndexOf<T>* at) {
  for (std::int64_t c = 0; c < width; ++c) {
    best[c] = x[c];
    at[c] = 0;
  }
  for (std::int64_t r = 1; r < rows; ++r) {
    const T* row = x + r * inner;
    const IndexOf<T> index = static_cast<IndexOf<T>>(r);
    for (std::int64_t c = 0; c < width; ++c) {
      const T value = row[c];
      const T old = best[c];
      // NaN beats all but NaN: !(value <= old) is true if either is NaN, so an old NaN must be kept.
      const bool better = (Largest ? !(value <= old) : !(value >= old)) & (old == old);
      best[c] = better ? value : old;
      at[c] = better ? index : at[c];
    }
  }
}

template <bool Largest, class T, class Index>
void scan_tile(std::int64_t reduce, std::int64_t inner, std::int64_t width, const T* x, Index* out) {
  T best[kColumns], block_best[kColumns];
  IndexOf<T> at[kColumns];
  scan_block<Largest, T>(reduce < kRows ? reduce : kRows, inner, width, x, best, at);
  for (std::int64_t c = 0; c < width; ++c) out[c] = static_cast<Index>(at[c]);
  for (std::int64_t row = kRows; row < reduce; row += kRows) {
    scan_block<Largest, T>(reduce - row < kRows ? reduce - row : kRows, inner, width, x + row * inner,
                           block_best, at);
    for (std::int64_t c = 0; c < width; ++c) {
      const T value = block_best[c];
      const bool better = (Largest ? !(value <= best[c]) : !(value >= best[c])) & (best[c] == best[c]);
      if (!better) continue;
      best[c] = value;
      out[c] = static_cast<Index>(row + at[c]);
    }
  }
}

template <bool Largest, class T, class Index>
void arg_reduce(std::int64_t reduce, std::int64_t inner, std::int64_t outer_begin, std::int64_t outer_end,
                std::int64_t inner_begin, std::int64_t inner_end, const void* in, void* out) {
  const T* x = static_cast<const T*>(in);
  Index* y = static_cast<Index*>(out);
  if (inner == 1) {
    if (inner_begin >= inner_end) return;
    using Op = std::conditional_t<Largest, MaxOp, MinOp>;
    const T* limit = x + outer_end * reduce;
    for (std::int64_t o = outer_begin; o < outer_end; ++o) {
      const T* row = x + o * reduce;
      y[o] = static_cast<Index>(find_first<T>(row, reduce, reduce_row<Op, T>(row, reduce, limit)));
    }
    return;
  }
  for (std::int64_t o = outer_begin; o < outer_end; ++o) {
    for (std::int64_t c = inner_begin; c < inner_end; c += kColumns) {
      const std::int64_t width = inner_end - c < kColumns ? inner_end - c : kColumns;
      scan_tile<Largest, T, Index>(reduce, inner, width, x + o * reduce * inner + c, y + o * inner + c);
    }
  }
}

template <bool Largest, class Index>
ReduceFn arg_of(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return &arg_reduce<Largest, float, Index>;
    case DType::f64:
      return &arg_reduce<Largest, double, Index>;
    case DType::i32:
      return &arg_reduce<Largest, std::int32_t, Index>;
    case DType::i64:
      return &arg_reduce<Largest, std::int64_t, Index>;
    case DType::b8:
      return &arg_reduce<Largest, std::uint8_t, Index>;
    default:
      return nullptr;
  }
}

}  // namespace

ReduceFn arg_reduce_lookup(bool largest, DType dtype, DType index) {
  if (index == DType::i32)
    return largest ? arg_of<true, std::int32_t>(dtype) : arg_of<false, std::int32_t>(dtype);
  if (index == DType::i64)
    return largest ? arg_of<true, std::int64_t>(dtype) : arg_of<false, std::int64_t>(dtype);
  return nullptr;
}

}  // namespace ranvier::RANVIER_ISA
