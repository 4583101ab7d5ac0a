// bfloat16: the upper half of a float, kept in a std::uint16_t. One number at a time; the kernels are in
// gemm_bf16.isa.cpp.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace ranvier {

inline float float_of_bf16(std::uint16_t x) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(x) << 16);
}

// Rounds to nearest, ties to even: what is beyond the largest number becomes infinite, a NaN quiet.
inline std::uint16_t bf16_of_float(float x) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(x), upper = bits >> 16, rest = bits & 0xffffu;
  if (std::isnan(x)) return static_cast<std::uint16_t>(upper | 0x40u);
  const bool up = rest > 0x8000u || (rest == 0x8000u && (upper & 1u) != 0);
  return static_cast<std::uint16_t>(upper + (up ? 1u : 0u));
}

}  // namespace ranvier
