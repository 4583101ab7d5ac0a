// What the softmax kernels share: rows in strips of kStrip elements, whose loops over a constant count
// vectorise with the scalar functions of simd/math.h. Every sum over a row uses the tree of reduce/lanes.h.
#pragma once

#include "kernels/reduce/lanes.h"
#include "simd/math.h"

namespace ranvier::RANVIER_ISA {

inline constexpr int kStrip = 16;
template <class T>
using StripLanes = Lanes<T, kStrip / kNative<T>>;
template <class T>
inline constexpr T kNegInf = -T(__builtin_inf());

// kStrip values in memory, as the loops like them.
template <class T>
struct Strip {
  alignas(64) T v[kStrip];
};

template <class T>
[[gnu::always_inline]] static inline StripLanes<T> lanes_of(const Strip<T>& strip) {
  StripLanes<T> lanes;
  __builtin_memcpy(&lanes, strip.v, sizeof(lanes));
  return lanes;
}

// The strip at p. With `count` < kStrip its other elements are `fill`, and nothing from `limit` on is read.
template <class T>
[[gnu::always_inline]] static inline Strip<T> load_strip(const T* p, std::int64_t count, const T* limit,
                                                         T fill) {
  const StripLanes<T> lanes = load_lanes<T, kStrip / kNative<T>>(p, count, limit, fill);
  Strip<T> strip;
  __builtin_memcpy(strip.v, &lanes, sizeof(lanes));
  return strip;
}

template <int Count, class T>
[[gnu::always_inline]] static inline void copy_part(T*& p, const T*& from, std::int64_t count) {
  if ((count & Count) == 0) return;
  __builtin_memcpy(p, from, Count * sizeof(T));
  p += Count;
  from += Count;
}
template <class T>
[[gnu::always_inline]] static inline void store_strip(T* p, std::int64_t count, const Strip<T>& strip) {
  if (count >= kStrip) {
    for (int l = 0; l < kStrip; ++l) p[l] = strip.v[l];
    return;
  }
  const T* from = strip.v;
  copy_part<8>(p, from, count);
  copy_part<4>(p, from, count);
  copy_part<2>(p, from, count);
  copy_part<1>(p, from, count);
}

// out[c] = f(a[c]) for c < cols. `out` may be `a`.
template <class T, class F>
[[gnu::always_inline]] static inline void map_row(std::int64_t cols, const T* a, const T* limit, T* out,
                                                  F f) {
  for (std::int64_t c = 0; c < cols; c += kStrip) {
    Strip<T> x = load_strip<T>(a + c, cols - c, limit, T(0));
    for (int l = 0; l < kStrip; ++l) x.v[l] = f(x.v[l]);
    store_strip(out + c, cols - c, x);
  }
}

// out[c] = f(a[c], b[c]); arrays a and b end at equal distances. `out` may be `a` or `b`.
template <class T, class F>
[[gnu::always_inline]] static inline void map_rows(std::int64_t cols, const T* a, const T* b,
                                                   std::int64_t readable, T* out, F f) {
  for (std::int64_t c = 0; c < cols; c += kStrip) {
    Strip<T> x = load_strip<T>(a + c, cols - c, a + readable, T(0));
    const Strip<T> y = load_strip<T>(b + c, cols - c, b + readable, T(0));
    for (int l = 0; l < kStrip; ++l) x.v[l] = f(x.v[l], y.v[l]);
    store_strip(out + c, cols - c, x);
  }
}

// Op over a row. Short rows are folded from one strip, which gives the bits of the whole tree.
template <class Op, class T>
[[gnu::always_inline]] static inline T fold_any(std::int64_t cols, const T* x, const T* limit) {
  if (cols <= kStrip) return fold<Op, T>(lanes_of(load_strip<T>(x, cols, limit, Op::template identity<T>())));
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

// The sum over c < cols of the values that strip(c, count) gives for elements c to c + kStrip, zero from
// `count` on.
template <class T, class F>
[[gnu::always_inline]] static inline T sum_strips(std::int64_t cols, F strip) {
  if (cols <= kStrip) return fold<AddOp, T>(lanes_of(strip(std::int64_t{0}, cols)));
  return fold_row<AddOp, T>(cols, [=](std::int64_t i, std::int64_t count) {
    Lanes<T, kLanes<T> / kNative<T>> lanes;
    for (int s = 0; s < kLanes<T>; s += kStrip) {
      Strip<T> x{};
      if (count > s) x = strip(i + s, count - s);
      __builtin_memcpy(&lanes.v[s / kNative<T>], x.v, sizeof(x.v));
    }
    return lanes;
  });
}

// The maximum of a row and the sum of exp(x - maximum).
template <class T>
[[gnu::always_inline]] static inline void row_stats(std::int64_t cols, const T* x, const T* limit, T& max,
                                                    T& sum) {
  const T m = row_max(cols, x, limit);
  max = m;
  sum = sum_strips<T>(cols, [=](std::int64_t i, std::int64_t count) {
    Strip<T> e = load_strip<T>(x + i, count, limit, kNegInf<T>);
    for (int l = 0; l < kStrip; ++l) e.v[l] = exp_(e.v[l] - m);
    return e;
  });
}

// The sum of a * b.
template <class T>
[[gnu::always_inline]] static inline T row_dot(std::int64_t cols, const T* a, const T* b,
                                               std::int64_t readable) {
  return sum_strips<T>(cols, [=](std::int64_t i, std::int64_t count) {
    Strip<T> x = load_strip<T>(a + i, count, a + readable, T(0));
    const Strip<T> y = load_strip<T>(b + i, count, b + readable, T(0));
    for (int l = 0; l < kStrip; ++l) x.v[l] *= y.v[l];
    return x;
  });
}

}  // namespace ranvier::RANVIER_ISA
