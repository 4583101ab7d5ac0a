// sin and cos of arguments too large for the vector reduction: Payne and Hanek's method in integers, exact
// enough for every double. Scalar; reached only where |x| > kTrigMax.
#pragma once

#include <cstdint>

#include "simd/math_trig.h"

namespace ranvier::RANVIER_ISA {

__extension__ typedef unsigned __int128 U128;

// The first 1216 bits of 2 / pi after the point, most significant word first.
inline constexpr std::uint64_t kTwoOverPiBits[19] = {
    0xa2f9836e4e441529u, 0xfc2757d1f534ddc0u, 0xdb6295993c439041u, 0xfe5163abdebbc561u, 0xb7246e3a424dd2e0u,
    0x06492eea09d1921cu, 0xfe1deb1cb129a73eu, 0xe88235f52ebb4484u, 0xe99c7026b45f7e41u, 0x3991d639835339f4u,
    0x9c845f8bbdf9283bu, 0x1ff897ffde05980fu, 0xef2f118b5a0a6d1fu, 0x6d367ecf27cb09b7u, 0x4f463f669e5fea2du,
    0x7527bac7ebe5f17bu, 0x3d0739f78a5292eau, 0x6bfb5fb11f8d5d08u, 0x56033046fc7b6babu,
};

// 64 bits of 2 / pi from bit `at` on (bit 0 is worth 1/2); bits before the point are 0.
RANVIER_INLINE std::uint64_t two_over_pi_bits(int at) {
  if (at <= -64) return 0;
  if (at < 0) return kTwoOverPiBits[0] >> -at;
  const int word = at >> 6;
  const int shift = at & 63;
  const std::uint64_t high = kTwoOverPiBits[word] << shift;
  return shift == 0 ? high : high | (kTwoOverPiBits[word + 1] >> (64 - shift));
}

// sin(x + shift * pi / 2) for finite |x| >= 1. With |x| = m * 2^e, the bits of 2 / pi that are worth at least
// 4 / 2^e only add multiples of 4 to |x| * 2 / pi and are skipped; 192 bits from there on give the quadrant
// and 125 bits of the fraction (the closest that a double comes to a multiple of pi / 2 takes 62 of them).
static inline double sin_any(double x, std::uint64_t shift) {
  const std::uint64_t bits = to_bits(x);
  const int e = static_cast<int>((bits >> 52) & 0x7ff) - 1075;
  const std::uint64_t m = (bits & Fp<double>::kMantissaMask) | (std::uint64_t{1} << 52);
  const int at = e - 2;
  const U128 top = static_cast<U128>(m * two_over_pi_bits(at)) << 64;
  const U128 middle = static_cast<U128>(m) * two_over_pi_bits(at + 64);
  const U128 low = static_cast<U128>(m) * two_over_pi_bits(at + 128);
  const U128 product = top + middle + (low >> 64);  // |x| * 2 / pi mod 4, in units of 2^-126
  // Round to the nearest quadrant; what is left is signed, in [-1/2, 1/2) quadrants.
  const U128 rounded = product + (static_cast<U128>(1) << 125);
  std::uint64_t quadrant = static_cast<std::uint64_t>(rounded >> 126);
  const U128 fraction = product - (static_cast<U128>(quadrant) << 126);
  const bool below = (fraction >> 127) != 0;
  const U128 magnitude = below ? ~fraction + 1 : fraction;
  // Its leading 106 bits as two doubles.
  const U128 nonzero = magnitude | 1;
  const std::uint64_t upper = static_cast<std::uint64_t>(nonzero >> 64);
  const int zeros =
      upper != 0 ? __builtin_clzll(upper) : 64 + __builtin_clzll(static_cast<std::uint64_t>(nonzero));
  const U128 normal = nonzero << zeros;
  const double unit = from_bits(static_cast<std::uint64_t>(1023 + 22 - 126 - zeros) << 52);
  const double hi = static_cast<double>(static_cast<std::uint64_t>(normal >> 75)) * 0x1p53 * unit;
  const double lo =
      static_cast<double>(static_cast<std::uint64_t>(normal >> 22) & ((std::uint64_t{1} << 53) - 1)) * unit;
  const double f = hi + lo;
  const double f_lo = lo - (f - hi);
  const double sign = below != (x < 0) ? -1.0 : 1.0;
  const double r = f * kPio2Hi;
  const double r_lo = fma_(f, kPio2Hi, -r) + fma_(f, kPio2Mid, f_lo * kPio2Hi);
  if (x < 0) quadrant = 0 - quadrant;
  return sin_quadrant(sign * r, sign * r_lo, quadrant + shift);
}
static inline float sin_any(float x, std::uint64_t shift) {
  return static_cast<float>(sin_any(static_cast<double>(x), shift));
}

}  // namespace ranvier::RANVIER_ISA
