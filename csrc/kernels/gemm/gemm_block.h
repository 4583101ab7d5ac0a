// A block of C from register tiles. For *.isa.cpp only; the contract of gemm_block stands in kernels.def.
#pragma once

#include <cstdint>

#include "kernels/gemm/gemm_tile.h"

namespace ranvier::RANVIER_ISA {

RANVIER_INLINE std::int64_t at_most(std::int64_t a, std::int64_t b) { return a < b ? a : b; }
// The size of `parts` nearly equal pieces of `total`, where parts is the fewest of at most `most`: 16 rows
// become 8 + 8, not 14 + 2, whose small tile would leave the multipliers idle.
RANVIER_INLINE std::int64_t even_step(std::int64_t total, std::int64_t most) {
  if (total <= most) return total;
  const std::int64_t parts = (total + most - 1) / most;
  return (total + parts - 1) / parts;
}

// Rows of A in a packed panel: those of a tile, in whole vectors.
template <class T>
inline constexpr std::int64_t kPanelRows =
    (kTileRows + Vec<T>::kLanes - 1) / Vec<T>::kLanes * Vec<T>::kLanes;

// How the operands of a block are walked, tile by tile.
template <class T>
struct BlockShape {
  std::int64_t m, n, k;
  std::int64_t lda, rows_step, a_step;  // rows of a tile, and from one tile's A to the next's
  std::int64_t ldb, cols_step, b_step;
  std::int64_t ldc;
  bool accumulate;
};

// A tile begins by reading (at least owning) its lines of C; under a long product they are fetched one tile
// ahead.
template <class T>
RANVIER_INLINE void fetch_tile(const T* c, std::int64_t ldc, std::int64_t rows, std::int64_t cols) {
  for (std::int64_t i = 0; i < rows; ++i, c += ldc) {
    for (std::int64_t j = 0; j < cols; j += Vec<T>::kLanes) __builtin_prefetch(c + j);
  }
}

template <class M, ReadA kForm, class T = typename M::Element>
RANVIER_INLINE void run_tile(const BlockShape<T>& s, std::int64_t rows, std::int64_t cols, const T* a,
                             const T* b, T* c) {
  constexpr int kLanes = Vec<T>::kLanes;
  const int vecs = static_cast<int>((cols + kLanes - 1) / kLanes);
  const int tail = static_cast<int>(cols - (vecs - 1) * kLanes);
  const int index = vecs == kTileVecs && tail == kLanes ? 0 : vecs;
  kTiles<M, kForm>.fn[rows][index](s.k, a, s.lda, b, s.ldb, c, s.ldc, s.accumulate, tail);
}

inline constexpr std::int64_t kDeepProduct = 64;

// Rows outside: a tile's rows of A stay in L1 and B comes from L2; C is walked along its rows.
template <class M, ReadA kForm, class T = typename M::Element>
static void rows_outside(const BlockShape<T>& s, const T* a, const T* b, T* c) {
  for (std::int64_t i = 0; i < s.m; i += s.rows_step, a += s.a_step, c += s.rows_step * s.ldc) {
    const std::int64_t rows = at_most(s.rows_step, s.m - i);
    const T* panel = b;
    for (std::int64_t j = 0; j < s.n; j += s.cols_step, panel += s.b_step) {
      const std::int64_t after = j + s.cols_step;
      if (s.k >= kDeepProduct && after < s.n)
        fetch_tile(c + after, s.ldc, rows, at_most(s.cols_step, s.n - after));
      run_tile<M, kForm>(s, rows, at_most(s.cols_step, s.n - j), a, panel, c + j);
    }
  }
}

// Columns outside: B is read once, and its columns under a tile stay in cache while the rows go by.
template <class M, ReadA kForm, class T = typename M::Element>
static void cols_outside(const BlockShape<T>& s, const T* a, const T* b, T* c) {
  for (std::int64_t j = 0; j < s.n; j += s.cols_step, b += s.b_step, c += s.cols_step) {
    const std::int64_t cols = at_most(s.cols_step, s.n - j);
    const T* panel = a;
    for (std::int64_t i = 0; i < s.m; i += s.rows_step, panel += s.a_step) {
      const std::int64_t after = i + s.rows_step;
      if (s.k >= kDeepProduct && after < s.m)
        fetch_tile(c + after * s.ldc, s.ldc, at_most(s.rows_step, s.m - after), cols);
      run_tile<M, kForm>(s, at_most(s.rows_step, s.m - i), cols, panel, b, c + i * s.ldc);
    }
  }
}

template <class M, class T = typename M::Element>
static void block(std::int64_t m, std::int64_t n, std::int64_t k, const T* a, std::int64_t lda, bool trans_a,
                  const T* b, std::int64_t ldb, T* c, std::int64_t ldc, bool accumulate) {
  constexpr std::int64_t kLanes = Vec<T>::kLanes, kSmallB = 256 * 1024 / sizeof(T);
  constexpr std::int64_t kShortProduct = 4, kLongRow = 4096 / sizeof(T);
  BlockShape<T> s{
      m, n, k, lda, even_step(m, kTileRows), 0, ldb, kTileVecs * kLanes, kTileVecs * kLanes, ldc, accumulate};
  // Next to no arithmetic: C is written line by line, as rows a page or more apart contend for the same sets.
  if (k <= kShortProduct && n >= kLongRow) s.rows_step = 1;
  s.a_step = trans_a ? s.rows_step : s.rows_step * lda;
  const bool packed_a = lda == 0, packed_b = ldb == 0;
  if (packed_a) {
    trans_a = true;
    s.lda = kPanelRows<T>;
    s.a_step = kPanelRows<T> * k;
  }
  if (packed_b) {
    s.ldb = s.cols_step;
    s.b_step = s.cols_step * k;
  } else if (s.rows_step <= 4) {
    s.cols_step = even_step((n + kLanes - 1) / kLanes, max_vecs(static_cast<int>(s.rows_step))) * kLanes;
    s.b_step = s.cols_step;
  }
  const bool by_rows = !packed_a && (packed_b || k < kDeepProduct || k * n <= kSmallB);
  if (trans_a) {
    (by_rows ? rows_outside<M, ReadA::kCols> : cols_outside<M, ReadA::kCols>)(s, a, b, c);
  } else {
    (by_rows ? rows_outside<M, ReadA::kRows> : cols_outside<M, ReadA::kRows>)(s, a, b, c);
  }
}

}  // namespace ranvier::RANVIER_ISA
