// Plain definitions of the elementwise operations; see elementwise_reference.h.
#include "kernels/elementwise/elementwise_reference.h"

#include <cmath>
#include <limits>
#include <numeric>
#include <type_traits>

namespace ranvier {
namespace {

using Wide = long double;

// Integers wrap: computed in the unsigned type.
template <class T>
using Unsigned = std::make_unsigned_t<T>;

namespace math {

Wide sign(Wide x) { return x > 0 ? 1 : x < 0 ? -1 : x; }
Wide rsqrt(Wide x) { return 1 / std::sqrt(x); }
Wide sigmoid(Wide x) { return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x)); }
Wide softplus(Wide x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }
Wide relu(Wide x) { return x <= 0 ? 0 : x; }
Wide round(Wide x) { return std::nearbyint(x); }

template <class T>
T mod(T x, T y) {
  T r = std::fmod(x, y);
  if (r != 0 && (r < 0) != (y < 0)) r += y;
  return r == 0 ? std::copysign(r, y) : r;
}
Wide floor_divide(Wide x, Wide y) {
  if (y == 0) return x / y;
  Wide r = std::fmod(x, y);
  if (std::isnan(r)) return r;
  Wide q = std::nearbyint((x - r) / y);
  if (r != 0 && (r < 0) != (y < 0)) q -= 1;
  return q == 0 ? std::copysign(q, x / y) : q;
}
// By Halley's method on erfc, which keeps the digits near 1.
Wide erfinv(Wide x) {
  if (!(std::fabs(x) < 1)) return std::fabs(x) == 1 ? std::copysign(std::numeric_limits<Wide>::infinity(), x) : NAN;
  const Wide ax = std::fabs(x), w = std::log1p(-ax * ax), c = 2 / (M_PIl * 0.147L) + w / 2;
  Wide y = std::sqrt(std::sqrt(c * c - w / 0.147L) - c);  // Winitzki's approximation, right to 2e-3
  for (int i = 0; i < 6; ++i) {
    const Wide difference = ax < 0.5L ? std::erf(y) - ax : (1 - ax) - std::erfc(y);
    const Wide step = difference / (2 / std::sqrt(M_PIl) * std::exp(-y * y));
    y -= step / (1 + y * step);
  }
  return std::copysign(y, x);
}
Wide maximum(Wide x, Wide y) { return x > y || std::isnan(x) ? x : y; }
Wide minimum(Wide x, Wide y) { return x < y || std::isnan(x) ? x : y; }

}  // namespace math

template <class T>
T float_value(Ew op, T a, T b) {
  const Wide x = a;
  const Wide y = b;
  switch (op) {
    case Ew::neg: return -a;
    case Ew::abs: return std::fabs(a);
    case Ew::sign: return T(math::sign(x));
    case Ew::square: return a * a;
    case Ew::sqrt: return std::sqrt(a);
    case Ew::rsqrt: return T(math::rsqrt(x));
    case Ew::reciprocal: return 1 / a;
    case Ew::exp: return T(std::exp(x));
    case Ew::expm1: return T(std::expm1(x));
    case Ew::log: return T(std::log(x));
    case Ew::log1p: return T(std::log1p(x));
    case Ew::sin: return T(std::sin(x));
    case Ew::cos: return T(std::cos(x));
    case Ew::tanh: return T(std::tanh(x));
    case Ew::sigmoid: return T(math::sigmoid(x));
    case Ew::softplus: return T(math::softplus(x));
    case Ew::erf: return T(std::erf(x));
    case Ew::erfc: return T(std::erfc(x));
    case Ew::erfinv: return T(math::erfinv(x));
    case Ew::arctan: return T(std::atan(x));
    case Ew::relu: return T(math::relu(x));
    case Ew::floor: return std::floor(a);
    case Ew::ceil: return std::ceil(a);
    case Ew::round: return T(math::round(x));
    case Ew::add: return a + b;
    case Ew::subtract: return a - b;
    case Ew::multiply: return a * b;
    case Ew::divide: return a / b;
    case Ew::floor_divide: return T(math::floor_divide(x, y));
    case Ew::mod: return math::mod(a, b);
    case Ew::power: return T(std::pow(x, y));
    case Ew::maximum: return T(math::maximum(x, y));
    case Ew::minimum: return T(math::minimum(x, y));
    default: return std::numeric_limits<T>::quiet_NaN();
  }
}

// Floored quotient; 0 for a zero divisor.
template <class T>
T int_floor_divide(T x, T y) {
  if (y == 0) return 0;
  if (y == -1) return T(Unsigned<T>(0) - Unsigned<T>(x));
  const T q = x / y;
  return x % y != 0 && (x < 0) != (y < 0) ? q - 1 : q;
}

template <class T>
T gcd(T x, T y) {
  Unsigned<T> a = x < 0 ? Unsigned<T>(0) - Unsigned<T>(x) : Unsigned<T>(x);
  Unsigned<T> b = y < 0 ? Unsigned<T>(0) - Unsigned<T>(y) : Unsigned<T>(y);
  return T(std::gcd(a, b));
}

template <class T>
T int_value(Ew op, T a, T b) {
  using U = Unsigned<T>;
  switch (op) {
    case Ew::neg: return T(U(0) - U(a));
    case Ew::abs: return a < 0 ? T(U(0) - U(a)) : a;
    case Ew::sign: return (a > 0) - (a < 0);
    case Ew::square: return T(U(a) * U(a));
    case Ew::relu: return a > 0 ? a : 0;
    case Ew::add: return T(U(a) + U(b));
    case Ew::subtract: return T(U(a) - U(b));
    case Ew::multiply: return T(U(a) * U(b));
    case Ew::floor_divide: return int_floor_divide(a, b);
    case Ew::mod: return b == 0 ? 0 : T(U(a) - U(int_floor_divide(a, b)) * U(b));
    case Ew::maximum: return a > b ? a : b;
    case Ew::minimum: return a < b ? a : b;
    case Ew::bitwise_and: return a & b;
    case Ew::bitwise_or: return a | b;
    case Ew::bitwise_xor: return a ^ b;
    case Ew::left_shift: return U(b) < 8 * sizeof(T) ? T(U(a) << U(b)) : 0;
    case Ew::right_shift: return U(b) < 8 * sizeof(T) ? a >> b : a < 0 ? -1 : 0;
    case Ew::gcd: return gcd(a, b);
    default: return 0;
  }
}

template <class T>
bool truth(Ew op, T a, T b) {
  switch (op) {
    case Ew::isnan: return a != a;
    case Ew::isinf: return std::isinf(double(a)) && a - a != T(0);
    case Ew::isfinite: return a - a == T(0);
    case Ew::logical_not: return a == T(0);
    case Ew::equal: return a == b;
    case Ew::not_equal: return a != b;
    case Ew::less: return a < b;
    case Ew::less_equal: return a <= b;
    case Ew::greater: return a > b;
    case Ew::greater_equal: return a >= b;
    case Ew::logical_and: return a != T(0) && b != T(0);
    case Ew::logical_or: return a != T(0) || b != T(0);
    case Ew::logical_xor: return (a != T(0)) != (b != T(0));
    default: return false;
  }
}

struct Traits {
  int arity;
  char dtypes;
  char result;
};
Traits traits_of(Ew op) {
  constexpr Traits table[] = {
#define RANVIER_EW(name, arity, dtypes, result, cost) {arity, #dtypes[0], #result[0]},
#include "kernels/elementwise/elementwise.def"
#undef RANVIER_EW
  };
  return table[static_cast<int>(op)];
}

template <class T>
bool run(Ew op, std::int64_t n, void* out, const void* a_, const void* b_, const void* c_) {
  const Traits traits = traits_of(op);
  const T* a = static_cast<const T*>(a_);
  const T* b = static_cast<const T*>(b_);
  if (traits.arity == 3) {
    const bool* condition = static_cast<const bool*>(a_);
    const T* c = static_cast<const T*>(c_);
    for (std::int64_t i = 0; i < n; ++i) static_cast<T*>(out)[i] = condition[i] ? b[i] : c[i];
    return true;
  }
  for (std::int64_t i = 0; i < n; ++i) {
    const T y = traits.arity == 2 ? b[i] : T(0);
    if (traits.result == 'B') {
      static_cast<bool*>(out)[i] = truth(op, a[i], y);
    } else if constexpr (std::is_floating_point_v<T>) {
      static_cast<T*>(out)[i] = float_value(op, a[i], y);
    } else if constexpr (!std::is_same_v<T, bool>) {
      static_cast<T*>(out)[i] = int_value(op, a[i], y);
    }
  }
  return true;
}

bool offered(char dtypes, DType dtype) {
  switch (dtypes) {
    case 'F': return is_float(dtype);
    case 'N': return is_compute(dtype) && dtype != DType::b8;
    case 'I': return dtype == DType::i32 || dtype == DType::i64;
    case 'B': return dtype == DType::b8;
    default: return is_compute(dtype);
  }
}

template <class To, class From>
To convert(From x) {
  if constexpr (std::is_same_v<To, bool>) {
    return x != From(0);
  } else if constexpr (std::is_floating_point_v<From> && !std::is_floating_point_v<To>) {
    if (x != x) return 0;
    const Wide t = std::trunc(static_cast<Wide>(x));
    if (t <= static_cast<Wide>(std::numeric_limits<To>::min())) return std::numeric_limits<To>::min();
    if (t >= static_cast<Wide>(std::numeric_limits<To>::max())) return std::numeric_limits<To>::max();
    return static_cast<To>(t);
  } else {
    return static_cast<To>(x);
  }
}

template <class From>
void cast_from(DType to, std::int64_t n, void* out, const void* a) {
  switch (to) {
#define RANVIER_X(id, type, text)                                                 \
  case DType::id:                                                                 \
    for (std::int64_t i = 0; i < n; ++i)                                          \
      static_cast<type*>(out)[i] = convert<type>(static_cast<const From*>(a)[i]); \
    break;
    RANVIER_DTYPES(RANVIER_X)
#undef RANVIER_X
  }
}

}  // namespace

bool ew_reference(Ew op, DType dtype, std::int64_t n, void* out, const void* a, const void* b,
                  const void* c) {
  if (op == Ew::kCount || !offered(traits_of(op).dtypes, dtype)) return false;
  switch (dtype) {
    case DType::f32: return run<float>(op, n, out, a, b, c);
    case DType::f64: return run<double>(op, n, out, a, b, c);
    case DType::i32: return run<std::int32_t>(op, n, out, a, b, c);
    case DType::i64: return run<std::int64_t>(op, n, out, a, b, c);
    case DType::b8: return run<bool>(op, n, out, a, b, c);
    default: return false;
  }
}

void ew_cast_reference(DType from, DType to, std::int64_t n, void* out, const void* a) {
  switch (from) {
#define RANVIER_X(id, type, text) \
  case DType::id: return cast_from<type>(to, n, out, a);
    RANVIER_DTYPES(RANVIER_X)
#undef RANVIER_X
  }
}

}  // namespace ranvier
