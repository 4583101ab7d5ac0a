// Philox 4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011),
// kBlocks counters at a time. Block b of a stream is the cipher of the counter (b low, b high, stream low,
// stream high) under the key (low, high): four 32-bit words.
#pragma once

#include <cstdint>

#include "kernels/reduce/lanes.h"
#include "kernels/types.h"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace ranvier::RANVIER_ISA {

inline constexpr int kBlocks = 16;          // of a chunk
inline constexpr int kWords = 4 * kBlocks;  // of a chunk

// Word w of block b of a chunk is word[w][b].
struct PhiloxChunk {
  alignas(64) std::uint32_t word[4][kBlocks];
};

using Wide = NativeVec<std::uint64_t>;

// The 64-bit products of the low halves of lanes with a 32-bit factor; the high halves are ignored.
[[gnu::always_inline]] static inline Wide multiply_low(Wide a, std::uint32_t factor) {
  const Wide b = Wide{} + factor;
#if defined(RANVIER_ISA_IS_avx512)
  // The masked form: GCC 12 warns of an uninitialised value inside the plain one.
  return reinterpret_cast<Wide>(
      _mm512_maskz_mul_epu32(0xFF, reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b)));
#elif defined(RANVIER_ISA_IS_avx2)
  return reinterpret_cast<Wide>(_mm256_mul_epu32(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
#elif defined(__SSE2__)
  return reinterpret_cast<Wide>(_mm_mul_epu32(reinterpret_cast<__m128i>(a), reinterpret_cast<__m128i>(b)));
#else
  return (a & 0xFFFFFFFFu) * b;
#endif
}

// Blocks first_block to first_block + kBlocks. A word is held in the low half of a 64-bit lane; what gathers
// in the high halves is never read.
[[gnu::always_inline]] static inline void philox(RandomKey key, std::uint64_t first_block,
                                                 PhiloxChunk& chunk) {
  constexpr int n = kNative<std::uint64_t>;
  for (int begin = 0; begin < kBlocks; begin += n) {
    Wide block;
    for (int l = 0; l < n; ++l) block[l] = static_cast<std::uint64_t>(begin + l);
    block += first_block;
    Wide c0 = block, c1 = block >> 32, c2 = Wide{} + key.stream, c3 = c2 >> 32;
    std::uint32_t k0 = static_cast<std::uint32_t>(key.key), k1 = static_cast<std::uint32_t>(key.key >> 32);
    for (int round = 0; round < 10; ++round) {
      const Wide p0 = multiply_low(c0, 0xD2511F53u), p1 = multiply_low(c2, 0xCD9E8D57u);
      c0 = (p1 >> 32) ^ c1 ^ k0;
      c1 = p1;
      c2 = (p0 >> 32) ^ c3 ^ k1;
      c3 = p0;
      k0 += 0x9E3779B9u;
      k1 += 0xBB67AE85u;
    }
    const Wide words[4] = {c0, c1, c2, c3};
    for (int w = 0; w < 4; ++w)
      for (int l = 0; l < n; ++l) chunk.word[w][begin + l] = static_cast<std::uint32_t>(words[w][l]);
  }
}

}  // namespace ranvier::RANVIER_ISA
