// The loops around elementwise operations. An operation is a struct with a static `apply`; a loop runs it over
// whole blocks of W elements, which the compiler turns into vector code without a remainder. A ragged end is copied into
// zero-padded blocks on the stack and goes through the same code, so that an element's bits do not depend on
// its position, and a call with few elements costs one vector step instead of a scalar loop.
//
// An operation whose vector form is not right for every argument also has `easy(args...)`, false where it is not, and
// `slow(args...)`, right everywhere and with the same bits where `easy` holds; a block with any hard element is
// computed by `slow`.
#pragma once

#include <cstdint>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include "kernels/types.h"
#include "simd/math.h"

// Iterations are independent: `out` is equal to an operand or does not overlap it. GCC cannot know it.
#if defined(__clang__)
#define RANVIER_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define RANVIER_INDEPENDENT _Pragma("GCC ivdep")
#endif
#define RANVIER_OUTLINE static __attribute__((noinline))

namespace ranvier::RANVIER_ISA {

using std::int64_t;

#if defined(__AVX512F__)
inline constexpr int kVectorBytes = 64;
#elif defined(__AVX2__)
inline constexpr int kVectorBytes = 32;
#else
inline constexpr int kVectorBytes = 16;
#endif

constexpr int smaller(int a, int b) { return a < b ? a : b; }

// Elements per block: a full vector of the narrowest type that takes part.
template <class A, class B = A, class C = A>
inline constexpr int kBlock = kVectorBytes / smaller(sizeof(A), smaller(sizeof(B), sizeof(C)));

// dst[0, count) = src[0, count), dst[count, W) = 0; count < W; dst is aligned to a vector.
template <int W, class T>
RANVIER_INLINE void load_part(T* dst, const T* src, int64_t count) {
#if defined(__AVX512BW__)
  const int64_t bytes = count * static_cast<int64_t>(sizeof(T));
  for (int at = 0; at < W * static_cast<int>(sizeof(T)); at += 64) {
    const int64_t left = bytes - at;
    const __mmask64 mask = left >= 64 ? ~0ull : left <= 0 ? 0ull : (1ull << left) - 1;
    _mm512_store_si512(reinterpret_cast<char*>(dst) + at,
                       _mm512_maskz_loadu_epi8(mask, reinterpret_cast<const char*>(src) + at));
  }
#else
  for (int i = 0; i < W; ++i) dst[i] = T(0);
  for (int64_t i = 0; i < count; ++i) dst[i] = src[i];
#endif
}

template <int W, class T>
RANVIER_INLINE void store_part(T* dst, const T* src, int64_t count) {
#if defined(__AVX512BW__)
  const int64_t bytes = count * static_cast<int64_t>(sizeof(T));
  for (int at = 0; at < W * static_cast<int>(sizeof(T)); at += 64) {
    const int64_t left = bytes - at;
    const __mmask64 mask = left >= 64 ? ~0ull : left <= 0 ? 0ull : (1ull << left) - 1;
    _mm512_mask_storeu_epi8(reinterpret_cast<char*>(dst) + at, mask,
                            _mm512_load_si512(reinterpret_cast<const char*>(src) + at));
  }
#else
  for (int64_t i = 0; i < count; ++i) dst[i] = src[i];
#endif
}

template <class Op, class T>
concept GuardedUnary = requires(T x) { Op::easy(x); };
template <class Op, class T>
concept GuardedBinary = requires(T x) { Op::easy(x, x); };

template <class Op, class T, class Out>
RANVIER_OUTLINE void unary_blocks(int64_t n, Out* out, const T* a) {
  const int64_t count = n & -static_cast<int64_t>(kBlock<T, Out>);
  if constexpr (GuardedUnary<Op, T>) {
    typename Fp<T>::Bits hard = 0;
    for (int64_t i = 0; i < count; ++i) hard |= Op::easy(a[i]) ? 0 : 1;
    if (hard != 0) {
      for (int64_t i = 0; i < count; ++i) out[i] = Op::slow(a[i]);
      return;
    }
  }
  RANVIER_INDEPENDENT
  for (int64_t i = 0; i < count; ++i) out[i] = Op::apply(a[i]);
}

template <class Op, class T, class Out>
static void unary(int64_t n, void* out_, const void* a_, const void*, const void*) {
  constexpr int W = kBlock<T, Out>;
  Out* out = static_cast<Out*>(out_);
  const T* a = static_cast<const T*>(a_);
  if (n >= W) unary_blocks<Op, T, Out>(n, out, a);
  const int64_t rest = n & (W - 1);
  if (rest == 0) return;
  alignas(64) T x[W];
  alignas(64) Out y[W];
  load_part<W>(x, a + (n - rest), rest);
  unary_blocks<Op, T, Out>(W, y, x);
  store_part<W>(out + (n - rest), y, rest);
}

// The value of an operand: an array's element, or the one value of a scalar.
template <bool Scalar, class T>
struct Operand {
  const T* data;
  T operator[](int64_t i) const { return data[i]; }
};
template <class T>
struct Operand<true, T> {
  T value;
  explicit Operand(const T* data) : value(*data) {}
  T operator[](int64_t) const { return value; }
};

template <class Op, EwForm Form, class T, class Out>
RANVIER_OUTLINE void binary_blocks(int64_t n, Out* out, const T* a_, const T* b_) {
  const int64_t count = n & -static_cast<int64_t>(kBlock<T, Out>);
  const Operand<Form == EwForm::kScalarLeft, T> a{a_};
  const Operand<Form == EwForm::kScalarRight, T> b{b_};
  if constexpr (GuardedBinary<Op, T>) {
    typename Fp<T>::Bits hard = 0;
    for (int64_t i = 0; i < count; ++i) hard |= Op::easy(a[i], b[i]) ? 0 : 1;
    if (hard != 0) {
      for (int64_t i = 0; i < count; ++i) out[i] = Op::slow(a[i], b[i]);
      return;
    }
  }
  RANVIER_INDEPENDENT
  for (int64_t i = 0; i < count; ++i) out[i] = Op::apply(a[i], b[i]);
}

template <class Op, EwForm Form, class T, class Out>
static void binary(int64_t n, void* out_, const void* a_, const void* b_, const void*) {
  constexpr int W = kBlock<T, Out>;
  Out* out = static_cast<Out*>(out_);
  const T* a = static_cast<const T*>(a_);
  const T* b = static_cast<const T*>(b_);
  const int64_t rest = n & (W - 1);
  const int64_t whole = n - rest;
  alignas(64) T x[W];
  alignas(64) T y[W];
  alignas(64) Out z[W];
  const T* ta = a;
  const T* tb = b;
  // The operands of the ragged end are read first: a scalar operand may be the same memory as out[0].
  if (rest != 0) {
    if constexpr (Form != EwForm::kScalarLeft) load_part<W>(x, a + whole, rest);
    if constexpr (Form != EwForm::kScalarRight) load_part<W>(y, b + whole, rest);
    ta = Form == EwForm::kScalarLeft ? a : x;
    tb = Form == EwForm::kScalarRight ? b : y;
    binary_blocks<Op, Form, T, Out>(W, z, ta, tb);
  }
  if (whole != 0) binary_blocks<Op, Form, T, Out>(whole, out, a, b);
  if (rest != 0) store_part<W>(out + whole, z, rest);
}

}  // namespace ranvier::RANVIER_ISA
