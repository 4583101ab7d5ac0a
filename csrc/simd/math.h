// The one set of math functions. Scalar, branch-free templates for float and double, written so that a plain
// loop around a call is vectorised by the compiler; a vector lane and a loop's scalar tail give the same
// bits.
//
// Bits are the same for every instruction set: only IEEE +, -, *, /, sqrt, explicit fused multiply-adds,
// selects and integer operations are used, and no libm function (its results differ between machines).
// Rounding to an integer and conversion to one go through the "magic" constant 1.5 * 2^mantissa_bits: its low
// mantissa bits are then the integer in two's complement, which needs no conversion instruction (AVX2 has
// none for 64 bits) and is never undefined.
//
// Special values follow IEEE 754 / C annex F: NaN in gives NaN out, signed zeros and infinities as usual.
// The sign and payload of a NaN are unspecified.
//
// simd/math_error.h has the error function and its kin, simd/math_trig.h angles. The largest errors measured are in
// docs/numerics.md.
//
// Include only from a *.isa.cpp file, or with RANVIER_ISA defined.
#pragma once

#include <cstdint>

#define RANVIER_INLINE static inline __attribute__((always_inline))

namespace ranvier::RANVIER_ISA {

template <class T>
struct Fp;

template <>
struct Fp<float> {
  using Bits = std::uint32_t;
  static constexpr int kMantissa = 23;
  static constexpr Bits kBias = 127;
  static constexpr Bits kSign = 0x80000000u;
  static constexpr Bits kMantissaMask = 0x007fffffu;
  static constexpr Bits kSqrtHalfBits = 0x3f3504f3u;
  static constexpr Bits kOneBits = 0x3f800000u;
  static constexpr Bits kInfBits = 0x7f800000u;
  static constexpr float kMagic = 0x1.8p23f;
  static constexpr float kTwoMantissa = 0x1p23f;
  static constexpr float kMinNormal = 0x1p-126f;
  static constexpr float kLog2E = 0x1.715476p+0f;
  // ln 2 = hi + lo; hi has 15 bits, so that k * hi is exact for every exponent k.
  static constexpr float kLn2Hi = 0x1.62e4p-1f;
  static constexpr float kLn2Lo = 0x1.7f7d1cp-20f;
  static constexpr float kExpMax = 89.0f;    // exp overflows at 88.72
  static constexpr float kExpMin = -104.0f;  // and rounds to 0 below -103.97
  static constexpr float kTanhMax = 10.0f;   // tanh rounds to 1 above 9.02
  static constexpr float kErfMax = 4.0f;     // erf rounds to 1 above 3.92
  static constexpr float kTiny = 0x1p-13f;   // x^2 / 3 is below half an ulp
};

template <>
struct Fp<double> {
  using Bits = std::uint64_t;
  static constexpr int kMantissa = 52;
  static constexpr Bits kBias = 1023;
  static constexpr Bits kSign = 0x8000000000000000u;
  static constexpr Bits kMantissaMask = 0x000fffffffffffffu;
  static constexpr Bits kSqrtHalfBits = 0x3fe6a09e667f3bcdu;
  static constexpr Bits kOneBits = 0x3ff0000000000000u;
  static constexpr Bits kInfBits = 0x7ff0000000000000u;
  static constexpr double kMagic = 0x1.8p52;
  static constexpr double kTwoMantissa = 0x1p52;
  static constexpr double kMinNormal = 0x1p-1022;
  static constexpr double kLog2E = 0x1.71547652b82fep+0;
  static constexpr double kLn2Hi = 0x1.62e42feep-1;  // 33 bits
  static constexpr double kLn2Lo = 0x1.a39ef35793c76p-33;
  static constexpr double kExpMax = 710.0;
  static constexpr double kExpMin = -746.0;
  static constexpr double kTanhMax = 20.0;
  static constexpr double kErfMax = 6.0;
  static constexpr double kTiny = 0x1p-28;
};

RANVIER_INLINE std::uint32_t to_bits(float x) { return __builtin_bit_cast(std::uint32_t, x); }
RANVIER_INLINE std::uint64_t to_bits(double x) { return __builtin_bit_cast(std::uint64_t, x); }
RANVIER_INLINE float from_bits(std::uint32_t u) { return __builtin_bit_cast(float, u); }
RANVIER_INLINE double from_bits(std::uint64_t u) { return __builtin_bit_cast(double, u); }

// a * b + c, rounded once.
RANVIER_INLINE double fma_(double a, double b, double c) { return __builtin_fma(a, b, c); }
RANVIER_INLINE float fma_(float a, float b, float c) {
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
  return __builtin_fmaf(a, b, c);
#else
  // The product is exact in double. The sum is rounded to odd there (an inexact sum gets its last bit set),
  // after which rounding to float is as if from the exact sum.
  const double p = static_cast<double>(a) * static_cast<double>(b);
  const double d = c;
  const double s = p + d;
  const double q = s - p;
  const double e = (p - (s - q)) + (d - q);  // exact: p + d = s + e
  const std::uint64_t u = to_bits(s);
  const std::uint64_t away = ((to_bits(e) ^ u) >> 63) == 0 ? std::uint64_t{1} : ~std::uint64_t{0};
  const bool inexact = (e > 0) | (e < 0);  // false for NaN
  const std::uint64_t step = inexact ? away : std::uint64_t{0};
  return static_cast<float>(from_bits((u & 1) == 0 ? u + step : u));
#endif
}

RANVIER_INLINE float sqrt_(float x) { return __builtin_sqrtf(x); }
RANVIER_INLINE double sqrt_(double x) { return __builtin_sqrt(x); }
RANVIER_INLINE float floor_(float x) { return __builtin_floorf(x); }
RANVIER_INLINE double floor_(double x) { return __builtin_floor(x); }
RANVIER_INLINE float ceil_(float x) { return __builtin_ceilf(x); }
RANVIER_INLINE double ceil_(double x) { return __builtin_ceil(x); }
RANVIER_INLINE float trunc_(float x) { return __builtin_truncf(x); }
RANVIER_INLINE double trunc_(double x) { return __builtin_trunc(x); }
// Half to even: the rounding mode is never changed.
RANVIER_INLINE float round_(float x) { return __builtin_rintf(x); }
RANVIER_INLINE double round_(double x) { return __builtin_rint(x); }

template <class T>
RANVIER_INLINE T abs_(T x) {
  return from_bits(to_bits(x) & ~Fp<T>::kSign);
}
template <class T>
RANVIER_INLINE T copysign_(T x, T sign) {
  return from_bits((to_bits(x) & ~Fp<T>::kSign) | (to_bits(sign) & Fp<T>::kSign));
}
template <class T>
RANVIER_INLINE T inf_() {
  return from_bits(Fp<T>::kInfBits);
}
template <class T>
RANVIER_INLINE T nan_() {
  return from_bits(Fp<T>::kInfBits | (Fp<T>::kInfBits >> 1));
}

// c0 + x * (c1 + x * (c2 + ...)): Horner's rule.
template <class T>
RANVIER_INLINE T poly(T, T c0) {
  return c0;
}
template <class T, class... Rest>
RANVIER_INLINE T poly(T x, T c0, Rest... rest) {
  return fma_(poly(x, rest...), x, c0);
}

// 2^n for the integer n held in the low bits of `u` (see the magic constant); n + bias must be a normal
// exponent.
template <class T>
RANVIER_INLINE T pow2_(typename Fp<T>::Bits u) {
  return from_bits((u << Fp<T>::kMantissa) + Fp<T>::kOneBits);
}

// (e^r - 1 - r) / r^2 for |r| <= ln(2) / 2. Minimax; relative error of e^r: 2^-34, 2^-58.
RANVIER_INLINE float exp_poly(float r) {
  return poly(r, 5.000000076e-1f, 1.666666686e-1f, 4.166627333e-2f, 8.333264709e-3f, 1.394590849e-3f,
              1.991820548e-4f);
}
RANVIER_INLINE double exp_poly(double r) {
  return poly(r, 5.000000000000012851e-1, 1.666666666666669957e-1, 4.16666666665143575e-2,
              8.33333333330691922e-3, 1.388888894732439485e-3, 1.984126991798015339e-4,
              2.480148959590916114e-5, 2.755721577194564877e-6, 2.763141236818499941e-7,
              2.511802882367177342e-8);
}

template <class T>
RANVIER_INLINE T clamp_keep_nan(T x, T low, T high) {
  x = x > high ? high : x;
  return x < low ? low : x;
}

// e^(x + lo) for x in [kExpMin, kExpMax] or NaN, and lo much smaller than 1.
template <class T>
RANVIER_INLINE T exp_core(T x, T lo) {
  using F = Fp<T>;
  const T t = fma_(x, F::kLog2E, F::kMagic);
  const T n = t - F::kMagic;
  T r = fma_(n, -F::kLn2Hi, x);
  r = fma_(n, -F::kLn2Lo, r) + lo;
  const T p = T(1) + fma_(r * r, exp_poly(r), r);
  // 2^n in two factors: n may be outside the range of exponents, and a denormal result must be rounded once.
  const auto u = to_bits(t);
  const auto half = u >> 1;
  return p * pow2_<T>(half) * pow2_<T>(u - half);
}

template <class T>
RANVIER_INLINE T exp_(T x) {
  return exp_core(clamp_keep_nan(x, Fp<T>::kExpMin, Fp<T>::kExpMax), T(0));
}

// (e^x - 1) / 2 as an unevaluated sum hi + lo, for x in [-104, 89] ([-746, 710]) or NaN; the half keeps 2^n
// finite.
template <class T>
RANVIER_INLINE void expm1_half(T x, T& hi, T& lo) {
  using F = Fp<T>;
  const T t = fma_(x, F::kLog2E, F::kMagic);
  const T n = t - F::kMagic;
  const T r0 = fma_(n, -F::kLn2Hi, x);
  const T r = fma_(n, -F::kLn2Lo, r0);
  const T r_lo = fma_(n, -F::kLn2Lo, r0 - r);
  const T q = fma_(r * r, exp_poly(r), r_lo);
  const T h = from_bits((to_bits(t) << F::kMantissa) + (F::kOneBits - (typename F::Bits{1} << F::kMantissa)));
  const T a = h - T(0.5);
  const T a_lo = (h - a) - T(0.5);
  const T b = h * r;
  hi = a + b;  // |a| >= |b| or a == 0
  lo = fma_(h, q, ((a - hi) + b) + a_lo);
}

template <class T>
RANVIER_INLINE T expm1_(T x) {
  // Below -50 the result is -1, and 2^n stays normal.
  T hi, lo;
  expm1_half(clamp_keep_nan(x, T(-50), Fp<T>::kExpMax), hi, lo);
  const T y = hi + lo;
  return abs_(x) < Fp<T>::kTiny * Fp<T>::kTiny ? x : y + y;
}

// (a + a_lo) / (b + b_lo), the quotient corrected by its remainder.
template <class T>
RANVIER_INLINE T divide_sums(T a, T a_lo, T b, T b_lo) {
  const T inverse = T(1) / b;
  const T q = a * inverse;
  const T rest = fma_(-q, b, a) + fma_(-q, b_lo, a_lo);
  return fma_(rest, inverse, q);
}

RANVIER_INLINE double tanh_(double x) {
  using F = Fp<double>;
  const double ax = abs_(x);
  double hi, lo;
  expm1_half(2.0 * (ax > F::kTanhMax ? F::kTanhMax : ax), hi, lo);
  // tanh = g / (g + 1), g = (e^2x - 1) / 2.
  const double g = hi + lo;
  const double g_lo = lo - (g - hi);
  const double d = g + 1.0;
  const double v = d - g;
  const double d_lo = (g - (d - v)) + (1.0 - v) + g_lo;
  return ax < F::kTiny ? x : copysign_(divide_sums(g, g_lo, d, d_lo), x);
}
// In float a polynomial (minimax, relative error 2^-27) for |x| < 0.625, else 1 - 2 / (e^2x + 1), where an error
// of e^2x shrinks: three quarters of the instructions, in half the time.
RANVIER_INLINE float tanh_(float x) {
  using F = Fp<float>;
  const float ax = abs_(x);
  const float z = x * x;
  const float p = poly(z, -3.333328068e-1f, 1.333144158e-1f, -5.373971537e-2f, 2.063908614e-2f,
                       -5.704986397e-3f);
  const float small = fma_(x * z, p, x);
  const float a = ax > F::kTanhMax ? F::kTanhMax : ax;
  const float t = fma_(a, 2.0f * F::kLog2E, F::kMagic);
  const float n = t - F::kMagic;
  const float r = fma_(n, -F::kLn2Lo, fma_(n, -F::kLn2Hi, a + a));
  const float e = (1.0f + fma_(r * r, exp_poly(r), r)) * pow2_<float>(to_bits(t));
  const float big = 1.0f - 2.0f / (e + 1.0f);
  return copysign_(ax < 0.625f ? small : big, x);  // also of a zero
}

// 1 / (1 + e^-x); the smaller of e^x and e^-x is used, so that nothing overflows and the left tail keeps its
// digits.
template <class T>
RANVIER_INLINE T sigmoid_(T x) {
  const T e = exp_(-abs_(x));
  const T d = T(1) + e;
  const T d_lo = e - (d - T(1));
  const T y = (x < T(0) ? e : T(1)) / d;
  return fma_(y * d_lo, e - T(1), y);  // y * (1 - d_lo / d), with 1 - e near enough to 1 / d
}

// log(1 + f) + k * ln(2) for 1 + f in [sqrt(1/2), sqrt(2)].
RANVIER_INLINE float log_core(float f, float k) {
  const float q = poly(f, 3.333331672e-1f, -2.500080923e-1f, 2.000228694e-1f, -1.66245897e-1f,
                       1.418119566e-1f, -1.312844713e-1f, 1.288151753e-1f, -7.860216695e-2f);
  const float f2 = f * f;
  const float half = 0.5f * f2;
  const float rest = fma_(f2 * f, q, k * Fp<float>::kLn2Lo);
  return fma_(k, Fp<float>::kLn2Hi, f - (half - rest));
}
// With s = f / (2 + f): log(1 + f) = 2 atanh(s) = f - f^2/2 + s * (f^2/2 + R(s^2)), as in fdlibm.
RANVIER_INLINE double log_core(double f, double k) {
  const double s = f / (2.0 + f);
  const double z = s * s;
  const double r = z * poly(z, 6.666666666666730685e-1, 3.999999999943340699e-1, 2.857142873902431482e-1,
                            2.222219886137255564e-1, 1.81835515742243269e-1, 1.531433156320642355e-1,
                            1.479351194544876552e-1);
  const double half = 0.5 * f * f;
  const double rest = fma_(s, half + r, k * Fp<double>::kLn2Lo);
  return fma_(k, Fp<double>::kLn2Hi, f - (half - rest));
}

// A positive finite normal x as m * 2^(e - bias), m in [sqrt(1/2), sqrt(2)); e >= 0 is returned.
template <class T>
RANVIER_INLINE typename Fp<T>::Bits split_exponent(T x, T& m) {
  using F = Fp<T>;
  const auto u = to_bits(x) + (F::kOneBits - F::kSqrtHalfBits);
  m = from_bits((u & F::kMantissaMask) + F::kSqrtHalfBits);
  return u >> F::kMantissa;
}
// The exponent that split_exponent returned, without its bias, as a number.
template <class T>
RANVIER_INLINE T exponent_value(typename Fp<T>::Bits e) {
  using F = Fp<T>;
  return from_bits(e | to_bits(F::kTwoMantissa)) - (F::kTwoMantissa + T(F::kBias));
}

template <class T>
RANVIER_INLINE T log_(T x) {
  using F = Fp<T>;
  const bool denormal = x < F::kMinNormal;
  T m;
  const auto e = split_exponent(denormal ? x * (F::kTwoMantissa * T(4)) : x, m);
  const T k = exponent_value<T>(e) - (denormal ? T(F::kMantissa + 2) : T(0));
  T y = log_core(m - T(1), k);
  y = x < inf_<T>() ? y : x;  // inf and NaN
  y = x < T(0) ? nan_<T>() : y;
  return x == T(0) ? -inf_<T>() : y;
}

template <class T>
RANVIER_INLINE T log1p_(T x) {
  using F = Fp<T>;
  const T u = T(1) + x;
  const T v = u - T(1);
  const T u_lo = (T(1) - (u - v)) + (x - v);  // 1 + x = u + u_lo exactly
  T m;
  const auto e = split_exponent(u, m);
  // 2^-k; 0 where the correction no longer matters.
  const T scale = from_bits(e < 2 * F::kBias ? (2 * F::kBias - e) << F::kMantissa : typename F::Bits{0});
  T y = copysign_(log_core(fma_(u_lo, scale, m - T(1)), exponent_value<T>(e)), x);
  y = x < inf_<T>() ? y : x;
  y = x < T(-1) ? nan_<T>() : y;
  return x == T(-1) ? -inf_<T>() : y;
}

// log(1 + e^x) = max(x, 0) + log(1 + e), e = e^-|x| <= 1. When 1 + e > sqrt(2), half of it is reduced: 1 + e
// = 2 * (1 + (e - 1) / 2).
template <class T>
RANVIER_INLINE T softplus_(T x) {
  const T e = exp_(-abs_(x));
  const bool upper = e > T(0.41421356237309503);
  return (x > T(0) ? x : T(0)) + log_core(upper ? (e - T(1)) * T(0.5) : e, upper ? T(1) : T(0));
}

// The special cases of x^y around `magnitude` = |x|^y, which is right for positive finite |x| and finite y.
RANVIER_INLINE double pow_special(double x, double y, double magnitude) {
  const double inf = inf_<double>();
  const double ax = abs_(x);
  const double ay = abs_(y);
  const bool extreme = (ax == 0.0) | (ax == inf) | (ay == inf);
  double p = extreme ? ((ax > 1.0) == (y > 0.0) ? inf : 0.0) : magnitude;
  const bool whole = floor_(y) == y;  // true for infinities
  const double half_y = 0.5 * y;
  const bool odd = whole & (floor_(half_y) != half_y);
  p = odd ? copysign_(p, x) : p;
  p = !whole & (x < 0.0) & (ax < inf) ? nan_<double>() : p;
  p = (x != x) | (y != y) ? nan_<double>() : p;
  return (x == 1.0) | (y == 0.0) | ((x == -1.0) & (ay == inf)) ? 1.0 : p;
}

// x^y. In double throughout: log to 2^-44, exp to 2^-34, one rounding to float.
RANVIER_INLINE float pow_(float xf, float yf) {
  using F = Fp<double>;
  const double x = xf;
  const double y = yf;
  double m;
  const double k = exponent_value<double>(split_exponent(abs_(x), m));
  const double f = m - 1.0;
  const double s = f / (2.0 + f);
  const double z = s * s;
  const double q = poly(z, 6.666666667555945723e-1, 3.999999568294001116e-1, 2.857210403902366917e-1,
                        2.217636269260207033e-1, 1.958208615340070531e-1);
  const double log_x = fma_(k, 0x1.62e42fefa39efp-1, s * fma_(z, q, 2.0));
  const double v = clamp_keep_nan(y * log_x, -120.0, 120.0);
  const double t = fma_(v, F::kLog2E, F::kMagic);
  const double n = t - F::kMagic;
  const double r = fma_(n, -0x1.62e42fefa39efp-1, v);
  const double e = poly(r, 5.00000007830906265e-1, 1.666666686456287876e-1, 4.166626853162966162e-2,
                        8.333263575727071403e-3, 1.394617614416842203e-3, 1.991877077289426763e-4);
  const double p = 1.0 + fma_(r * r, e, r);
  return static_cast<float>(pow_special(x, y, p * pow2_<double>(to_bits(t))));
}

// log(x) = hi + lo to about 2^-65, for positive finite x. log(m) = 2 atanh(s), s = (m - 1) / (m + 1): the
// terms in s and s^3 are carried in two doubles, the rest of the series in one.
RANVIER_INLINE void log_two_doubles(double x, double& hi, double& lo) {
  using F = Fp<double>;
  const bool denormal = x < F::kMinNormal;
  double m;
  const auto e = split_exponent(denormal ? x * 0x1p54 : x, m);
  const double k = exponent_value<double>(e) - (denormal ? 54.0 : 0.0);
  const double f = m - 1.0;
  const double d = 2.0 + f;
  const double d_lo = f - (d - 2.0);
  const double inverse = 1.0 / d;
  const double s = f * inverse;
  const double s_lo = fma_(-s, d_lo, fma_(-s, d, f)) * inverse;
  const double z = s * s;
  const double z_lo = fma_(s, s, -z) + 2.0 * s * s_lo;
  const double c = s * z;
  const double c_lo = fma_(s, z, -c) + fma_(s, z_lo, s_lo * z);
  const double third = 0x1.5555555555555p-1;  // 2/3 = third + third_lo
  const double third_lo = 0x1.5555555555555p-55;
  const double a = c * third;
  const double a_lo = fma_(c, third, -a) + fma_(c, third_lo, c_lo * third);
  const double b = c * z *
                   poly(z, 4.000000000000205019e-1, 2.857142857018067878e-1, 2.222222250760013192e-1,
                        1.818178530627228576e-1, 1.538671903122094172e-1, 1.325761689696886101e-1,
                        1.318962075462429615e-1);
  const double s2 = 2.0 * s;
  const double log_m = s2 + a;
  const double log_m_lo = ((s2 - log_m) + a) + (2.0 * s_lo + (a_lo + b));
  const double kl = k * F::kLn2Hi;  // exact
  const double sum = kl + log_m;
  const double sum_lo = ((kl - sum) + log_m) + fma_(k, F::kLn2Lo, log_m_lo);
  hi = sum + sum_lo;
  lo = sum_lo - (hi - sum);
}

RANVIER_INLINE double pow_(double x, double y) {
  double log_hi, log_lo;
  log_two_doubles(abs_(x), log_hi, log_lo);
  const double v = y * log_hi;
  const double v_lo = fma_(y, log_hi, -v) + y * log_lo;
  const bool in_range = abs_(v) < 750.0;
  const double p =
      exp_core(clamp_keep_nan(v, Fp<double>::kExpMin, Fp<double>::kExpMax), in_range ? v_lo : 0.0);
  return pow_special(x, y, p);
}

}  // namespace ranvier::RANVIER_ISA
