// The loops around elementwise operations. An operation is a struct with a static `apply`; a loop runs it
// over whole blocks of W elements, which the compiler turns into vector code without a remainder. A ragged
// end is copied into zero-padded blocks on the stack and goes through the same code, so that an element's
// bits do not depend on its position, and a call with few elements costs one vector step instead of a scalar
// loop.
//
// An operation whose vector form is not right for every argument also has `easy(args...)`, false where it is
// not, and `slow(args...)`, right everywhere and with the same bits where `easy` holds; a block with any hard
// element is computed by `slow`.
#pragma once

#include <cstddef>
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
#define RANVIER_OUTLINE static __attribute__((noinline, noclone))

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
constexpr int larger(int a, int b) { return a > b ? a : b; }

// Elements per block: a full vector of the narrowest type that takes part.
template <class A, class B = A, class C = A>
inline constexpr int kBlock = kVectorBytes / smaller(sizeof(A), smaller(sizeof(B), sizeof(C)));

// Elements of a short block, for ends that fit into it: a full vector of the widest type.
template <class A, class B = A, class C = A>
inline constexpr int kShortBlock = kVectorBytes / larger(sizeof(A), larger(sizeof(B), sizeof(C)));
// Room for a block of W elements on the stack: whole vectors.
template <int W, class T>
inline constexpr int kRoom = larger(W, kVectorBytes / static_cast<int>(sizeof(T)));

// Copies `bytes` of the `capacity` bytes of a block; with Load the rest of dst becomes 0 and dst is a block
// on the stack, else src is. Masked vector copies, because reading vectors from a block that was written in
// smaller pieces would stall. Unit: the element's size.
template <bool Load, int Unit>
RANVIER_INLINE void copy_part_inline(char* dst, const char* src, int64_t bytes, int64_t capacity) {
#if defined(__AVX512BW__)
  // A short block is read as it was written: a longer read would wait until the write is out of the store buffer.
  if (capacity == 16) {
    const auto mask = static_cast<__mmask16>((1u << bytes) - 1);
    const __m128i v = _mm_maskz_loadu_epi8(mask, src);
    if constexpr (Load) {
      _mm_store_si128(reinterpret_cast<__m128i*>(dst), v);
    } else {
      _mm_mask_storeu_epi8(dst, mask, v);
    }
    return;
  }
  for (int64_t at = 0; at < capacity; at += 64) {
    const int64_t left = bytes - at;
    const __mmask64 mask = left >= 64 ? ~0ull : left <= 0 ? 0ull : (1ull << left) - 1;
    const __m512i v = _mm512_maskz_loadu_epi8(mask, src + at);
    if constexpr (Load) {
      _mm512_store_si512(dst + at, v);
    } else {
      _mm512_mask_storeu_epi8(dst + at, mask, v);
    }
  }
#else
#if defined(__AVX2__)
  if constexpr (Unit >= 4) {
    const __m256i lane_end = _mm256_setr_epi32(3, 7, 11, 15, 19, 23, 27, 31);
    for (int64_t at = 0; at < capacity; at += 32) {
      const __m256i mask = _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(bytes - at)), lane_end);
      const __m256i v = _mm256_maskload_epi32(reinterpret_cast<const int*>(src + at), mask);
      if constexpr (Load) {
        _mm256_store_si256(reinterpret_cast<__m256i*>(dst + at), v);
      } else {
        _mm256_maskstore_epi32(reinterpret_cast<int*>(dst + at), mask, v);
      }
    }
    return;
  }
#endif
  if constexpr (Load) __builtin_memset(dst, 0, static_cast<std::size_t>(capacity));
  __builtin_memcpy(dst, src, static_cast<std::size_t>(bytes));
#endif
}
template <bool Load, int Unit>
RANVIER_OUTLINE void copy_part_call(char* dst, const char* src, int64_t bytes, int64_t capacity) {
  copy_part_inline<Load, Unit>(dst, src, bytes, capacity);
}
// A block of one vector is copied in line, a longer one by a call, for the sake of code size.
template <bool Load, int W, class T>
RANVIER_INLINE void copy_part(T* dst, const T* src, int64_t count) {
  constexpr int unit = sizeof(T);
  char* to = reinterpret_cast<char*>(dst);
  const char* from = reinterpret_cast<const char*>(src);
  if constexpr (W * unit <= kVectorBytes && kVectorBytes >= 32) {
    copy_part_inline<Load, unit>(to, from, count * unit, W * unit);
  } else {
    copy_part_call<Load, (unit < 4 ? 1 : 4)>(to, from, count * unit, W * unit);
  }
}

// dst[0, count) = src[0, count), dst[count, W) = 0; count < W.
template <int W, class T>
RANVIER_INLINE void load_part(T* dst, const T* src, int64_t count) {
  copy_part<true, W>(dst, src, count);
}
template <int W, class T>
RANVIER_INLINE void store_part(T* dst, const T* src, int64_t count) {
  copy_part<false, W>(dst, src, count);
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

// One block. Short ones are unrolled, so that they need no loop over long vectors of a narrow type.
template <class Op, int W, class T, class Out>
RANVIER_INLINE void unary_block(Out* out, const T* a) {
  if constexpr (W == kBlock<T, Out>) {
    unary_blocks<Op, T, Out>(W, out, a);
  } else {
    RANVIER_INDEPENDENT
    for (int i = 0; i < W; ++i) out[i] = Op::apply(a[i]);
  }
}

template <class Op, int W, class T, class Out>
RANVIER_INLINE void unary_end(int64_t rest, Out* out, const T* a) {
  alignas(64) T x[kRoom<W, T>];
  alignas(64) Out y[kRoom<W, Out>];
  load_part<W>(x, a, rest);
  unary_block<Op, W>(y, x);
  store_part<W>(out, y, rest);
}

template <class Op, class T, class Out>
static void unary(int64_t n, void* out_, const void* a_, const void*, const void*) {
  constexpr int W = kBlock<T, Out>, S = kShortBlock<T, Out>;
  Out* out = static_cast<Out*>(out_);
  const T* a = static_cast<const T*>(a_);
  if (n >= W) unary_blocks<Op, T, Out>(n, out, a);
  const int64_t rest = n & (W - 1), whole = n - rest;
  if (rest == 0) return;
  if (S < W && rest <= S) return unary_end<Op, S>(rest, out + whole, a + whole);
  unary_end<Op, W>(rest, out + whole, a + whole);
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

// z = the results of the ragged end of `rest` elements, in a block.
template <class Op, EwForm Form, int W, class T, class Out>
RANVIER_INLINE void binary_end(int64_t rest, Out* z, const T* a, const T* b) {
  alignas(64) T x[kRoom<W, T>];
  alignas(64) T y[kRoom<W, T>];
  if constexpr (Form != EwForm::kScalarLeft) load_part<W>(x, a, rest);
  if constexpr (Form != EwForm::kScalarRight) load_part<W>(y, b, rest);
  const T* ta = Form == EwForm::kScalarLeft ? a : x;
  const T* tb = Form == EwForm::kScalarRight ? b : y;
  if constexpr (W == kBlock<T, Out>) {
    binary_blocks<Op, Form, T, Out>(W, z, ta, tb);
  } else {
    const Operand<Form == EwForm::kScalarLeft, T> left{ta};
    const Operand<Form == EwForm::kScalarRight, T> right{tb};
    RANVIER_INDEPENDENT
    for (int i = 0; i < W; ++i) z[i] = Op::apply(left[i], right[i]);
  }
}

template <class Op, EwForm Form, class T, class Out>
static void binary(int64_t n, void* out_, const void* a_, const void* b_, const void*) {
  constexpr int W = kBlock<T, Out>, S = kShortBlock<T, Out>;
  Out* out = static_cast<Out*>(out_);
  const T* a = static_cast<const T*>(a_);
  const T* b = static_cast<const T*>(b_);
  const int64_t rest = n & (W - 1);
  const int64_t whole = n - rest;
  const bool is_short = S < W && rest <= S;
  alignas(64) Out z[W];
  // The operands of the ragged end are read first: a scalar operand may be the same memory as out[0].
  if (rest != 0) {
    const T* end_a = Form == EwForm::kScalarLeft ? a : a + whole;
    const T* end_b = Form == EwForm::kScalarRight ? b : b + whole;
    if (is_short) binary_end<Op, Form, S>(rest, z, end_a, end_b);
    else binary_end<Op, Form, W>(rest, z, end_a, end_b);
  }
  if (whole != 0) binary_blocks<Op, Form, T, Out>(whole, out, a, b);
  if (rest == 0) return;
  if (is_short) store_part<S>(out + whole, z, rest);
  else store_part<W>(out + whole, z, rest);
}

// For operations whose vector code is large, or not made when an operand does not vary in the loop: the
// scalar is spread over a block and the form for arrays is called.
template <class Op>
concept SpreadsScalars = Op::kSpreadsScalars;

template <class Op, EwForm Form, class T, class Out>
static void binary_spread(int64_t n, void* out_, const void* a_, const void* b_, const void*) {
  constexpr int64_t kChunk = 256;
  constexpr bool left = Form == EwForm::kScalarLeft;
  Out* out = static_cast<Out*>(out_);
  const T* array = static_cast<const T*>(left ? b_ : a_);
  const T value = *static_cast<const T*>(left ? a_ : b_);
  alignas(64) T spread[kChunk];
  const int64_t filled = n < kChunk ? (n + kBlock<T> - 1) & -static_cast<int64_t>(kBlock<T>) : kChunk;
  for (int64_t i = 0; i < filled; ++i) spread[i] = value;
  for (int64_t at = 0; at < n; at += kChunk) {
    const int64_t count = n - at < kChunk ? n - at : kChunk;
    const T* a = left ? spread : array + at;
    const T* b = left ? array + at : spread;
    binary<Op, EwForm::kArrays, T, Out>(count, out + at, a, b, nullptr);
  }
}

}  // namespace ranvier::RANVIER_ISA
