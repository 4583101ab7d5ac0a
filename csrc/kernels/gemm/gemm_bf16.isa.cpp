// The product's kernels for bfloat16 and the conversions to and from it. Contracts: kernels.def.
//
// A word of two numbers travels as a float whose value means nothing: the tiles and their walk are those of
// float32, half as deep.
#include <cstddef>

#include "kernels/gemm/gemm_block.h"
#include "kernels/gemm/gemm_pack.h"
#include "kernels/table.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace ranvier::RANVIER_ISA {
namespace {

using Word = std::uint32_t;
using Words = Word __attribute__((vector_size(sizeof(Vec<float>))));
using Number = decltype(Vec<float>::v);

// The multiply-adds of a word as two passes: each half of it is a float, once it stands in the upper half.
struct Halves {
  using Element = float;
  static constexpr int kPasses = 2;
  __attribute__((always_inline)) static Vec<float> part(Vec<float> x, int pass) {
    return {(Number)(pass == 0 ? (Words)x.v & 0xffff0000u : (Words)x.v << 16)};
  }
  __attribute__((always_inline)) static Vec<float> multiply_add(Vec<float> left, Vec<float> right,
                                                                Vec<float> acc) {
    return fma(left, right, acc);
  }
};

#if defined(__AVX512F__)
// Both multiply-adds by the one instruction. As assembly: the rest of this file is for processors without it.
struct Dot {
  using Element = float;
  static constexpr int kPasses = 1;
  __attribute__((always_inline)) static Vec<float> part(Vec<float> x, int) { return x; }
  __attribute__((always_inline)) static Vec<float> multiply_add(Vec<float> left, Vec<float> right,
                                                                Vec<float> acc) {
    asm("vdpbf16ps %2, %1, %0" : "+v"(acc.v) : "v"(left.v), "v"(right.v));
    return acc;
  }
};
#endif

// Denormal operands count as zero and denormal results become zero: the instruction does so in any mode. Two functions,
// not a class with a destructor: cleaning up for exceptions would leave a symbol that the instruction sets share.
#if defined(__x86_64__)
RANVIER_INLINE std::uint64_t flush_denormals() {
  constexpr unsigned kToNearestFlushed = 0x9fc0;  // FTZ, DAZ, all exceptions masked
  const unsigned before = _mm_getcsr();
  _mm_setcsr(kToNearestFlushed);
  return before;
}
RANVIER_INLINE void restore_denormals(std::uint64_t before) { _mm_setcsr(static_cast<unsigned>(before)); }
#elif defined(__aarch64__)
RANVIER_INLINE std::uint64_t flush_denormals() {
  std::uint64_t before = 0;
  asm volatile("mrs %0, fpcr" : "=r"(before));
  asm volatile("msr fpcr, %0" : : "r"(before | (std::uint64_t{1} << 24)));
  return before;
}
RANVIER_INLINE void restore_denormals(std::uint64_t before) { asm volatile("msr fpcr, %0" : : "r"(before)); }
#endif

template <class M>
RANVIER_INLINE void block_of_words(std::int64_t m, std::int64_t n, std::int64_t k, const Word* a,
                                   std::int64_t lda, bool trans_a, const Word* b, std::int64_t ldb, float* c,
                                   std::int64_t ldc, bool accumulate) {
  block<M>(m, n, k, reinterpret_cast<const float*>(a), lda, trans_a, reinterpret_cast<const float*>(b), ldb,
           c, ldc, accumulate);
}

// out[p * width + i] = the word at element 2 p of line i, which begins at in + i * ld, for i < lines.
// Lines, kLanes at most, are staged first: an odd ld is no whole number of words.
void pack_lines(std::int64_t lines, std::int64_t k, std::int64_t width, const std::uint16_t* in,
                std::int64_t ld, float* out) {
  constexpr int kLanes = Vec<float>::kLanes;
  alignas(64) float stage[kLanes * kLanes];
  Vec<float> x[kLanes];
  for (std::int64_t p = 0; p < k; p += 2 * kLanes, out += kLanes * width) {
    const std::int64_t rest = at_most(k - p, 2 * kLanes);
    for (std::int64_t i = 0; i < lines; ++i) {
      const std::uint16_t* const from = in + i * ld + p;
      if (rest == 2 * kLanes) {
        __builtin_memcpy(stage + i * kLanes, from, kLanes * sizeof(Word));
      } else {
        store(stage + i * kLanes, splat(0.0f));
        __builtin_memcpy(stage + i * kLanes, from, static_cast<std::size_t>(rest) * sizeof(*from));
      }
    }
    load_transposed<float>(x, stage, kLanes, lines);
    store_square<float>(x, lines, static_cast<int>((rest + 1) / 2), width, out);
  }
}

// out[i] = the word of x[i] and y[i], i < count.
RANVIER_INLINE void interleave(std::int64_t count, const std::uint16_t* x, const std::uint16_t* y,
                               Word* out) {
  for (std::int64_t i = 0; i < count; ++i) out[i] = static_cast<Word>(x[i]) | static_cast<Word>(y[i]) << 16;
}

// Panels of `step` lines, words of a line kWidth apart, from lines whose elements are neighbours:
// in[q * ld + p].
template <std::int64_t kWidth>
void pack_along_k(std::int64_t count, std::int64_t k, std::int64_t step, const std::uint16_t* in,
                  std::int64_t ld, Word* out) {
  constexpr std::int64_t kLanes = Vec<float>::kLanes;
  for (std::int64_t q = 0; q < count; q += step, out += kWidth * ((k + 1) / 2)) {
    const std::int64_t lines = at_most(step, count - q);
    for (std::int64_t i = 0; i < lines; i += kLanes) {
      pack_lines(at_most(kLanes, lines - i), k, kWidth, in + (q + i) * ld, ld,
                 reinterpret_cast<float*>(out) + i);
    }
  }
}

// The same from lines side by side, in[p * ld + q]: a few rows of the source at a time, across all panels, as
// pack() has it. A panel with room for the lines after its own takes them along: its width is a constant.
template <std::int64_t kWidth>
void pack_across_k(std::int64_t count, std::int64_t k, std::int64_t step, const std::uint16_t* in,
                   std::int64_t ld, Word* out) {
  constexpr std::int64_t kRun = 8;
  const std::int64_t words = (k + 1) / 2;
  for (std::int64_t p = 0; p < k; p += kRun, in += kRun * ld, out += kRun / 2 * kWidth) {
    const std::int64_t run = at_most(kRun, k - p);
    Word* panel = out;
    for (std::int64_t q = 0; q < count; q += step, panel += kWidth * words) {
      const std::uint16_t* row = in + q;
      Word* to = panel;
      for (std::int64_t r = 0; r + 2 <= run; r += 2, row += 2 * ld, to += kWidth) {
        if (count - q >= kWidth) {
          interleave(kWidth, row, row + ld, to);
        } else {
          interleave(at_most(step, count - q), row, row + ld, to);
        }
      }
      if (run % 2 != 0) {
        for (std::int64_t i = 0; i < at_most(step, count - q); ++i) to[i] = row[i];
      }
    }
  }
}

template <std::int64_t kWidth>
RANVIER_INLINE void pack_words(std::int64_t count, std::int64_t k, std::int64_t step, const std::uint16_t* in,
                               std::int64_t ld, bool along_k, Word* out) {
  (along_k ? pack_along_k<kWidth> : pack_across_k<kWidth>)(count, k, step, in, ld, out);
}

}  // namespace

void gemm_block_bf16(std::int64_t m, std::int64_t n, std::int64_t k, const Word* a, std::int64_t lda,
                     bool trans_a, const Word* b, std::int64_t ldb, float* c, std::int64_t ldc,
                     bool accumulate) {
  const std::uint64_t before = flush_denormals();
  block_of_words<Halves>(m, n, k, a, lda, trans_a, b, ldb, c, ldc, accumulate);
  restore_denormals(before);
}

void gemm_block_bf16_dot(std::int64_t m, std::int64_t n, std::int64_t k, const Word* a, std::int64_t lda,
                         bool trans_a, const Word* b, std::int64_t ldb, float* c, std::int64_t ldc,
                         bool accumulate) {
#if defined(__AVX512F__)
  block_of_words<Dot>(m, n, k, a, lda, trans_a, b, ldb, c, ldc, accumulate);
#else
  gemm_block_bf16(m, n, k, a, lda, trans_a, b, ldb, c, ldc, accumulate);
#endif
}

void gemm_pack_bf16(std::int64_t n, std::int64_t k, const std::uint16_t* b, std::int64_t ldb, bool trans_b,
                    Word* out) {
  constexpr std::int64_t kWidth = kTileVecs * Vec<float>::kLanes;
  pack_words<kWidth>(n, k, kWidth, b, ldb, trans_b, out);
}

void gemm_pack_a_bf16(std::int64_t m, std::int64_t k, const std::uint16_t* a, std::int64_t lda, bool trans_a,
                      Word* out) {
  pack_words<kPanelRows<float>>(m, k, even_step(m, kTileRows), a, lda, !trans_a, out);
}

// Adding just under half of the last place kept, and that place's own bit, carries where the rest is above
// half, or half with an odd number before it.
void bf16_from_f32(std::int64_t n, const float* x, std::uint16_t* out) {
  for (std::int64_t i = 0; i < n; ++i) {
    Word bits;
    __builtin_memcpy(&bits, x + i, sizeof bits);
    const Word rounded = (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16, quiet = bits >> 16 | 0x40u;
    out[i] = static_cast<std::uint16_t>((bits & 0x7fffffffu) > 0x7f800000u ? quiet : rounded);
  }
}

void f32_from_bf16(std::int64_t n, const std::uint16_t* x, float* out) {
  for (std::int64_t i = 0; i < n; ++i) {
    const Word bits = static_cast<Word>(x[i]) << 16;
    __builtin_memcpy(out + i, &bits, sizeof bits);
  }
}

}  // namespace ranvier::RANVIER_ISA
