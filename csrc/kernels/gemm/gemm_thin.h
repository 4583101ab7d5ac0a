// Products with at most kThin rows or columns, where vectors run along the other, long side of C. For
// *.isa.cpp only; the contract of gemm_thin stands in kernels.def.
//
// The long operand is read once, so copying it into panels would double the traffic: where its lines are
// contiguous along k, squares of it are turned in registers instead.
#pragma once

#include <cstdint>

#include "simd/transpose.h"

namespace ranvier::RANVIER_ISA {

inline constexpr int kThin = 4;
// With AVX-512, GCC makes less of three turned lines (of floats, two) than of four: 1.1 to 2.2 times the time. So they
// are four, of which the last are computed again and not stored.
template <class T>
inline constexpr bool kFillsUp = sizeof(Vec<T>) == 64;
template <class T, int R>
inline constexpr int kTurnedLines = kFillsUp<T> && (R == 3 || (R == 2 && sizeof(T) == 4)) ? kThin : R;

// The thin lines, their elements and the strides of C.
template <class T>
struct ThinSide {
  std::int64_t count;
  const T* y;
  std::int64_t y_k, y_line;
  std::int64_t c_long, c_thin;
};

// acc[r] to c for the long lines under one vector, `lines` of them.
template <class T, int R>
RANVIER_INLINE void store_thin(const Vec<T>* acc, std::int64_t lines, const ThinSide<T>& side, T* c) {
  constexpr int kLanes = Vec<T>::kLanes;
  if (side.c_long == 1) {
    const TailMask<T> mask(static_cast<int>(lines));
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) {
      if (!kFillsUp<T> || r < side.count) store(c + r * side.c_thin, acc[r], mask);
    }
    return;
  }
  T out[R][kLanes];
#pragma GCC unroll 4
  for (int r = 0; r < R; ++r) store(out[r], acc[r]);
  for (std::int64_t i = 0; i < lines; ++i) {
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) {
      if (!kFillsUp<T> || r < side.count) c[i * side.c_long + r * side.c_thin] = out[r][i];
    }
  }
}

// The processor's own prefetching does not follow as many lines as go side by side here.
template <class T>
RANVIER_INLINE void fetch_lines(const T* x, std::int64_t ld) {
#pragma GCC unroll 16
  for (int i = 0; i < Vec<T>::kLanes; ++i) __builtin_prefetch(x + i * ld);
}

// The multiply-adds of a whole square at x, which has `lines` lines; y is at the square's first element, and the thin
// lines are at[r] from there.
template <class T, int R>
RANVIER_INLINE void add_square(Vec<T> (&acc)[R], const T* x, std::int64_t ld, std::int64_t lines, const T* y,
                               const std::int64_t (&at)[R], const ThinSide<T>& side) {
  constexpr int kLanes = Vec<T>::kLanes;
  Vec<T> turned[kLanes];
  if (lines < kLanes) {
    load_transposed<T>(turned, x, ld, lines);
  } else {
    load_square<T, false>(turned, x, ld, kLanes);
  }
#pragma GCC unroll 16
  for (int i = 0; i < kLanes; ++i, y += side.y_k) {
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) acc[r] = fma(splat(y[at[r]]), turned[i], acc[r]);
  }
}

// Long lines contiguous along k: x[q * ld + p]. G vectors of lines go together, so that one's chain of
// multiply-adds hides behind the other's shuffles; each is a square behind the one before, as lines a
// multiple of a page apart share a few places in L1. The last vector has `lines` lines.
template <class T, int R, int G>
static void thin_rows(std::int64_t lines, std::int64_t k, const T* x, std::int64_t ld,
                      const ThinSide<T>& side, T* c) {
  constexpr int kLanes = Vec<T>::kLanes, kAhead = 2 * kLanes;
  std::int64_t at[R];
#pragma GCC unroll 4
  for (int r = 0; r < R; ++r) at[r] = (!kFillsUp<T> || r < side.count ? r : side.count - 1) * side.y_line;
  Vec<T> acc[G][R];
#pragma GCC unroll 8
  for (int g = 0; g < G; ++g) {
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) acc[g][r] = splat(T(0));
  }
  const std::int64_t whole = k / kLanes * kLanes;
  for (std::int64_t first = 0; first < whole + (G - 1) * kLanes; first += kLanes) {
#pragma GCC unroll 8
    for (int g = 0; g < G; ++g) {
      const std::int64_t p = first - g * kLanes;
      if (p < 0 || p >= whole) continue;
      const T* const from = x + g * kLanes * ld;
      fetch_lines<T>(from + (p + kAhead < k ? p + kAhead : G * kLanes * ld + p + kAhead - k), ld);
      add_square<T, R>(acc[g], from + p, ld, g == G - 1 ? lines : kLanes, side.y + p * side.y_k, at, side);
    }
  }
  const std::int64_t p = whole;
  const T* const y = side.y + p * side.y_k;
  const int rest = static_cast<int>(k - p);
#pragma GCC unroll 8
  for (int g = 0; g < G && rest > 0; ++g) {
    Vec<T> turned[kLanes];
    load_transposed<T>(turned, x + g * kLanes * ld + p, ld, g == G - 1 ? lines : kLanes, rest);
    const T* element = y;
#pragma GCC unroll 16
    for (int i = 0; i < kLanes; ++i) {
      if (i < rest) {
#pragma GCC unroll 4
        for (int r = 0; r < R; ++r) acc[g][r] = fma(splat(element[at[r]]), turned[i], acc[g][r]);
        element += side.y_k;
      }
    }
  }
#pragma GCC unroll 8
  for (int g = 0; g < G; ++g) {
    store_thin<T, R>(acc[g], g == G - 1 ? lines : kLanes, side, c + g * kLanes * side.c_long);
  }
}

// Long lines side by side: x[p * ld + q]. The last of the G vectors has `lines` lines.
template <class T, int R, int G>
static void thin_cols(std::int64_t lines, std::int64_t k, const T* x, std::int64_t ld,
                      const ThinSide<T>& side, T* c) {
  constexpr int kLanes = Vec<T>::kLanes;
  const TailMask<T> mask(static_cast<int>(lines));
  Vec<T> acc[G][R];
#pragma GCC unroll 8
  for (int g = 0; g < G; ++g) {
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) acc[g][r] = splat(T(0));
  }
  const T* y = side.y;
  for (std::int64_t p = 0; p < k; ++p, x += ld, y += side.y_k) {
#pragma GCC unroll 8
    for (int g = 0; g < G; ++g) {
      const Vec<T> row = g == G - 1 ? load(x + g * kLanes, mask) : load(x + g * kLanes);
#pragma GCC unroll 4
      for (int r = 0; r < R; ++r) acc[g][r] = fma(splat(y[r * side.y_line]), row, acc[g][r]);
    }
  }
#pragma GCC unroll 8
  for (int g = 0; g < G; ++g) {
    store_thin<T, R>(acc[g], g == G - 1 ? lines : kLanes, side, c + g * kLanes * side.c_long);
  }
}

template <class T, int R>
static void thin_lines(std::int64_t lines, std::int64_t k, const T* x, std::int64_t ld, bool by_rows,
                       const ThinSide<T>& side, T* c) {
  constexpr std::int64_t kLanes = Vec<T>::kLanes;
  constexpr int kRowVecs = 2, kColVecs = R <= 2 && Vec<T>::kLanes > 4 ? 4 : 2;
  const int group = by_rows ? kRowVecs : kColVecs;
  while (lines > 0) {
    // A group takes all its vectors, the last perhaps in part; what is left goes vector by vector.
    const bool whole = lines > (group - 1) * kLanes;
    const std::int64_t vecs = whole ? group : 1;
    const std::int64_t last = lines - (vecs - 1) * kLanes < kLanes ? lines - (vecs - 1) * kLanes : kLanes;
    if (by_rows) {
      constexpr int kLines = kTurnedLines<T, R>;
      (whole ? thin_rows<T, kLines, kRowVecs> : thin_rows<T, kLines, 1>)(last, k, x, ld, side, c);
    } else {
      (whole ? thin_cols<T, R, kColVecs> : thin_cols<T, R, 1>)(last, k, x, ld, side, c);
    }
    x += vecs * kLanes * (by_rows ? ld : 1);
    c += vecs * kLanes * side.c_long;
    lines -= vecs * kLanes;
  }
}

template <class T>
static void thin(std::int64_t lines, std::int64_t thin_count, std::int64_t k, const T* x, std::int64_t ld,
                 bool by_rows, const T* y, std::int64_t y_k, std::int64_t y_line, T* c, std::int64_t c_long,
                 std::int64_t c_thin) {
  const ThinSide<T> side{thin_count, y, y_k, y_line, c_long, c_thin};
  switch (thin_count) {
    case 1:
      return thin_lines<T, 1>(lines, k, x, ld, by_rows, side, c);
    case 2:
      return thin_lines<T, 2>(lines, k, x, ld, by_rows, side, c);
    case 3:
      return thin_lines<T, 3>(lines, k, x, ld, by_rows, side, c);
    default:
      return thin_lines<T, kThin>(lines, k, x, ld, by_rows, side, c);
  }
}

}  // namespace ranvier::RANVIER_ISA
