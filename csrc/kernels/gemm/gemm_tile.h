// The register tile: R rows by V vectors of C, held in registers over the whole of k. For *.isa.cpp only.
//
// Element (i, j) is fma(a[i, p], b[p, j], acc) in increasing p, from 0 or from C; tiles differ in shape only,
// so the bits of C do not depend on which tile computed an element. What a multiply-add is, a type `M` says
// (Fused and, for words of two bfloat16, those of gemm_bf16.isa.cpp), with operands and C of M::Element.
#pragma once

#include <cstdint>

#include "simd/vec.h"

namespace ranvier::RANVIER_ISA {

// Accumulators, the row of B and one broadcast of A must fit the register file: 32 registers or 16.
#if defined(__AVX512F__)
inline constexpr int kTileRows = 14;
#elif defined(__aarch64__)
inline constexpr int kTileRows = 12;
#elif defined(__AVX2__)
inline constexpr int kTileRows = 6;
#else
inline constexpr int kTileRows = 4;
#endif
inline constexpr int kTileVecs = 2;
// With few rows, wider tiles keep enough independent accumulators in flight to hide the latency of the
// multiply-add (4 cycles, 2 a cycle: 8 accumulators).
constexpr int max_vecs(int rows) {
  return rows == 1 ? 8 : rows <= 3 ? 4 : rows == 4 && kTileRows > 6 ? 4 : kTileVecs;
}
inline constexpr int kMaxVecs = 8;

// The multiply-add of elements: in one pass, by the whole operands.
template <class T>
struct Fused {
  using Element = T;
  static constexpr int kPasses = 1;
  __attribute__((always_inline)) static Vec<T> part(Vec<T> x, int) { return x; }
  __attribute__((always_inline)) static Vec<T> multiply_add(Vec<T> left, Vec<T> right, Vec<T> acc) {
    return fma(left, right, acc);
  }
};

// How a tile reads A: a[i * lda + p] or a[p * lda + i].
enum class ReadA { kRows, kCols };

// `tail` is the number of columns in the last of the V vectors, 1 .. kLanes; tiles with kTail = false take
// it to be kLanes.
template <class T>
using TileFn = void (*)(std::int64_t k, const T* a, std::int64_t lda, const T* b, std::int64_t ldb, T* c,
                        std::int64_t ldc, bool accumulate, int tail);

// The rows of A under a tile. In kRows form every third row keeps a pointer and the two rows after it are
// reached by the address mode (pointer + lda, pointer + 2 * lda): fourteen pointers would not fit the
// registers. The empty asm hides the pointers' progress, which GCC would otherwise turn into 14 pointers.
template <class T, int R, ReadA kForm>
struct RowsOfA {
  static constexpr int kGroups = kForm == ReadA::kRows ? (R + 2) / 3 : 1;
  const T* base[kGroups];
  std::int64_t lda;

  __attribute__((always_inline)) RowsOfA(const T* a, std::int64_t stride) : lda(stride) {
#pragma GCC unroll 16
    for (int g = 0; g < kGroups; ++g) base[g] = a + 3 * g * stride;
  }
  __attribute__((always_inline)) Vec<T> operator[](int i) const {
    if constexpr (kForm == ReadA::kCols) return splat(base[0][i]);
    return splat(base[i / 3][(i % 3) * lda]);
  }
  __attribute__((always_inline)) void next() {
#pragma GCC unroll 16
    for (int g = 0; g < kGroups; ++g) {
      base[g] += kForm == ReadA::kCols ? lda : 1;
      if constexpr (kForm == ReadA::kRows) asm("" : "+r"(base[g]));
    }
  }
};

template <class M, int R, int V, bool kTail, ReadA kForm, class T = typename M::Element>
static void tile(std::int64_t k, const T* a, std::int64_t lda, const T* b, std::int64_t ldb, T* c,
                 std::int64_t ldc, bool accumulate, int tail) {
  constexpr int kLanes = Vec<T>::kLanes;
  const TailMask<T> mask(kTail ? tail : kLanes);
  Vec<T> acc[R][V];
#pragma GCC unroll 16
  for (int i = 0; i < R; ++i) {
#pragma GCC unroll 16
    for (int v = 0; v < V; ++v) {
      acc[i][v] = splat(T(0));
      if (accumulate) {
        const T* from = c + i * ldc + v * kLanes;
        acc[i][v] = kTail && v == V - 1 ? load(from, mask) : load(from);
      }
    }
  }
  RowsOfA<T, R, kForm> rows(a, lda);
  for (std::int64_t p = 0; p < k; ++p) {
#pragma GCC unroll 2
    for (int pass = 0; pass < M::kPasses; ++pass) {
      Vec<T> row[V];
#pragma GCC unroll 16
      for (int v = 0; v < V; ++v)
        row[v] = M::part(kTail && v == V - 1 ? load(b + v * kLanes, mask) : load(b + v * kLanes), pass);
#pragma GCC unroll 16
      for (int i = 0; i < R; ++i) {
        const Vec<T> left = M::part(rows[i], pass);
#pragma GCC unroll 16
        for (int v = 0; v < V; ++v) acc[i][v] = M::multiply_add(left, row[v], acc[i][v]);
      }
    }
    rows.next();
    b += ldb;
  }
#pragma GCC unroll 16
  for (int i = 0; i < R; ++i) {
#pragma GCC unroll 16
    for (int v = 0; v < V; ++v) {
      T* to = c + i * ldc + v * kLanes;
      if (kTail && v == V - 1) {
        store(to, acc[i][v], mask);
      } else {
        store(to, acc[i][v]);
      }
    }
  }
}

// Every tile by [rows][vectors]; index 0 of the second is the common full tile of kTileVecs vectors.
template <class M, ReadA kForm>
struct Tiles {
  TileFn<typename M::Element> fn[kTileRows + 1][kMaxVecs + 1];
};

template <class M, ReadA kForm, int R, int V>
constexpr void fill_tiles(Tiles<M, kForm>& tiles) {
  tiles.fn[R][V] = &tile<M, R, V, true, kForm>;
  if constexpr (V == 1) tiles.fn[R][0] = &tile<M, R, kTileVecs, false, kForm>;
  if constexpr (V > 1) {
    fill_tiles<M, kForm, R, V - 1>(tiles);
  } else if constexpr (R > 1) {
    fill_tiles<M, kForm, R - 1, max_vecs(R - 1)>(tiles);
  }
}

template <class M, ReadA kForm>
constexpr Tiles<M, kForm> make_tiles() {
  Tiles<M, kForm> tiles{};
  fill_tiles<M, kForm, kTileRows, kTileVecs>(tiles);
  return tiles;
}

template <class M, ReadA kForm>
inline constexpr Tiles<M, kForm> kTiles = make_tiles<M, kForm>();

}  // namespace ranvier::RANVIER_ISA
