// Angles: the arc tangent, sines and cosines. A part of simd/math.h, under its rules.
#pragma once

#include "simd/math.h"

namespace ranvier::RANVIER_ISA {

// (atan(x) / x - 1) / z in z = x^2, |x| <= tan(pi / 8). Error of atan 2^-29, 2^-62.
RANVIER_INLINE float arctan_poly(float z) {
  return poly(z, -0.3333333175f, 0.1999953879f, -0.1426389711f, 0.1074309967f, -0.06449835225f);
}
RANVIER_INLINE double arctan_poly(double z) {
  return poly(z, -0.333333333333333332, 0.199999999999998025, -0.142857142856593273, 0.111111111051067051,
              -0.0909090875107663588, 0.0769229630497447006, -0.0666642362806925758, 0.058789145444006217,
              -0.0523034787301607419, 0.0455110812632517194, -0.0345580925514137975, 0.0162719447516240619);
}

// By atan(x) = pi / 4 + atan((x - 1) / (x + 1)) = pi / 2 - atan(1 / x).
template <class T>
RANVIER_INLINE T arctan_(T x) {
  const T ax = abs_(x);
  const bool upper = ax > T(2.414213562373095);
  const bool lower = ax < T(0.41421356237309503);
  const T above = upper ? T(-1) : ax - T(1);
  const T below = upper ? ax : ax + T(1);
  const T r = lower ? ax : above / below;
  const T z = r * r;
  // pi / 2 in two parts; half of it is exactly half of both.
  const T hi = T(1.5707963267948966);
  const T lo = T(sizeof(T) == 4 ? -4.371139000186241e-8 : 6.123233995736766e-17);
  const T scale = lower ? T(0) : upper ? T(1) : T(0.5);
  const T y = fma_(scale, hi, r + fma_(r * z, arctan_poly(z), scale * lo));
  return copysign_(y, x);
}

// pi / 2 as a sum of three doubles.
inline constexpr double kPio2Hi = 0x1.921fb54442d18p+0;
inline constexpr double kPio2Mid = 0x1.1a62633145c07p-54;
inline constexpr double kPio2Lo = -0x1.f1976b7ed8fbcp-110;
inline constexpr double kTwoOverPi = 0x1.45f306dc9c883p-1;
// sin_ and cos_ are right for |x| up to this; above it they return garbage of magnitude up to inf (the
// elementwise kernels take a slow path there).
inline constexpr double kTrigMax = 0x1p40;

// sin (quadrant 0) or cos (1), negated (2, 3), of the reduced argument r + r_lo, |r| <= pi / 4.
RANVIER_INLINE double sin_quadrant(double r, double r_lo, std::uint64_t quadrant) {
  const double z = r * r;
  const double ps = poly(z, -1.666666666666663888e-1, 8.333333333323687152e-3, -1.984126983062791884e-4,
                         2.755731393066549011e-6, -2.505079034755816962e-8, 1.589843724212671371e-10);
  const double pc = poly(z, 4.166666666666665673e-2, -1.388888888888330689e-3, 2.48015872948148634e-5,
                         -2.755731579231857187e-7, 2.087590716269286412e-9, -1.136863400004516729e-11);
  const double half = 0.5 * z;
  const double s = r + fma_(r * z, ps, fma_(-half, r_lo, r_lo));
  const double w = 1.0 - half;
  const double c = w + (((1.0 - w) - half) + fma_(z * z, pc, -r * r_lo));
  return from_bits(to_bits((quadrant & 1) != 0 ? c : s) ^ ((quadrant & 2) << 62));
}
// The same to 2^-37, for a result that is rounded to float.
RANVIER_INLINE double sin_quadrant_float(double r, std::uint64_t quadrant) {
  const double z = r * r;
  const double ps = poly(z, -1.666666664371646202e-1, 8.333329555586059062e-3, -1.983937624217382349e-4,
                         2.718624959647623535e-6);
  const double pc = poly(z, 4.166666664816327657e-2, -1.388888558182668271e-3, 2.479993564836140249e-5,
                         -2.724042856896287778e-7);
  const double s = fma_(r * z, ps, r);
  const double c = fma_(z * z, pc, fma_(z, -0.5, 1.0));
  return from_bits(to_bits((quadrant & 1) != 0 ? c : s) ^ ((quadrant & 2) << 62));
}

// sin(x + shift * pi / 2). Cody-Waite reduction: the first step is exact (its result is a multiple of an ulp
// of pi / 2 and at most 1, or x is near pi / 2); float arguments are reduced in double.
RANVIER_INLINE double sin_shifted(double x, std::uint64_t shift) {
  const double t = fma_(x, kTwoOverPi, Fp<double>::kMagic);
  const double n = t - Fp<double>::kMagic;
  const double r0 = fma_(-n, kPio2Hi, x);
  const double h = n * kPio2Mid;
  const double h_lo = fma_(n, kPio2Mid, -h);
  const double r = r0 - h;
  const double v = r - r0;
  const double r_lo = ((r0 - (r - v)) - (h + v)) - h_lo;
  return sin_quadrant(r, fma_(-n, kPio2Lo, r_lo), to_bits(t) + shift);
}
RANVIER_INLINE float sin_shifted(float x, std::uint64_t shift) {
  const double d = x;
  const double t = fma_(d, kTwoOverPi, Fp<double>::kMagic);
  const double n = t - Fp<double>::kMagic;
  const double r = fma_(-n, kPio2Mid, fma_(-n, kPio2Hi, d));
  return static_cast<float>(sin_quadrant_float(r, to_bits(t) + shift));
}

template <class T>
RANVIER_INLINE T sin_(T x) {
  const T y = sin_shifted(x, 0);
  return x == T(0) ? x : y;  // keeps the sign of zero
}
template <class T>
RANVIER_INLINE T cos_(T x) {
  return sin_shifted(x, 1);
}

}  // namespace ranvier::RANVIER_ISA
