// Products whose result is a vector, of a matrix whose lines lie along k: a dot product for each line, in strips
// of 64 bytes. For *.isa.cpp only; the contract of gemm_dot stands in kernels.def.
//
// Sums in increasing k would need the lines turned in registers, 16 of them side by side (gemm_thin.h): half the
// speed at which a matrix comes from L3. Lanes along k read it as it lies.
#pragma once

#include <cstdint>

#include "simd/transpose.h"

namespace ranvier::RANVIER_ISA {

template <class T>
inline constexpr int kDotLanes = 64 / sizeof(T);
template <class T>
inline constexpr int kDotVecs = kDotLanes<T> / Vec<T>::kLanes;
// Lines that go together: enough sums in flight to hide the latency of the multiply-add, and what fold_lines takes.
template <class T>
inline constexpr int kDotLines = 2 * Vec<T>::kLanes / kPiece<T>;

// The 128-bit pieces of each line's sum folded in halves into one, four lines (two; one) to a vector.
#if defined(__AVX512F__)
template <class T>
RANVIER_INLINE Vec<T> halve(Vec<T> a, Vec<T> b) {
  using Pieces = double __attribute__((vector_size(64)));
  const Pieces x = (Pieces)a.v, y = (Pieces)b.v;
  const Pieces low = __builtin_shufflevector(x, y, 0, 1, 2, 3, 8, 9, 10, 11);
  const Pieces high = __builtin_shufflevector(x, y, 4, 5, 6, 7, 12, 13, 14, 15);
  return {(decltype(a.v))low + (decltype(a.v))high};
}
template <class T>
RANVIER_INLINE Vec<T> fold_pieces(const Vec<T>* x, int step) {
  const Vec<T> a = halve(x[0], x[step]), b = halve(x[2 * step], x[3 * step]);
  return {lanes_of<false>(a, b).v + lanes_of<true>(a, b).v};
}
#elif defined(__AVX2__)
RANVIER_INLINE Vec<float> fold_pieces(const Vec<float>* x, int step) {
  const __m256 a = x[0].v, b = x[step].v;
  return {_mm256_permute2f128_ps(a, b, 0x20) + _mm256_permute2f128_ps(a, b, 0x31)};
}
RANVIER_INLINE Vec<double> fold_pieces(const Vec<double>* x, int step) {
  const __m256d a = x[0].v, b = x[step].v;
  return {_mm256_permute2f128_pd(a, b, 0x20) + _mm256_permute2f128_pd(a, b, 0x31)};
}
#else
template <class T>
RANVIER_INLINE Vec<T> fold_pieces(const Vec<T>* x, int) {
  return x[0];
}
#endif

// The sums of kDotLines lines to the first lanes of a vector.
RANVIER_INLINE Vec<double> fold_lines(const Vec<double>* x) {
  const Vec<double> even = fold_pieces(x, 2), odd = fold_pieces(x + 1, 2);
  return {unpack<false>(even, odd).v + unpack<true>(even, odd).v};
}
// The first two of every four lanes, side by side.
template <class V>
RANVIER_INLINE V first_of_pieces(V x) {
  if constexpr (V::kLanes == 16) {
    return {__builtin_shufflevector(x.v, x.v, 0, 1, 4, 5, 8, 9, 12, 13, -1, -1, -1, -1, -1, -1, -1, -1)};
  } else if constexpr (V::kLanes == 8) {
    return {__builtin_shufflevector(x.v, x.v, 0, 1, 4, 5, -1, -1, -1, -1)};
  } else {
    return x;
  }
}
RANVIER_INLINE Vec<float> fold_lines(const Vec<float>* x) {
  const Vec<float> even = fold_pieces(x, 2), odd = fold_pieces(x + 1, 2);
  const Vec<float> pairs{unpack<false>(even, odd).v + unpack<true>(even, odd).v};  // lanes 0 + 2, then 1 + 3
  return first_of_pieces(Vec<float>{pairs.v + unpack_pairs<true>(pairs, pairs).v});
}

// R lines.
template <class T, int R>
static void dot_lines(std::int64_t k, const T* x, std::int64_t ld, const T* y, T* c, std::int64_t c_step) {
  constexpr int kLanes = Vec<T>::kLanes, V = kDotVecs<T>, kLength = kDotLanes<T>;
  Vec<T> acc[R][V];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) acc[r][v] = splat(T(0));
  }
  std::int64_t p = 0;
  for (; p + kLength <= k; p += kLength) {
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      const Vec<T> right = load(y + p + v * kLanes);
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) acc[r][v] = fma(load(x + r * ld + p + v * kLanes), right, acc[r][v]);
    }
  }
  if (p < k) {  // all lanes of the last strip: what is missing is +0 times +0
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      const std::int64_t left = k - p - v * kLanes;
      const int count = static_cast<int>(left < 0 ? 0 : left < kLanes ? left : kLanes);
      const TailMask<T> mask(count);
      // No address past the operands is formed where there is nothing left.
      const std::int64_t at = count > 0 ? p + v * kLanes : 0;
      const Vec<T> right = load(y + at, mask);
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) acc[r][v] = fma(load(x + r * ld + at, mask), right, acc[r][v]);
    }
  }
  Vec<T> sums[kDotLines<T>];
#pragma GCC unroll 8
  for (int r = 0; r < kDotLines<T>; ++r) {
    if (r < R) {
#pragma GCC unroll 2
      for (int half = V / 2; half > 0; half /= 2) {
#pragma GCC unroll 2
        for (int v = 0; v < half; ++v) acc[r][v].v += acc[r][v + half].v;
      }
      sums[r] = acc[r][0];
    } else {
      sums[r] = splat(T(0));
    }
  }
  const Vec<T> folded = fold_lines(sums);
  if (c_step == 1) return store(c, folded, TailMask<T>(R));
  T out[kLanes];
  store(out, folded);
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) c[r * c_step] = out[r];
}

template <class T>
static void dot(std::int64_t lines, std::int64_t k, const T* x, std::int64_t ld, const T* y, T* c,
                std::int64_t c_step) {
  constexpr int kMost = kDotLines<T>;
  for (; lines >= kMost; lines -= kMost, x += kMost * ld, c += kMost * c_step) {
    dot_lines<T, kMost>(k, x, ld, y, c, c_step);
  }
  if constexpr (kMost > 4) {
    if (lines >= 4) {
      dot_lines<T, 4>(k, x, ld, y, c, c_step);
      lines -= 4, x += 4 * ld, c += 4 * c_step;
    }
  }
  if constexpr (kMost > 2) {
    if (lines >= 2) {
      dot_lines<T, 2>(k, x, ld, y, c, c_step);
      lines -= 2, x += 2 * ld, c += 2 * c_step;
    }
  }
  if (lines > 0) dot_lines<T, 1>(k, x, ld, y, c, c_step);
}

}  // namespace ranvier::RANVIER_ISA
