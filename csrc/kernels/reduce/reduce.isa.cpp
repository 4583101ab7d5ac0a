// Sums, products, maxima, minima, any and all over the middle axis of [outer, reduce, inner].
//
// inner == 1: the tree of lanes.h. inner > 1, per column: blocks of kBlockRows rows; within a block the rows
// go in groups of eight, a group is folded as ((0+4)+(2+6))+((1+5)+(3+7)), the groups are added in increasing
// order and then the rows that are left, one by one; blocks are combined pairwise. So no order depends on the
// ranges.
#include "kernels/reduce/lanes.h"
#include "kernels/table.h"

namespace ranvier::RANVIER_ISA {
namespace {

constexpr int kBlockRows = 128;
constexpr int kTileBytes = 2048;  // of a column tile: its accumulators and eight rows of it stay in L1
constexpr int kTileLevels = 32;   // of its pairwise combination: enough for 2^39 rows

template <class T>
constexpr int kTile = kTileBytes / static_cast<int>(sizeof(T));

// One row's vector at p: whole when it stays inside the array, else its first `count` elements.
template <class T>
[[gnu::always_inline]] inline NativeVec<T> load_column(const T* p, std::int64_t count, const T* limit) {
  if (limit - p >= kNative<T>) [[likely]]
    return load_vec<NativeVec<T>>(p);
  return load_partial<T>(p, count, limit, T(0));
}

// acc[0, width) (in whole vectors) = op(acc, rows [0, rows) of x), rows <= kBlockRows. Accumulators beyond
// `width` become garbage: a last vector is read whole wherever the array goes on.
template <class Op, class T>
void accumulate_block(std::int64_t rows, std::int64_t inner, std::int64_t width, const T* x, const T* limit,
                      T* acc) {
  constexpr int N = kNative<T>;
  std::int64_t row = 0;
  for (; row + 8 <= rows; row += 8) {
    const T* group = x + row * inner;
    const bool inside = limit - (group + 7 * inner + width) >= N;
    const std::int64_t whole = inside ? width : width - width % N;
    std::int64_t c = 0;
    for (; c < whole; c += N) {
      NativeVec<T> v[8];
      for (int r = 0; r < 8; ++r) v[r] = load_vec<NativeVec<T>>(group + r * inner + c);
      for (int half = 4; half > 0; half /= 2)
        for (int r = 0; r < half; ++r) v[r] = Op::apply(v[r], v[r + half]);
      store_vec(acc + c, Op::apply(load_vec<NativeVec<T>>(acc + c), v[0]));
    }
    if (c >= width) continue;
    NativeVec<T> v[8];
    for (int r = 0; r < 8; ++r) v[r] = load_column<T>(group + r * inner + c, width - c, limit);
    for (int half = 4; half > 0; half /= 2)
      for (int r = 0; r < half; ++r) v[r] = Op::apply(v[r], v[r + half]);
    store_vec(acc + c, Op::apply(load_vec<NativeVec<T>>(acc + c), v[0]));
  }
  for (; row < rows; ++row) {
    for (std::int64_t c = 0; c < width; c += N) {
      const NativeVec<T> v = load_column<T>(x + row * inner + c, width - c, limit);
      store_vec(acc + c, Op::apply(load_vec<NativeVec<T>>(acc + c), v));
    }
  }
}

// The columns [0, width) of one [reduce, inner] array, width <= kTile. result[0, width).
template <class Op, class T>
void reduce_tile(std::int64_t reduce, std::int64_t inner, std::int64_t width, const T* x, const T* limit,
                 T* result) {
  constexpr T identity = Op::template identity<T>();
  alignas(64) T partial[kTileLevels][kTile<T>];  // as Pairwise, for a whole tile
  std::uint64_t count = 0;
  for (std::int64_t row = 0; row < reduce; row += kBlockRows, ++count) {
    const std::int64_t rows = reduce - row < kBlockRows ? reduce - row : kBlockRows;
    int level = __builtin_ctzll(~count);
    T* acc = partial[level];
    for (std::int64_t c = 0; c < width; c += kNative<T>)
      store_vec(acc + c, broadcast<NativeVec<T>>(identity));
    accumulate_block<Op, T>(rows, inner, width, x + row * inner, limit, acc);
    for (int l = 0; l < level; ++l)
      for (std::int64_t c = 0; c < width; ++c) acc[c] = Op::apply(partial[l][c], acc[c]);
  }
  if (count == 0) {
    for (std::int64_t c = 0; c < width; ++c) result[c] = identity;
    return;
  }
  int level = __builtin_ctzll(count);
  for (std::int64_t c = 0; c < width; ++c) result[c] = partial[level][c];
  for (std::uint64_t bits = count >> level >> 1; bits != 0; bits >>= 1) {
    ++level;
    if ((bits & 1) == 0) continue;
    for (std::int64_t c = 0; c < width; ++c) result[c] = Op::apply(partial[level][c], result[c]);
  }
}

// ToBool: the bytes of a bool array, whatever nonzero values they hold, reduce to 0 or 1.
template <class Op, class T, bool ToBool>
void reduce_axis(std::int64_t reduce, std::int64_t inner, std::int64_t outer_begin, std::int64_t outer_end,
                 std::int64_t inner_begin, std::int64_t inner_end, const void* in, void* out) {
  const T* x = static_cast<const T*>(in);
  T* y = static_cast<T*>(out);
  if (inner == 1) {
    if (inner_begin >= inner_end) return;
    const T* limit = x + outer_end * reduce;
    for (std::int64_t o = outer_begin; o < outer_end; ++o) {
      const T value = reduce_row<Op, T>(x + o * reduce, reduce, limit);
      y[o] = ToBool ? T(value != 0) : value;
    }
    return;
  }
  for (std::int64_t o = outer_begin; o < outer_end; ++o) {
    const T* slab = x + o * reduce * inner;
    for (std::int64_t c = inner_begin; c < inner_end; c += kTile<T>) {
      const std::int64_t width = inner_end - c < kTile<T> ? inner_end - c : kTile<T>;
      T* result = y + o * inner + c;
      reduce_tile<Op, T>(reduce, inner, width, slab + c, slab + reduce * inner, result);
      if (ToBool)
        for (std::int64_t i = 0; i < width; ++i) result[i] = T(result[i] != 0);
    }
  }
}

template <class T>
ReduceFn extreme_of(ReduceOp op) {
  return op == ReduceOp::kMax   ? &reduce_axis<MaxOp, T, false>
         : op == ReduceOp::kMin ? &reduce_axis<MinOp, T, false>
                                : nullptr;
}
// Sums and products of integers wrap, so they are taken over the unsigned type of the same size.
template <class T>
ReduceFn total_of(ReduceOp op) {
  return op == ReduceOp::kSum    ? &reduce_axis<AddOp, T, false>
         : op == ReduceOp::kProd ? &reduce_axis<MulOp, T, false>
                                 : nullptr;
}
template <class Value, class Total>
ReduceFn number_of(ReduceOp op) {
  const ReduceFn total = total_of<Total>(op);
  return total != nullptr ? total : extreme_of<Value>(op);
}

}  // namespace

ReduceFn reduce_lookup(ReduceOp op, DType dtype) {
  switch (dtype) {
    case DType::f32:
      return number_of<float, float>(op);
    case DType::f64:
      return number_of<double, double>(op);
    case DType::i32:
      return number_of<std::int32_t, std::uint32_t>(op);
    case DType::i64:
      return number_of<std::int64_t, std::uint64_t>(op);
    case DType::b8:
      return op == ReduceOp::kAny   ? &reduce_axis<MaxOp, std::uint8_t, true>
             : op == ReduceOp::kAll ? &reduce_axis<MinOp, std::uint8_t, true>
                                    : nullptr;
    default:
      return nullptr;
  }
}

}  // namespace ranvier::RANVIER_ISA
