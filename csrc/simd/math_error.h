// The error function, its complement and its inverse. A part of simd/math.h, under its rules.
#pragma once

#include "simd/math.h"

namespace ranvier::RANVIER_ISA {

// erf(x) / x - 1 in z = x^2, |x| <= 1. Relative error of erf 2^-29, 2^-62.
RANVIER_INLINE float erf_small(float z) {
  return poly(z, 1.283791657e-1f, -3.761262583e-1f, 1.128358516e-1f, -2.685381209e-2f, 5.188327487e-3f,
              -8.010188531e-4f, 7.853835496e-5f);
}
RANVIER_INLINE double erf_small(double z) {
  return poly(z, 1.283791670955125737e-1, -3.761263890318374761e-1, 1.128379167095485755e-1,
              -2.686617064507290431e-2, 5.223977624780954773e-3, -8.548326978747125079e-4,
              1.205533103707500336e-4, -1.492559351101541783e-5, 1.646097288179310729e-6,
              -1.635002589423797053e-7, 1.465788425667913313e-8, -1.136568262452759679e-9,
              5.94528925737588233e-11);
}
// -log(erfc(1 + t)), weighted by erfc: t in [0, 3], [0, 5].
RANVIER_INLINE float neg_log_erfc(float t) {
  return poly(t, 1.849605516f, 2.63896688f, 8.431176149e-1f, 4.150345596e-2f, -9.895378623e-3f,
              1.829317675e-3f, -1.863609941e-4f);
}
RANVIER_INLINE double neg_log_erfc(double t) {
  return poly(t, 1.849605509933248255, 2.638967514234788585, 8.43107256358658866e-1, 4.156109804218465999e-2,
              -1.003382537847716968e-2, 1.977902594117254584e-3, -2.373225908998076118e-4,
              -2.627756210106779379e-5, 2.715847650268578932e-5, -9.607960572356817048e-6,
              2.0587451066333965e-6, -1.420391698427754206e-7, -9.805521058098045113e-8,
              5.226632475659398964e-8, -1.498632425289709461e-8, 2.881376133874386523e-9,
              -3.709295008451030531e-10, 2.906370325329868045e-11, -1.049472049723119329e-12);
}

template <class T>
RANVIER_INLINE T erf_(T x) {
  const T ax = abs_(x);
  const T small = fma_(x, erf_small(x * x), x);
  const T t = (ax > Fp<T>::kErfMax ? Fp<T>::kErfMax : ax) - T(1);
  const T big = T(1) - exp_core(-neg_log_erfc(t), T(0));
  return ax < T(1) ? small : copysign_(big, x);
}

// poly, as the result + lo.
template <class T, class... Rest>
RANVIER_INLINE T poly_sum(T& lo, T x, T c0, Rest... rest) {
  const T higher = poly(x, rest...);
  const T y = fma_(x, higher, c0);
  lo = fma_(x, higher, c0 - y);
  return y;
}

// (1 + 2 x) e^(x^2) erfc(x) as a function of u = (x - 4) / (x + 4), for x in [0.5, 11], [0.5, 28]. Relative
// error 2^-27, 2^-57. As the result + lo.
RANVIER_INLINE float scaled_erfc(float u, float& lo) {
  return poly_sum(lo, u, 1.23299512f, -0.1396210975f, 0.01537957051f, 0.06809552386f, -0.1010394476f,
                  0.09376083047f, -0.06629671015f, 0.03699506972f, -0.01649355463f, 0.005330078722f);
}
RANVIER_INLINE double scaled_erfc(double u, double& lo) {
  return poly_sum(lo, u, 1.23299511862555251, -0.139621116840562534, 0.0153796521026190268,
                  0.0680970542546949385, -0.101039066036253802, 0.0937328349982821327, -0.0663303658136055444,
                  0.0371675155382821463, -0.0161977340382879189, 0.00503196997472503631,
                  -0.00075777344850568461, -0.000199256708360107374, 0.000150622494333614869,
                  -0.0000243990020708622827, -0.0000112247300254032805, 5.70868415069644251e-6,
                  2.99554176055948786e-7, -8.22616932093445419e-7, 6.70279578618920913e-8,
                  1.05724785672754072e-7, -1.22253755025046046e-8, -1.04915307497518875e-8);
}

// 1 - erf(x), with all digits on both sides. Beyond 0.5 it is e^-x^2 scaled_erfc / (1 + 2 x), whose parts are
// carried in two numbers and rounded once at the end.
template <class T>
RANVIER_INLINE T erfc_(T x) {
  using F = Fp<T>;
  const T ax = abs_(x);
  const T top = T(sizeof(T) == 4 ? 11.0 : 28.0);  // erfc is 0 from here on
  const T t = ax > top ? top : ax;
  const T square = t * t;
  const T rest = fma_(t, t, -square);  // t^2 = square + rest
  const T m = fma_(-square, F::kLog2E, F::kMagic);
  const T n = m - F::kMagic;
  const T r0 = fma_(n, -F::kLn2Hi, -square);
  const T r1 = fma_(n, -F::kLn2Lo, r0);
  const T r = r1 - rest;
  const T r_lo = ((r1 - r) - rest) + fma_(n, -F::kLn2Lo, r0 - r1);
  const T one = T(1) + r;
  const T one_lo = (r - (one - T(1))) + fma_(r * r, exp_poly(r), r_lo);
  const T e = one + one_lo;  // e^-t^2 = 2^n (e + e_lo)
  const T e_lo = one_lo - (e - one);
  T s_lo;
  const T s = scaled_erfc((t - T(4)) / (t + T(4)), s_lo);
  const T y = e * s;
  const T y_lo = fma_(e, s, -y) + fma_(e, s_lo, e_lo * s);
  const T d = fma_(t, T(2), T(1));
  const T d_lo = fma_(t, T(2), T(1) - d);
  const auto u = to_bits(m);
  const auto half = u >> 1;
  const T tail = divide_sums(y, y_lo, d, d_lo) * pow2_<T>(half) * pow2_<T>(u - half);
  const T small = fma_(-x, erf_small(x * x), T(1) - x);
  return ax < T(0.5) ? small : x < T(0) ? T(2) - tail : tail;
}

// erfinv(x) / x as a function of w = -log(1 - x^2), after M. Giles, "Approximating the erfinv function"
// (2010), with minimax polynomials of our own: one in w near 0, then one or two in sqrt(w). As the
// result + lo.
RANVIER_INLINE float erfinv_ratio(float w, float& lo) {
  float central_lo;
  const float central = poly_sum(central_lo, w - 3.0f, 1.623542015f, 2.416304074e-1f, -5.738193577e-3f,
                                 -8.361927161e-4f, 1.951276189e-4f, -1.270882711e-5f, -1.775829322e-6f,
                                 4.484222343e-7f, -1.8335484e-8f, -5.473589731e-9f, 6.25505223e-10f);
  central_lo += fma_(w - 3.0f, 2.212e-09f, -5.539e-08f);  // what rounding the first two coefficients lost
  float tail_lo;
  const float tail = poly_sum(tail_lo, sqrt_(w) - 3.0f, 2.832976805f, 1.001675244f, 9.444959123e-3f,
                              -7.642692401e-3f, 5.693044694e-3f, -3.57198272e-3f, 1.450069769e-3f,
                              -8.447106598e-5f, -2.498371543e-4f, 9.265317699e-5f);
  lo = w < 6.0f ? central_lo : tail_lo;
  return w < 6.0f ? central : tail;
}
RANVIER_INLINE double erfinv_ratio(double w, double& lo) {
  double central_lo;
  const double central = poly_sum(central_lo, w - 3.125, 1.653654562683102717, 2.401581824255883327e-1,
                                  -6.033670871426996347e-3, -7.407025341545543409e-4, 1.867342080205292777e-4,
                                  -1.388252339419720573e-5, -1.365469177263801743e-6, 4.234788171204048182e-7,
                                  -2.907038989570943135e-8, -4.11266064285353504e-9, 1.051222566923933964e-9,
                                  -5.414294626504765387e-11, -1.297850415858630589e-11,
                                  2.630503456634120801e-12, -8.079292222496655198e-14,
                                  -4.001589815394795256e-14, 6.533342705251279277e-15,
                                  -3.9877944605043643e-17, -1.234487909272517322e-16,
                                  1.554519599019661233e-17, 6.956670419306909377e-19,
                                  -3.487647556170992209e-19, 1.653925781231512821e-20,
                                  3.219368018130410697e-21, -3.001607774499468749e-22);
  const double v = sqrt_(w);
  double middle_lo;
  const double middle = poly_sum(middle_lo, v - 3.25, 3.083885610492220676, 1.005258967694165374,
                                 5.370914553555089987e-3, -3.751208508223805565e-3, 2.491442097953441248e-3,
                                 -1.688275535478048933e-3, 9.532893416629030933e-4, -3.550378133682749557e-4,
                                 2.403151186730871265e-5, 6.828711416824063377e-5, -4.732067384517074131e-5,
                                 1.246504286336933501e-5, 2.932550214649680724e-6, -3.985746102736179574e-6,
                                 1.481669916544011741e-6, -2.755171840393898682e-8, -2.456092150398689608e-7,
                                 1.315283262818831812e-7, -2.082012768367942286e-8, -1.528352733418174655e-8,
                                 7.646146360412707205e-9);
  double tail_lo;
  const double tail = poly_sum(tail_lo, v - 5.0, 4.849906401408584344, 1.010300464864545363,
                               -1.38719318380445034e-4, -2.15030119828702765e-4, 7.599527810259126704e-5,
                               -1.968177068576492904e-5, 4.526052486819103259e-6, -9.93029502932485586e-7,
                               2.290529237968462197e-7, -6.755567934163004416e-8, 2.901859643249500024e-8,
                               -1.525631506691417636e-8, 7.821122909572535962e-9, -3.469683085010951447e-9,
                               1.316685034143324954e-9, -4.386718748630631996e-10, 6.899787925442088609e-11,
                               4.316714408360124299e-11, -2.021994841234701112e-11);
  lo = w < 6.25 ? central_lo : v < 4.0 ? middle_lo : tail_lo;
  return w < 6.25 ? central : v < 4.0 ? middle : tail;
}

// The inverse of erf on [-1, 1]; NaN outside.
template <class T>
RANVIER_INLINE T erfinv_(T x) {
  const T w = -log_(fma_(-x, x, T(1)));
  T lo;
  const T ratio = erfinv_ratio(w, lo);
  const T y = fma_(x, ratio, x * lo);
  return copysign_(abs_(x) == T(1) ? inf_<T>() : y, x);
}

}  // namespace ranvier::RANVIER_ISA
