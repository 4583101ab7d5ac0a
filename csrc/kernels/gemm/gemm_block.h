// A block of C from register tiles, and the packing of operands into panels. For *.isa.cpp only; the
// contracts stand in kernels.def.
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

template <class T, ReadA kForm>
static void block_of_tiles(std::int64_t m, std::int64_t n, std::int64_t k, const T* a, std::int64_t lda,
                           std::int64_t rows_step, std::int64_t a_step, const T* b, std::int64_t ldb,
                           std::int64_t cols_step, std::int64_t b_step, T* c, std::int64_t ldc, bool accumulate) {
  constexpr int kLanes = Vec<T>::kLanes;
  // Columns outside: the panel of B under them stays in L1 while the rows go by.
  for (std::int64_t j = 0; j < n; j += cols_step, b += b_step) {
    const std::int64_t cols = at_most(cols_step, n - j);
    const int vecs = static_cast<int>((cols + kLanes - 1) / kLanes);
    const int tail = static_cast<int>(cols - (vecs - 1) * kLanes);
    const int index = vecs == kTileVecs && tail == kLanes ? 0 : vecs;
    const T* a_rows = a;
    for (std::int64_t i = 0; i < m; i += rows_step, a_rows += a_step) {
      const std::int64_t rows = at_most(rows_step, m - i);
      kTiles<T, kForm>.fn[rows][index](k, a_rows, lda, b, ldb, c + i * ldc + j, ldc, accumulate, tail);
    }
  }
}

template <class T>
static void block(std::int64_t m, std::int64_t n, std::int64_t k, const T* a, std::int64_t lda, int a_form,
                  const T* b, std::int64_t ldb, T* c, std::int64_t ldc, bool accumulate) {
  constexpr std::int64_t kLanes = Vec<T>::kLanes;
  const std::int64_t rows_step = a_form == 2 ? lda : even_step(m, kTileRows);
  std::int64_t cols_step = kTileVecs * kLanes, b_step = cols_step * k;
  if (ldb == 0) {
    ldb = cols_step;
  } else {
    if (rows_step <= 4) cols_step = even_step((n + kLanes - 1) / kLanes, max_vecs(static_cast<int>(rows_step))) * kLanes;
    b_step = cols_step;
  }
  if (a_form == 0) {
    block_of_tiles<T, ReadA::kRows>(m, n, k, a, lda, rows_step, rows_step * lda, b, ldb, cols_step, b_step, c, ldc,
                                    accumulate);
  } else {
    const std::int64_t a_step = a_form == 2 ? rows_step * k : rows_step;
    block_of_tiles<T, ReadA::kCols>(m, n, k, a, lda, rows_step, a_step, b, ldb, cols_step, b_step, c, ldc, accumulate);
  }
}

template <class T>
static void pack(std::int64_t count, std::int64_t k, std::int64_t width, const T* in, std::int64_t ld, bool transpose,
                 T* out) {
  for (std::int64_t q = 0; q < count; q += width, out += width * k) {
    const std::int64_t lines = at_most(width, count - q);
    for (std::int64_t p = 0; p < k; ++p) {
      for (std::int64_t i = 0; i < lines; ++i) {
        out[p * width + i] = transpose ? in[(q + i) * ld + p] : in[p * ld + q + i];
      }
    }
  }
}

}  // namespace ranvier::RANVIER_ISA
