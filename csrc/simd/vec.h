// The native vector of the instruction set a file is compiled for: 512 bits (AVX-512), 256 (AVX2 with FMA),
// 128 (NEON, or plain SSE in the baseline). Include it from *.isa.cpp files and their headers only.
//
// `Vec<T>` (T = float, double) wraps a GCC/Clang vector in `.v`, on which + - * / and comparisons work.
// `TailMask<T>` selects the first `count` lanes, 0 <= count <= kLanes; masked loads give zero in the other
// lanes and masked loads and stores never touch their memory. No alignment is required anywhere.
//
// fma() rounds once on every instruction set, so results are the same bits everywhere. The x86-64-v2
// baseline has no such instruction: floats are emulated exactly in double (round to odd, then round once),
// doubles go through libm's fma. Both are slow; the baseline exists to be correct.
#pragma once

#include <cstdint>

#if defined(__SSE2__)
#include <immintrin.h>
#elif defined(__ARM_NEON) && defined(__aarch64__)
#include <arm_neon.h>
#endif

#define RANVIER_INLINE static inline __attribute__((always_inline))

namespace ranvier::RANVIER_ISA {

template <class T>
struct Vec;
template <class T>
struct TailMask;

#if defined(__AVX512F__)

template <>
struct Vec<float> {
  static constexpr int kLanes = 16;
  __m512 v;
};
template <>
struct Vec<double> {
  static constexpr int kLanes = 8;
  __m512d v;
};
template <>
struct TailMask<float> {
  __mmask16 m;
  explicit TailMask(int count) : m(static_cast<__mmask16>((1u << count) - 1u)) {}
};
template <>
struct TailMask<double> {
  __mmask8 m;
  explicit TailMask(int count) : m(static_cast<__mmask8>((1u << count) - 1u)) {}
};

RANVIER_INLINE Vec<float> load(const float* p) { return {_mm512_loadu_ps(p)}; }
RANVIER_INLINE Vec<double> load(const double* p) { return {_mm512_loadu_pd(p)}; }
RANVIER_INLINE Vec<float> load(const float* p, TailMask<float> t) { return {_mm512_maskz_loadu_ps(t.m, p)}; }
RANVIER_INLINE Vec<double> load(const double* p, TailMask<double> t) {
  return {_mm512_maskz_loadu_pd(t.m, p)};
}
RANVIER_INLINE void store(float* p, Vec<float> x) { _mm512_storeu_ps(p, x.v); }
RANVIER_INLINE void store(double* p, Vec<double> x) { _mm512_storeu_pd(p, x.v); }
RANVIER_INLINE void store(float* p, Vec<float> x, TailMask<float> t) { _mm512_mask_storeu_ps(p, t.m, x.v); }
RANVIER_INLINE void store(double* p, Vec<double> x, TailMask<double> t) {
  _mm512_mask_storeu_pd(p, t.m, x.v);
}
RANVIER_INLINE Vec<float> splat(float x) { return {_mm512_set1_ps(x)}; }
RANVIER_INLINE Vec<double> splat(double x) { return {_mm512_set1_pd(x)}; }
RANVIER_INLINE Vec<float> fma(Vec<float> a, Vec<float> b, Vec<float> c) {
  return {_mm512_fmadd_ps(a.v, b.v, c.v)};
}
RANVIER_INLINE Vec<double> fma(Vec<double> a, Vec<double> b, Vec<double> c) {
  return {_mm512_fmadd_pd(a.v, b.v, c.v)};
}

#elif defined(__AVX2__)

template <>
struct Vec<float> {
  static constexpr int kLanes = 8;
  __m256 v;
};
template <>
struct Vec<double> {
  static constexpr int kLanes = 4;
  __m256d v;
};
template <>
struct TailMask<float> {
  __m256i m;
  int count;
  explicit TailMask(int n)
      : m(_mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))), count(n) {}
};
template <>
struct TailMask<double> {
  __m256i m;
  int count;
  explicit TailMask(int n)
      : m(_mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3))), count(n) {}
};

RANVIER_INLINE Vec<float> load(const float* p) { return {_mm256_loadu_ps(p)}; }
RANVIER_INLINE Vec<double> load(const double* p) { return {_mm256_loadu_pd(p)}; }
RANVIER_INLINE Vec<float> load(const float* p, TailMask<float> t) { return {_mm256_maskload_ps(p, t.m)}; }
RANVIER_INLINE Vec<double> load(const double* p, TailMask<double> t) { return {_mm256_maskload_pd(p, t.m)}; }
RANVIER_INLINE void store(float* p, Vec<float> x) { _mm256_storeu_ps(p, x.v); }
RANVIER_INLINE void store(double* p, Vec<double> x) { _mm256_storeu_pd(p, x.v); }
// Masked stores are microcoded on AMD: a tail goes out in halves instead, by the bits of its count.
RANVIER_INLINE void store(float* p, Vec<float> x, TailMask<float> t) {
  if (t.count == 8) return store(p, x);
  __m128 rest = _mm256_castps256_ps128(x.v);
  if ((t.count & 4) != 0) {
    _mm_storeu_ps(p, rest);
    rest = _mm256_extractf128_ps(x.v, 1);
    p += 4;
  }
  if ((t.count & 2) != 0) {
    _mm_storel_pi(reinterpret_cast<__m64*>(p), rest);
    rest = _mm_movehl_ps(rest, rest);
    p += 2;
  }
  if ((t.count & 1) != 0) _mm_store_ss(p, rest);
}
RANVIER_INLINE void store(double* p, Vec<double> x, TailMask<double> t) {
  if (t.count == 4) return store(p, x);
  __m128d rest = _mm256_castpd256_pd128(x.v);
  if ((t.count & 2) != 0) {
    _mm_storeu_pd(p, rest);
    rest = _mm256_extractf128_pd(x.v, 1);
    p += 2;
  }
  if ((t.count & 1) != 0) _mm_store_sd(p, rest);
}
RANVIER_INLINE Vec<float> splat(float x) { return {_mm256_set1_ps(x)}; }
RANVIER_INLINE Vec<double> splat(double x) { return {_mm256_set1_pd(x)}; }
RANVIER_INLINE Vec<float> fma(Vec<float> a, Vec<float> b, Vec<float> c) {
  return {_mm256_fmadd_ps(a.v, b.v, c.v)};
}
RANVIER_INLINE Vec<double> fma(Vec<double> a, Vec<double> b, Vec<double> c) {
  return {_mm256_fmadd_pd(a.v, b.v, c.v)};
}

#else  // 128 bits

template <>
struct Vec<float> {
  static constexpr int kLanes = 4;
  using Native = float __attribute__((vector_size(16)));
  Native v;
};
template <>
struct Vec<double> {
  static constexpr int kLanes = 2;
  using Native = double __attribute__((vector_size(16)));
  Native v;
};
template <>
struct TailMask<float> {
  int count;
  explicit TailMask(int n) : count(n) {}
};
template <>
struct TailMask<double> {
  int count;
  explicit TailMask(int n) : count(n) {}
};

template <class T>
RANVIER_INLINE Vec<T> load(const T* p) {
  Vec<T> x;
  __builtin_memcpy(&x.v, p, sizeof x.v);
  return x;
}
template <class T>
RANVIER_INLINE void store(T* p, Vec<T> x) {
  __builtin_memcpy(p, &x.v, sizeof x.v);
}
// Without masked instructions a tail goes element by element; a full one, like any other load or store.
template <class T>
RANVIER_INLINE Vec<T> load(const T* p, TailMask<T> t) {
  if (t.count == Vec<T>::kLanes) return load(p);
  Vec<T> x{};
  for (int i = 0; i < Vec<T>::kLanes - 1; ++i) {
    if (i < t.count) x.v[i] = p[i];
  }
  return x;
}
template <class T>
RANVIER_INLINE void store(T* p, Vec<T> x, TailMask<T> t) {
  if (t.count == Vec<T>::kLanes) return store(p, x);
  for (int i = 0; i < Vec<T>::kLanes - 1; ++i) {
    if (i < t.count) p[i] = x.v[i];
  }
}
RANVIER_INLINE Vec<float> splat(float x) { return {Vec<float>::Native{x, x, x, x}}; }
RANVIER_INLINE Vec<double> splat(double x) { return {Vec<double>::Native{x, x}}; }

#if defined(__ARM_NEON) && defined(__aarch64__)

RANVIER_INLINE Vec<float> fma(Vec<float> a, Vec<float> b, Vec<float> c) {
  return {(Vec<float>::Native)vfmaq_f32((float32x4_t)c.v, (float32x4_t)a.v, (float32x4_t)b.v)};
}
RANVIER_INLINE Vec<double> fma(Vec<double> a, Vec<double> b, Vec<double> c) {
  return {(Vec<double>::Native)vfmaq_f64((float64x2_t)c.v, (float64x2_t)a.v, (float64x2_t)b.v)};
}

#else

#if defined(__SSE2__)

// The product of two floats is exact in double. The sum is rounded to odd (the two-sum's error tells whether
// it was inexact and on which side the exact value lies), so that rounding it to float is the only rounding
// (Boldo and Melquiond, "Emulation of a FMA and correctly rounded sums", 2008). Infinities and NaNs give
// an error term of NaN, which compares false and leaves the sum alone. The conversions are intrinsics:
// written as casts, GCC 12 was seen to drop the rounding to float between two of these.
RANVIER_INLINE __m128 fma_low_half(__m128 a, __m128 b, __m128 c) {
  using Pair = Vec<double>::Native;
  using Bits = std::int64_t __attribute__((vector_size(16)));
  const Pair product = _mm_cvtps_pd(a) * _mm_cvtps_pd(b), addend = _mm_cvtps_pd(c);
  const Pair sum = product + addend;
  const Pair part = sum - product;
  const Pair error = (product - (sum - part)) + (addend - part);
  const Bits inexact = (error < 0.0) | (error > 0.0);
  const Bits even = ((Bits)sum & 1) - 1;
  const Bits step = (((Bits)error ^ (Bits)sum) < 0) | 1;  // towards the exact value, in units of last place
  return _mm_cvtpd_ps((__m128d)((Bits)sum + (inexact & even & step)));
}
RANVIER_INLINE Vec<float> fma(Vec<float> a, Vec<float> b, Vec<float> c) {
  const __m128 low = fma_low_half(a.v, b.v, c.v);
  const __m128 high = fma_low_half(_mm_movehl_ps(a.v, a.v), _mm_movehl_ps(b.v, b.v), _mm_movehl_ps(c.v, c.v));
  return {_mm_movelh_ps(low, high)};
}

#else

RANVIER_INLINE Vec<float> fma(Vec<float> a, Vec<float> b, Vec<float> c) {
  return {Vec<float>::Native{__builtin_fmaf(a.v[0], b.v[0], c.v[0]), __builtin_fmaf(a.v[1], b.v[1], c.v[1]),
                             __builtin_fmaf(a.v[2], b.v[2], c.v[2]), __builtin_fmaf(a.v[3], b.v[3], c.v[3])}};
}

#endif

RANVIER_INLINE Vec<double> fma(Vec<double> a, Vec<double> b, Vec<double> c) {
  return {Vec<double>::Native{__builtin_fma(a.v[0], b.v[0], c.v[0]), __builtin_fma(a.v[1], b.v[1], c.v[1])}};
}

#endif
#endif

}  // namespace ranvier::RANVIER_ISA
