// load_transposed: a square of kLanes x kLanes elements, read by rows and delivered by columns. For *.isa.cpp
// only.
//
// The square is read in pieces of 128 bits, each straight into the 128-bit lane that it belongs to (a load
// with a blend, where a shuffle would compete for the one or two shuffle units); what is left are 4 x 4
// (float) or 2 x 2 (double) squares inside the lanes, turned by unpacks. With AVX-512, whole squares are read
// in pieces of 256 bits, and a third round exchanges 128-bit lanes: half the loads, which are the bottleneck.
#pragma once

#include "simd/vec.h"

namespace ranvier::RANVIER_ISA {

template <class T>
inline constexpr int kPiece = 16 / sizeof(T);  // elements in 128 bits

// load_piece(p): 128 bits. load_piece(p, count): the first `count` elements (1 .. kPiece), then zeros.
// set_piece<q>(x, piece): replaces piece q of x; piece 0 comes first and may leave the rest undefined.
#if defined(__AVX2__)

RANVIER_INLINE __m128 load_piece(const float* p) { return _mm_loadu_ps(p); }
RANVIER_INLINE __m128d load_piece(const double* p) { return _mm_loadu_pd(p); }
RANVIER_INLINE __m128 load_piece(const float* p, int count) {
  return _mm_maskload_ps(p, _mm_cmpgt_epi32(_mm_set1_epi32(count), _mm_setr_epi32(0, 1, 2, 3)));
}
RANVIER_INLINE __m128d load_piece(const double* p, int count) {
  return count == 1 ? _mm_load_sd(p) : _mm_loadu_pd(p);
}

#if defined(__AVX512F__)
template <int q>
RANVIER_INLINE void set_piece(Vec<float>& x, __m128 piece) {
  x.v = q == 0 ? _mm512_castps128_ps512(piece)
               : _mm512_mask_broadcast_f32x4(x.v, __mmask16(15u << (4 * q)), piece);
}
template <int q>
RANVIER_INLINE void set_piece(Vec<double>& x, __m128d piece) {
  x.v = q == 0 ? _mm512_castpd128_pd512(piece)
               : _mm512_mask_broadcast_f64x2(x.v, __mmask8(3u << (2 * q)), piece);
}
#else
template <int q>
RANVIER_INLINE void set_piece(Vec<float>& x, __m128 piece) {
  x.v = q == 0 ? _mm256_castps128_ps256(piece) : _mm256_insertf128_ps(x.v, piece, 1);
}
template <int q>
RANVIER_INLINE void set_piece(Vec<double>& x, __m128d piece) {
  x.v = q == 0 ? _mm256_castpd128_pd256(piece) : _mm256_insertf128_pd(x.v, piece, 1);
}
#endif

#else

template <class T>
RANVIER_INLINE Vec<T> load_piece(const T* p) {
  return load(p);
}
template <class T>
RANVIER_INLINE Vec<T> load_piece(const T* p, int count) {
  return load(p, TailMask<T>(count));
}
template <int q, class T>
RANVIER_INLINE void set_piece(Vec<T>& x, Vec<T> piece) {
  x = piece;
}

#endif

// Interleaves the low (or high) halves of every 128-bit lane of a and b, in units of one element or, for
// floats, of two.
template <bool kHigh>
RANVIER_INLINE Vec<float> unpack(Vec<float> a, Vec<float> b) {
  constexpr int n = Vec<float>::kLanes, h = kHigh ? 2 : 0;
#define RANVIER_LANE(l) l + h, l + h + n, l + h + 1, l + h + 1 + n
  if constexpr (n == 16) {
    return {__builtin_shufflevector(a.v, b.v, RANVIER_LANE(0), RANVIER_LANE(4), RANVIER_LANE(8),
                                    RANVIER_LANE(12))};
  } else if constexpr (n == 8) {
    return {__builtin_shufflevector(a.v, b.v, RANVIER_LANE(0), RANVIER_LANE(4))};
  } else {
    return {__builtin_shufflevector(a.v, b.v, RANVIER_LANE(0))};
  }
#undef RANVIER_LANE
}
template <bool kHigh>
RANVIER_INLINE Vec<float> unpack_pairs(Vec<float> a, Vec<float> b) {
  constexpr int n = Vec<float>::kLanes, h = kHigh ? 2 : 0;
#define RANVIER_LANE(l) l + h, l + h + 1, l + h + n, l + h + 1 + n
  if constexpr (n == 16) {
    return {__builtin_shufflevector(a.v, b.v, RANVIER_LANE(0), RANVIER_LANE(4), RANVIER_LANE(8),
                                    RANVIER_LANE(12))};
  } else if constexpr (n == 8) {
    return {__builtin_shufflevector(a.v, b.v, RANVIER_LANE(0), RANVIER_LANE(4))};
  } else {
    return {__builtin_shufflevector(a.v, b.v, RANVIER_LANE(0))};
  }
#undef RANVIER_LANE
}
template <bool kHigh>
RANVIER_INLINE Vec<double> unpack(Vec<double> a, Vec<double> b) {
  constexpr int n = Vec<double>::kLanes, h = kHigh ? 1 : 0;
#define RANVIER_LANE(l) l + h, l + h + n
  if constexpr (n == 8) {
    return {__builtin_shufflevector(a.v, b.v, RANVIER_LANE(0), RANVIER_LANE(2), RANVIER_LANE(4),
                                    RANVIER_LANE(6))};
  } else if constexpr (n == 4) {
    return {__builtin_shufflevector(a.v, b.v, RANVIER_LANE(0), RANVIER_LANE(2))};
  } else {
    return {__builtin_shufflevector(a.v, b.v, RANVIER_LANE(0))};
  }
#undef RANVIER_LANE
}

RANVIER_INLINE void transpose_pieces(Vec<float>* x) {
  const Vec<float> a = unpack<false>(x[0], x[1]), b = unpack<true>(x[0], x[1]);
  const Vec<float> c = unpack<false>(x[2], x[3]), d = unpack<true>(x[2], x[3]);
  x[0] = unpack_pairs<false>(a, c);
  x[1] = unpack_pairs<true>(a, c);
  x[2] = unpack_pairs<false>(b, d);
  x[3] = unpack_pairs<true>(b, d);
}
RANVIER_INLINE void transpose_pieces(Vec<double>* x) {
  const Vec<double> a = x[0], b = x[1];
  x[0] = unpack<false>(a, b);
  x[1] = unpack<true>(a, b);
}

// Row kPiece * q + r of the square fills piece q of the vectors r, r + kPiece, r + 2 * kPiece, ...
template <class T, int q, bool kPart>
RANVIER_INLINE void load_rows_of_pieces(Vec<T>* x, const T* in, std::int64_t ld, std::int64_t rows,
                                        int cols) {
#pragma GCC unroll 4
  for (int r = 0; r < kPiece<T>; ++r) {
#pragma GCC unroll 4
    for (int g = 0; g < Vec<T>::kLanes; g += kPiece<T>) {
      if (!kPart || g + kPiece<T> <= cols) {
        set_piece<q>(x[g + r], load_piece(in + g));
      } else if (g < cols) {
        set_piece<q>(x[g + r], load_piece(in + g, cols - g));
      }
    }
    in += q * kPiece<T> + r + 1 < rows ? ld : 0;
  }
  if constexpr ((q + 1) * kPiece<T> < Vec<T>::kLanes) {
    load_rows_of_pieces<T, q + 1, kPart>(x, in, ld, rows, cols);
  }
}

#if defined(__AVX512F__)

RANVIER_INLINE Vec<float> load_halves(const float* low, const float* high) {
  return {_mm512_insertf32x8(_mm512_castps256_ps512(_mm256_loadu_ps(low)), _mm256_loadu_ps(high), 1)};
}
RANVIER_INLINE Vec<double> load_halves(const double* low, const double* high) {
  return {_mm512_maskz_insertf64x4(0xff, _mm512_castpd256_pd512(_mm256_loadu_pd(low)), _mm256_loadu_pd(high),
                                   1)};
}
// The even (or odd) 128-bit lanes of a, then those of b.
template <bool kOdd>
RANVIER_INLINE Vec<float> lanes_of(Vec<float> a, Vec<float> b) {
  constexpr int h = kOdd ? 4 : 0;
#define RANVIER_LANE(l) l + h, l + h + 1, l + h + 2, l + h + 3
  return {__builtin_shufflevector(a.v, b.v, RANVIER_LANE(0), RANVIER_LANE(8), RANVIER_LANE(16),
                                  RANVIER_LANE(24))};
#undef RANVIER_LANE
}
template <bool kOdd>
RANVIER_INLINE Vec<double> lanes_of(Vec<double> a, Vec<double> b) {
  constexpr int h = kOdd ? 2 : 0;
  return {__builtin_shufflevector(a.v, b.v, h, h + 1, h + 4, h + 5, h + 8, h + 9, h + 12, h + 13)};
}

// Rows 0 .. kLanes - 1, or with kPart those that are there. Both halves of a row are read together: rows a
// multiple of a page apart share a few places in L1, and a line would be gone when its second half is wanted.
template <class T, bool kPart>
RANVIER_INLINE void load_square(Vec<T> (&x)[Vec<T>::kLanes], const T* in, std::int64_t ld,
                                std::int64_t rows) {
  constexpr int n = kPiece<T>;
#pragma GCC unroll 4
  for (int g = 0; g < 4 * n; g += 2 * n) {
#pragma GCC unroll 4
    for (int r = 0; r < n; ++r) {
      const T* const low = in + (kPart && g + r >= rows ? rows - 1 : g + r) * ld;
      const T* const high = in + (kPart && g + r + n >= rows ? rows - 1 : g + r + n) * ld;
      x[g + r] = load_halves(low, high);
      x[g + r + n] = load_halves(low + 2 * n, high + 2 * n);
    }
  }
#pragma GCC unroll 4
  for (int g = 0; g < 4 * n; g += n) transpose_pieces(x + g);
#pragma GCC unroll 4
  for (int r = 0; r < n; ++r) {
    const Vec<T> a = x[r], b = x[r + n], c = x[r + 2 * n], d = x[r + 3 * n];
    x[r] = lanes_of<false>(a, c);
    x[r + n] = lanes_of<true>(a, c);
    x[r + 2 * n] = lanes_of<false>(b, d);
    x[r + 3 * n] = lanes_of<true>(b, d);
  }
}

#else

template <class T, bool kPart>
RANVIER_INLINE void load_square(Vec<T> (&x)[Vec<T>::kLanes], const T* in, std::int64_t ld,
                                std::int64_t rows) {
  load_rows_of_pieces<T, 0, false>(x, in, ld, kPart ? rows : Vec<T>::kLanes, 0);
#pragma GCC unroll 4
  for (int g = 0; g < Vec<T>::kLanes; g += kPiece<T>) transpose_pieces(x + g);
}

#endif

// x[p] = { in[0 * ld + p], in[1 * ld + p], ... }. Rows from `rows` (>= 1) on repeat the last one: nothing
// past it is read.
template <class T>
RANVIER_INLINE void load_transposed(Vec<T> (&x)[Vec<T>::kLanes], const T* in, std::int64_t ld,
                                    std::int64_t rows) {
  load_square<T, true>(x, in, ld, rows);
}

// The same for the first `cols` (1 .. kLanes) columns: x[p] is unspecified for p >= cols, and nothing past
// in[i * ld + cols - 1] is read.
template <class T>
RANVIER_INLINE void load_transposed(Vec<T> (&x)[Vec<T>::kLanes], const T* in, std::int64_t ld,
                                    std::int64_t rows, int cols) {
#pragma GCC unroll 16
  for (int p = 0; p < Vec<T>::kLanes; ++p) x[p] = splat(T(0));
  load_rows_of_pieces<T, 0, true>(x, in, ld, rows, cols);
#pragma GCC unroll 4
  for (int g = 0; g < Vec<T>::kLanes; g += kPiece<T>) {
    if (g < cols) transpose_pieces(x + g);
  }
}

}  // namespace ranvier::RANVIER_ISA
