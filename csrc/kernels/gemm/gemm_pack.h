// Packing of B into panels as wide as a tile, and of A into panels as high: tiles then read at unit stride.
// For *.isa.cpp only; the contracts of gemm_pack and gemm_pack_a stand in kernels.def.
#pragma once

#include <cstdint>

#include "simd/transpose.h"

namespace ranvier::RANVIER_ISA {

// Columns p of a transposed square to out[p * width + i], i < lines.
template <class T>
RANVIER_INLINE void store_square(const Vec<T> (&x)[Vec<T>::kLanes], std::int64_t lines, int cols,
                                 std::int64_t width, T* out) {
  constexpr int kLanes = Vec<T>::kLanes;
  if (lines == kLanes && cols == kLanes) {
#pragma GCC unroll 16
    for (int p = 0; p < kLanes; ++p, out += width) store(out, x[p]);
  } else {
    const TailMask<T> mask(static_cast<int>(lines));
#pragma GCC unroll 16
    for (int p = 0; p < kLanes; ++p, out += width) {
      if (p < cols) store(out, x[p], mask);
    }
  }
}

// out[p * width + i] = in[i * ld + p] for i < lines <= kLanes, p < k: squares turned in registers.
template <class T>
static void pack_transposed(std::int64_t lines, std::int64_t k, std::int64_t width, const T* in,
                            std::int64_t ld, T* out) {
  constexpr int kLanes = Vec<T>::kLanes;
  Vec<T> x[kLanes];
  if (k < kLanes) {
    if (k == 0) return;
    load_transposed<T>(x, in, ld, lines, static_cast<int>(k));
    return store_square<T>(x, lines, static_cast<int>(k), width, out);
  }
  for (std::int64_t p = 0; p < k; p += kLanes) {
    if (p > k - kLanes) p = k - kLanes;  // the last square overlaps the one before, with the same values
    load_transposed<T>(x, in + p, ld, lines);
    store_square<T>(x, lines, kLanes, width, out + p * width);
  }
}

// out[p * width + i] = in[p * ld + i] for i < lines, p < k, where V vectors hold a line: (V - 1) * kLanes <
// lines.
template <class T, int V>
static void copy_lines(std::int64_t lines, std::int64_t k, std::int64_t width, const T* in, std::int64_t ld,
                       T* out) {
  constexpr int kLanes = Vec<T>::kLanes, kLast = (V - 1) * kLanes;
  if (lines == V * kLanes) {
    for (; k > 0; --k, in += ld, out += width) {
#pragma GCC unroll 4
      for (int i = 0; i <= kLast; i += kLanes) store(out + i, load(in + i));
    }
    return;
  }
  const TailMask<T> mask(static_cast<int>(lines - kLast));
  for (; k > 0; --k, in += ld, out += width) {
#pragma GCC unroll 4
    for (int i = 0; i < kLast; i += kLanes) store(out + i, load(in + i));
    store(out + kLast, load(in + kLast, mask), mask);
  }
}

template <class T>
static void pack_copied(std::int64_t lines, std::int64_t k, std::int64_t width, const T* in, std::int64_t ld,
                        T* out) {
  constexpr std::int64_t kLanes = Vec<T>::kLanes;
  for (; lines > 2 * kLanes; lines -= 2 * kLanes, in += 2 * kLanes, out += 2 * kLanes) {
    copy_lines<T, 2>(2 * kLanes, k, width, in, ld, out);
  }
  if (lines > kLanes) {
    copy_lines<T, 2>(lines, k, width, in, ld, out);
  } else {
    copy_lines<T, 1>(lines, k, width, in, ld, out);
  }
}

// Panels of `step` lines, in which elements of a line are `width` apart: line q, element p goes to
// out[q / step * width * k + p * width + q % step].
template <class T>
static void pack(std::int64_t count, std::int64_t k, std::int64_t step, std::int64_t width, const T* in,
                 std::int64_t ld, bool transpose, T* out) {
  constexpr std::int64_t kLanes = Vec<T>::kLanes;
  if (transpose) {
    for (std::int64_t q = 0; q < count; q += step, out += width * k) {
      const std::int64_t lines = count - q < step ? count - q : step;
      for (std::int64_t i = 0; i < lines; i += kLanes) {
        const std::int64_t group = lines - i < kLanes ? lines - i : kLanes;
        pack_transposed<T>(group, k, width, in + (q + i) * ld, ld, out + i);
      }
    }
    return;
  }
  // A few rows of the source at a time, across all panels: long runs of the source for the prefetcher, and
  // few open pages.
  constexpr std::int64_t kRun = 8;
  for (std::int64_t p = 0; p < k; p += kRun, in += kRun * ld) {
    const std::int64_t run = k - p < kRun ? k - p : kRun;
    T* to = out + p * width;
    for (std::int64_t q = 0; q < count; q += step, to += width * k) {
      pack_copied<T>(count - q < step ? count - q : step, run, width, in + q, ld, to);
    }
  }
}

}  // namespace ranvier::RANVIER_ISA
