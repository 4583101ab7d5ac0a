// What the softmax kernels share: rows in strips of kStrip elements held in native vectors. Sums over a row
// use the tree of reduce/lanes.h. Arrays are given with their limit: nothing from there on is read.
#pragma once

#include "kernels/reduce/lanes.h"
#include "simd/math.h"

namespace ranvier::RANVIER_ISA {

inline constexpr int kStrip = 16;
template <class T>
inline constexpr int kStripVecs = kStrip / kNative<T>;
template <class T>
using Strip = Lanes<T, kStripVecs<T>>;
template <class T>
inline constexpr T kNegInf = -T(__builtin_inf());

// The strip at p. Elements from `count` on are `fill`.
template <class T>
[[gnu::always_inline]] static inline Strip<T> load_strip(const T* p, std::int64_t count, const T* limit,
                                                         T fill) {
  return load_lanes<T, kStripVecs<T>>(p, count, limit, fill);
}

template <int Count, class T>
[[gnu::always_inline]] static inline void copy_part(T*& p, const T*& from, std::int64_t count) {
  if ((count & Count) == 0) return;
  __builtin_memcpy(p, from, Count * sizeof(T));
  p += Count;
  from += Count;
}
// Stores the first `count` elements. Not by masked stores: those of AVX2 are slow on some processors.
template <class T>
[[gnu::always_inline]] static inline void store_strip(T* p, std::int64_t count, const Strip<T>& strip) {
  if (count >= kStrip) {
    for (int k = 0; k < kStripVecs<T>; ++k) store_vec(p + k * kNative<T>, strip.v[k]);
    return;
  }
  alignas(64) T buffer[kStrip];
  for (int k = 0; k < kStripVecs<T>; ++k) store_vec(buffer + k * kNative<T>, strip.v[k]);
  const T* from = buffer;
  copy_part<8>(p, from, count);
  copy_part<4>(p, from, count);
  copy_part<2>(p, from, count);
  copy_part<1>(p, from, count);
}

// f on vectors, or on vectors of two strips.
template <class T, class F>
[[gnu::always_inline]] static inline Strip<T> map(Strip<T> a, F f) {
  for (int k = 0; k < kStripVecs<T>; ++k) a.v[k] = f(a.v[k]);
  return a;
}
template <class T, class F>
[[gnu::always_inline]] static inline Strip<T> map(Strip<T> a, const Strip<T>& b, F f) {
  for (int k = 0; k < kStripVecs<T>; ++k) a.v[k] = f(a.v[k], b.v[k]);
  return a;
}
// f on elements: the scalar functions of simd/math.h, in a loop that the compiler makes vectors of again.
template <class T, class F>
[[gnu::always_inline]] static inline Strip<T> map_elements(const Strip<T>& a, F f) {
  alignas(64) T x[kStrip];
  __builtin_memcpy(x, &a, sizeof(x));
  for (int l = 0; l < kStrip; ++l) x[l] = f(x[l]);
  Strip<T> result;
  __builtin_memcpy(&result, x, sizeof(x));
  return result;
}

// out[c] = f(a[c]) for c < cols, f on strips. `out` may be `a`.
template <class T, class F>
[[gnu::always_inline]] static inline void map_row(std::int64_t cols, const T* a, const T* limit, T* out,
                                                  F f) {
  for (std::int64_t c = 0; c < cols; c += kStrip)
    store_strip(out + c, cols - c, f(load_strip<T>(a + c, cols - c, limit, T(0))));
}
// out[c] = f(a[c], b[c]); `readable` elements follow a and b. `out` may be `a` or `b`.
template <class T, class F>
[[gnu::always_inline]] static inline void map_rows(std::int64_t cols, const T* a, const T* b,
                                                   std::int64_t readable, T* out, F f) {
  for (std::int64_t c = 0; c < cols; c += kStrip) {
    const Strip<T> x = load_strip<T>(a + c, cols - c, a + readable, T(0));
    const Strip<T> y = load_strip<T>(b + c, cols - c, b + readable, T(0));
    store_strip(out + c, cols - c, f(x, y));
  }
}

// Op over a row. Short rows are folded from one strip, which gives the bits of the whole tree.
template <class Op, class T>
[[gnu::always_inline]] static inline T fold_any(std::int64_t cols, const T* x, const T* limit) {
  if (cols <= kStrip) return fold<Op, T>(load_strip<T>(x, cols, limit, Op::template identity<T>()));
  return reduce_row<Op, T>(x, cols, limit);
}
template <class T>
[[gnu::always_inline]] static inline T row_sum(std::int64_t cols, const T* x, const T* limit) {
  return fold_any<AddOp, T>(cols, x, limit);
}
// The largest element. A NaN may be lost here; it shows again in the sum of exponentials.
template <class T>
[[gnu::always_inline]] static inline T row_max(std::int64_t cols, const T* x, const T* limit) {
  return fold_any<FastMaxOp, T>(cols, x, limit);
}

// A sum and what its roundings lost.
template <class V>
struct Sum {
  V high, low;
  Sum() = default;
  [[gnu::always_inline]] inline explicit Sum(V h) : high(h), low(V{}) {}
  [[gnu::always_inline]] inline Sum(V h, V l) : high(h), low(l) {}
  [[gnu::always_inline]] inline Sum operator+(const Sum& other) const {
    const V s = high + other.high;
    const V v = s - high;
    return Sum(s, ((high - (s - v)) + (other.high - v)) + (low + other.low));
  }
  [[gnu::always_inline]] inline Sum operator+(V value) const {
    const V s = high + value;
    const V v = s - high;
    return Sum(s, ((high - (s - v)) + (value - v)) + low);
  }
};

// As fold of lanes.h.
template <class T, int N, int Width = N>
[[gnu::always_inline]] static inline Sum<T> fold_sum(const Sum<VecN<T, N>>& sum) {
  if constexpr (Width == 1) {
    return Sum<T>(sum.high[0], sum.low[0]);
  } else if constexpr (N * sizeof(T) > 16) {
    using Half = std::make_integer_sequence<int, N / 2>;
    using S = Sum<VecN<T, N / 2>>;
    return fold_sum<T, N / 2>(S(part<0>(sum.high, Half{}), part<0>(sum.low, Half{})) +
                              S(part<N / 2>(sum.high, Half{}), part<N / 2>(sum.low, Half{})));
  } else {
    using All = std::make_integer_sequence<int, N>;
    using S = Sum<VecN<T, N>>;
    const S upper(part<Width / 2>(sum.high, All{}), part<Width / 2>(sum.low, All{}));
    return fold_sum<T, N, Width / 2>(sum + upper);
  }
}

template <class T>
using NativeIndex = std::make_integer_sequence<int, kNative<T>>;
// Of each group of `Group` lanes: a's lower half, then b's; or their upper halves.
template <bool kUpper, int Group, class V, int... I>
[[gnu::always_inline]] static inline V halves_of(V a, V b, std::integer_sequence<int, I...>) {
  constexpr int N = sizeof...(I), half = Group / 2, part = kUpper ? half : 0;
  return __builtin_shufflevector(a, b, (I / Group * Group + I % half + part + (I % Group < half ? 0 : N))...);
}
// Groups of a and b folded by Op to half as many lanes, in one vector.
template <class Op, int Group, class T>
[[gnu::always_inline]] static inline NativeVec<T> fold_halves(NativeVec<T> a, NativeVec<T> b) {
  return Op::apply(halves_of<false, Group>(a, b, NativeIndex<T>{}),
                   halves_of<true, Group>(a, b, NativeIndex<T>{}));
}
// v[i xor Distance]: a pattern that has an instruction.
template <int Distance, class V, int... I>
[[gnu::always_inline]] static inline V exchanged(V v, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(v, v, (I ^ Distance)...);
}
// Groups of lanes folded in halves by Op: every lane gets its group's value.
template <class Op, int Group, class T>
[[gnu::always_inline]] static inline NativeVec<T> fold_groups(NativeVec<T> v) {
  if constexpr (Group == 1) {
    return v;
  } else {
    return fold_groups<Op, Group / 2, T>(Op::apply(v, exchanged<Group / 2>(v, NativeIndex<T>{})));
  }
}
// The vectors of a strip folded to one.
template <class Op, class T>
[[gnu::always_inline]] static inline NativeVec<T> fold_vectors(Strip<T> x) {
  for (int half = kStripVecs<T> / 2; half > 0; half /= 2)
    for (int k = 0; k < half; ++k) x.v[k] = Op::apply(x.v[k], x.v[k + half]);
  return x.v[0];
}
template <int Lane, class V, int... I>
[[gnu::always_inline]] static inline V lane_everywhere(V v, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(v, v, (I * 0 + Lane)...);
}

// The sum of a strip of numbers from 0 to 1, rounded once, or nearly: their upper parts, which are multiples of
// one unit, have an exact sum, and the roundings of the lower parts' do not count. Both in halves of one vector.
template <class T>
[[gnu::always_inline]] static inline NativeVec<T> upper_and_lower(const Strip<T>& x) {
  using V = NativeVec<T>;
  constexpr T kUnits = T(1.5) * kStrip;  // added to a number, it leaves no place for the lower part
  const Strip<T> upper = map(x, [](V v) { return (v + kUnits) - kUnits; });
  const Strip<T> lower = map(x, upper, [](V v, V u) { return v - u; });
  return fold_halves<AddOp, kNative<T>, T>(fold_vectors<AddOp, T>(upper), fold_vectors<AddOp, T>(lower));
}
template <class T>
[[gnu::always_inline]] static inline T sum_of_strip(const Strip<T>& x) {
  const NativeVec<T> both = fold_groups<AddOp, kNative<T> / 2, T>(upper_and_lower<T>(x));
  return both[0] + both[kNative<T> / 2];
}

// Two strips together, which takes half the instructions: each one's value, in all lanes.
template <class T>
struct OfTwo {
  NativeVec<T> a, b;
};
template <class T>
[[gnu::always_inline]] static inline OfTwo<T> max_of_two(const Strip<T>& a, const Strip<T>& b) {
  constexpr int N = kNative<T>;
  const NativeVec<T> x = fold_vectors<FastMaxOp, T>(a), y = fold_vectors<FastMaxOp, T>(b);
  const NativeVec<T> max = fold_groups<FastMaxOp, N / 2, T>(fold_halves<FastMaxOp, N, T>(x, y));
  return {lane_everywhere<0>(max, NativeIndex<T>{}), lane_everywhere<N / 2>(max, NativeIndex<T>{})};
}
template <class T>
[[gnu::always_inline]] static inline OfTwo<T> sum_of_two(const Strip<T>& a, const Strip<T>& b) {
  constexpr int N = kNative<T>, second = N > 2 ? N / 4 : 1;
  const NativeVec<T> x = upper_and_lower<T>(a), y = upper_and_lower<T>(b);
  NativeVec<T> sums;
  if constexpr (N == 2) {
    sums = fold_halves<AddOp, N, T>(x, y);
  } else {
    // Quarters: the upper parts of a, of b, the lower parts of a, of b.
    const NativeVec<T> parts = fold_groups<AddOp, N / 4, T>(fold_halves<AddOp, N / 2, T>(x, y));
    sums = parts + exchanged<N / 2>(parts, NativeIndex<T>{});
  }
  return {lane_everywhere<0>(sums, NativeIndex<T>{}), lane_everywhere<second>(sums, NativeIndex<T>{})};
}

// The sum of a row of exponentials: of a long one as sum_strips but for its roundings, which are kept. (A short
// one has few of them, for a logarithm.)
template <class T, class F>
[[gnu::always_inline]] static inline T sum_exponentials(std::int64_t cols, F strip) {
  using V = NativeVec<T>;
  if (cols <= kStrip) return fold<AddOp, T>(strip(std::int64_t{0}, cols));
  constexpr std::int64_t kBlock = std::int64_t{kStrips} * kLanes<T>;
  constexpr int K = kLanes<T> / kNative<T>;
  Pairwise<AddOp, Sum<T>> blocks;
  for (std::int64_t begin = 0; begin < cols; begin += kBlock) {
    const std::int64_t end = cols - begin < kBlock ? cols : begin + kBlock;
    Sum<V> acc[K];
    for (int k = 0; k < K; ++k) acc[k] = Sum<V>(V{});
    for (std::int64_t c = begin; c < end; c += kStrip) {
      const Strip<T> x = strip(c, end - c);
      Sum<V>* lane = acc + (c - begin) % kLanes<T> / kNative<T>;
      for (int k = 0; k < kStripVecs<T>; ++k) lane[k] = lane[k] + x.v[k];
    }
    for (int half = K / 2; half > 0; half /= 2)
      for (int k = 0; k < half; ++k) acc[k] = acc[k] + acc[k + half];
    const Sum<T> sum = fold_sum<T, kNative<T>>(acc[0]);
    if (cols <= kBlock) return sum.high + sum.low;
    blocks.push(sum);
  }
  const Sum<T> sum = blocks.finish();
  return sum.high + sum.low;
}

// The sum over c < cols of the strips that strip(c, count) gives for elements c to c + kStrip, zero from
// `count` on: the tree of reduce_row, with the lanes in memory, so that `strip` is inlined once.
template <class T, class F>
[[gnu::always_inline]] static inline T sum_strips(std::int64_t cols, F strip) {
  if (cols <= kStrip) return fold<AddOp, T>(strip(std::int64_t{0}, cols));
  constexpr std::int64_t kBlock = std::int64_t{kStrips} * kLanes<T>;
  Pairwise<AddOp, T> blocks;
  for (std::int64_t begin = 0; begin < cols; begin += kBlock) {
    const std::int64_t end = cols - begin < kBlock ? cols : begin + kBlock;
    alignas(64) T acc[kLanes<T>] = {};
    for (std::int64_t c = begin; c < end; c += kStrip) {
      const Strip<T> x = strip(c, end - c);
      T* lane = acc + (c - begin) % kLanes<T>;
      for (int k = 0; k < kStripVecs<T>; ++k, lane += kNative<T>)
        store_vec(lane, load_vec<NativeVec<T>>(lane) + x.v[k]);
    }
    Lanes<T, kLanes<T> / kNative<T>> lanes;
    __builtin_memcpy(&lanes, acc, sizeof(lanes));
    blocks.push(fold<AddOp, T>(lanes));
  }
  return blocks.finish();
}

// e^(x - max) for x <= max, within an ulp or so: the difference is carried in two numbers, for what its rounding
// loses would be magnified by the exponential. What rounds to zero is not computed: it would pass through
// denormal numbers, which are slow, and so would elements of -inf, which short rows are padded with.
template <class T>
[[gnu::always_inline]] static inline T exp_below(T x, T max) {
  const T t = x - max;
  const T v = t - x;
  const T lo = (x - (t - v)) - (max + v);
  const bool gone = t < Fp<T>::kExpMin;
  const T e = exp_core(gone ? T(0) : t, lo);
  return gone ? T(0) : e;
}
template <class T>
[[gnu::always_inline]] static inline Strip<T> exp_strip(const Strip<T>& x, T max) {
  return map_elements(x, [=](T value) { return exp_below(value, max); });
}
template <class T>
[[gnu::always_inline]] static inline Strip<T> exp_strip(const Strip<T>& x, NativeVec<T> max) {
  alignas(64) T values[kStrip], maxima[kStrip];
  __builtin_memcpy(values, &x, sizeof(values));
  for (int k = 0; k < kStrip; k += kNative<T>) store_vec(maxima + k, max);
  for (int l = 0; l < kStrip; ++l) values[l] = exp_below(values[l], maxima[l]);
  Strip<T> result;
  __builtin_memcpy(&result, values, sizeof(values));
  return result;
}

// The maximum of a row and the sum of exp(x - maximum).
template <class T>
[[gnu::always_inline]] static inline void row_stats(std::int64_t cols, const T* x, const T* limit, T& max,
                                                    T& sum) {
  const T m = row_max(cols, x, limit);
  max = m;
  sum = sum_exponentials<T>(cols, [=](std::int64_t i, std::int64_t count) {
    return exp_strip(load_strip<T>(x + i, count, limit, kNegInf<T>), m);
  });
}

// out = exp(x - maximum); returns its sum.
template <class T>
[[gnu::always_inline]] static inline T exp_row(std::int64_t cols, const T* x, const T* limit, T* out) {
  const T max = row_max(cols, x, limit);
  return sum_exponentials<T>(cols, [=](std::int64_t i, std::int64_t count) {
    const Strip<T> e = exp_strip(load_strip<T>(x + i, count, limit, kNegInf<T>), max);
    store_strip(out + i, count, e);
    return e;
  });
}

// The softmax of a whole short row: elements beyond it are -inf in x, 0 in the result.
template <class T>
[[gnu::always_inline]] static inline Strip<T> softmax_strip(const Strip<T>& x) {
  const Strip<T> e = exp_strip(x, fold<FastMaxOp, T>(x));
  const T sum = sum_of_strip<T>(e);
  return map(e, [=](NativeVec<T> v) { return v / sum; });  // takes no longer than a reciprocal and rounds once
}

// Of two rows together.
template <class T>
[[gnu::always_inline]] static inline void softmax_two(Strip<T>& x, Strip<T>& y) {
  using V = NativeVec<T>;
  const OfTwo<T> max = max_of_two<T>(x, y);
  x = exp_strip<T>(x, max.a);
  y = exp_strip<T>(y, max.b);
  const OfTwo<T> sum = sum_of_two<T>(x, y);
  x = map(x, [=](V v) { return v / sum.a; });
  y = map(y, [=](V v) { return v / sum.b; });
}
// finish(r, the softmax of row r) for short rows.
template <class T, class F>
[[gnu::always_inline]] static inline void softmax_short_rows(std::int64_t rows, std::int64_t cols, const T* x,
                                                             F finish) {
  const T* limit = x + rows * cols;
  std::int64_t r = 0;
  for (; r + 2 <= rows; r += 2, x += 2 * cols) {
    Strip<T> a = load_strip<T>(x, cols, limit, kNegInf<T>);
    Strip<T> b = load_strip<T>(x + cols, cols, limit, kNegInf<T>);
    softmax_two<T>(a, b);
    finish(r, a);
    finish(r + 1, b);
  }
  if (r < rows) finish(r, softmax_strip<T>(load_strip<T>(x, cols, limit, kNegInf<T>)));
}

// The sum of a * b.
template <class T>
[[gnu::always_inline]] static inline T row_dot(std::int64_t cols, const T* a, const T* b,
                                               std::int64_t readable) {
  using V = NativeVec<T>;
  return sum_strips<T>(cols, [=](std::int64_t i, std::int64_t count) {
    return map(load_strip<T>(a + i, count, a + readable, T(0)),
               load_strip<T>(b + i, count, b + readable, T(0)), [](V x, V y) { return x * y; });
  });
}

}  // namespace ranvier::RANVIER_ISA
