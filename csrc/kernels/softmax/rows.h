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
  [[gnu::always_inline]] inline Sum operator+(const Sum& other) const {
    const V s = high + other.high;
    const V v = s - high;
    return {s, ((high - (s - v)) + (other.high - v)) + (low + other.low)};
  }
  [[gnu::always_inline]] inline Sum operator+(V value) const {
    const V s = high + value;
    const V v = s - high;
    return {s, ((high - (s - v)) + (value - v)) + low};
  }
};

// As fold of lanes.h.
template <class T, int N, int Width = N>
[[gnu::always_inline]] static inline T fold_sum(const Sum<VecN<T, N>>& sum) {
  if constexpr (Width == 1) {
    return sum.high[0] + sum.low[0];
  } else if constexpr (N * sizeof(T) > 16) {
    using Half = std::make_integer_sequence<int, N / 2>;
    using S = Sum<VecN<T, N / 2>>;
    return fold_sum<T, N / 2>(S{part<0>(sum.high, Half{}), part<0>(sum.low, Half{})} +
                              S{part<N / 2>(sum.high, Half{}), part<N / 2>(sum.low, Half{})});
  } else {
    using All = std::make_integer_sequence<int, N>;
    using S = Sum<VecN<T, N>>;
    return fold_sum<T, N, Width / 2>(sum + S{part<Width / 2>(sum.high, All{}), part<Width / 2>(sum.low, All{})});
  }
}

// The sum of a long row of exponentials, as sum_strips but for its roundings, which are kept.
template <class T, class F>
[[gnu::always_inline]] static inline T sum_exponentials(std::int64_t cols, F strip) {
  using V = NativeVec<T>;
  if (cols <= kStrip) return fold<AddOp, T>(strip(std::int64_t{0}, cols));
  constexpr std::int64_t kBlock = std::int64_t{kStrips} * kLanes<T>;
  constexpr int K = kLanes<T> / kNative<T>;
  Pairwise<AddOp, T> blocks;
  for (std::int64_t begin = 0; begin < cols; begin += kBlock) {
    const std::int64_t end = cols - begin < kBlock ? cols : begin + kBlock;
    Sum<V> acc[K] = {};
    for (std::int64_t c = begin; c < end; c += kStrip) {
      const Strip<T> x = strip(c, end - c);
      Sum<V>* lane = acc + (c - begin) % kLanes<T> / kNative<T>;
      for (int k = 0; k < kStripVecs<T>; ++k) lane[k] = lane[k] + x.v[k];
    }
    for (int half = K / 2; half > 0; half /= 2)
      for (int k = 0; k < half; ++k) acc[k] = acc[k] + acc[k + half];
    blocks.push(fold_sum<T, kNative<T>>(acc[0]));
  }
  return blocks.finish();
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
  const T sum = fold<AddOp, T>(e);
  return map(e, [=](NativeVec<T> v) { return v / sum; });  // takes no longer than a reciprocal and rounds once
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
