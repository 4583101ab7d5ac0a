// Binary elementwise operations and select; see elementwise.def for the list and loops.h for the loops.
#include "kernels/elementwise/lookup.h"

namespace ranvier::RANVIER_ISA {
namespace {

// Integer arithmetic wraps: it goes through the unsigned type. Floats go through themselves.
template <class T>
struct Arithmetic {
  using Type = T;
};
template <>
struct Arithmetic<std::int32_t> {
  using Type = std::uint32_t;
};
template <>
struct Arithmetic<std::int64_t> {
  using Type = std::uint64_t;
};

// Quotient rounded down and remainder of the divisor's sign, as Python and NumPy define them.
template <class T>
struct DivMod {
  T quotient;
  T remainder;
};

// Below this the quotient of two doubles and its remainder are exact.
inline constexpr double kQuotientMax = 0x1p52;

// x or 0. By a mask: with selects GCC 12 finds control flow that it does not vectorise.
template <class T>
RANVIER_INLINE T keep_if(bool keep, T x) {
  return from_bits(to_bits(x) & (typename Fp<T>::Bits{0} - keep));
}

// The truncated quotient and remainder, made into floored ones; as NumPy for infinities and zero divisors.
// Signs are copied, which only matters for zeros.
template <class T>
RANVIER_INLINE DivMod<T> floored(T x, T y, double quotient, double remainder) {
  const T r = static_cast<T>(remainder);
  const bool other_side = (r != T(0)) & ((r < T(0)) != (y < T(0)));
  const T q = static_cast<T>(quotient - keep_if(other_side, 1.0));
  const bool undefined = (abs_(x) == inf_<T>()) & (y != T(0));
  return {undefined ? nan_<T>() : copysign_(q, x / y), copysign_(r + keep_if(other_side, y), y)};
}

template <class T>
RANVIER_INLINE DivMod<T> div_mod_float(T xt, T yt) {
  const double x = xt;
  const double y = yt;
  double q = trunc_(x / y);
  double r = fma_(-q, abs_(y) < inf_<double>() ? y : 1.0, x);  // an infinite y makes q zero
  // x / y may have been rounded up to a whole number; then the remainder has the wrong sign.
  const bool too_far = (r != 0.0) & ((r < 0.0) != (x < 0.0));
  r += keep_if(too_far, copysign_(y, x));
  q -= keep_if(too_far, copysign_(1.0, q));
  return floored(xt, yt, q, r);
}

template <class T>
RANVIER_INLINE bool easy_quotient(T xt, T yt) {
  const double x = xt;
  const double y = yt;
  return !((abs_(x) < inf_<double>()) & (y != 0.0) & (abs_(x / y) >= kQuotientMax));
}

// fmod's result is exact by definition, so libm gives the same bits everywhere.
template <class T>
static inline DivMod<T> div_mod_float_slow(T xt, T yt) {
  if (easy_quotient(xt, yt)) return div_mod_float(xt, yt);
  const double x = xt;
  const double y = yt;
  const double r = __builtin_fmod(x, y);
  return floored(xt, yt, round_((x - r) / y), r);
}

// Division by zero gives quotient and remainder 0.
RANVIER_INLINE DivMod<std::int32_t> div_mod_int(std::int32_t x, std::int32_t y) {
  // A quotient of 32-bit integers that is not whole is further from a whole number than double rounds. The
  // magic constant's low bits also wrap 2^31.
  const double q = floor_(static_cast<double>(x) / static_cast<double>(y == 0 ? 1 : y));
  const auto u = y == 0 ? std::uint32_t{0} : static_cast<std::uint32_t>(to_bits(q + Fp<double>::kMagic));
  const auto r = static_cast<std::uint32_t>(x) - u * static_cast<std::uint32_t>(y);
  return {static_cast<std::int32_t>(u), y == 0 ? 0 : static_cast<std::int32_t>(r)};
}
RANVIER_INLINE DivMod<std::int64_t> div_mod_int(std::int64_t x, std::int64_t y) {
  using U = std::uint64_t;
  if (y == 0) return {0, 0};
  if (y == -1) return {static_cast<std::int64_t>(U{0} - static_cast<U>(x)), 0};
  const std::int64_t q = x / y;
  const std::int64_t r = x % y;
  const bool other_side = (r != 0) & ((r < 0) != (y < 0));
  return {other_side ? q - 1 : q, other_side ? r + y : r};
}

namespace op {

#define RANVIER_ARITHMETIC_OP(name, symbol)                              \
  struct name {                                                          \
    template <class T>                                                   \
    RANVIER_INLINE T apply(T x, T y) {                                   \
      using U = typename Arithmetic<T>::Type;                            \
      return static_cast<T>(static_cast<U>(x) symbol static_cast<U>(y)); \
    }                                                                    \
  };
RANVIER_ARITHMETIC_OP(add, +)
RANVIER_ARITHMETIC_OP(subtract, -)
RANVIER_ARITHMETIC_OP(multiply, *)
RANVIER_ARITHMETIC_OP(divide, /)
#undef RANVIER_ARITHMETIC_OP

#define RANVIER_COMPARISON_OP(name, symbol) \
  struct name {                             \
    template <class T>                      \
    RANVIER_INLINE Byte apply(T x, T y) {   \
      return x symbol y;                    \
    }                                       \
  };
RANVIER_COMPARISON_OP(equal, ==)
RANVIER_COMPARISON_OP(not_equal, !=)
RANVIER_COMPARISON_OP(less, <)
RANVIER_COMPARISON_OP(less_equal, <=)
RANVIER_COMPARISON_OP(greater, >)
RANVIER_COMPARISON_OP(greater_equal, >=)
RANVIER_COMPARISON_OP(logical_and, &)
RANVIER_COMPARISON_OP(logical_or, |)
RANVIER_COMPARISON_OP(logical_xor, ^)
#undef RANVIER_COMPARISON_OP

#define RANVIER_BITWISE_OP(name, symbol) \
  struct name {                          \
    template <class T>                   \
    RANVIER_INLINE T apply(T x, T y) {   \
      return x symbol y;                 \
    }                                    \
  };
RANVIER_BITWISE_OP(bitwise_and, &)
RANVIER_BITWISE_OP(bitwise_or, |)
RANVIER_BITWISE_OP(bitwise_xor, ^)
#undef RANVIER_BITWISE_OP

// A negative count is a large one. A large one leaves no bit of x but, to the right, copies of its sign.
struct left_shift {
  template <class T>
  RANVIER_INLINE T apply(T x, T y) {
    using U = typename Arithmetic<T>::Type;
    constexpr U bits = 8 * sizeof(T);
    const U count = static_cast<U>(y);
    return count < bits ? static_cast<T>(static_cast<U>(x) << (count & (bits - 1))) : T(0);
  }
};
struct right_shift {
  template <class T>
  RANVIER_INLINE T apply(T x, T y) {
    using U = typename Arithmetic<T>::Type;
    constexpr U bits = 8 * sizeof(T);
    const U count = static_cast<U>(y);
    return x >> (count < bits ? count : bits - 1);
  }
};
// Euclid's, of magnitudes; gcd(0, 0) is 0.
struct gcd {
  template <class T>
  RANVIER_INLINE T apply(T x, T y) {
    using U = typename Arithmetic<T>::Type;
    U a = x < 0 ? U{0} - static_cast<U>(x) : static_cast<U>(x);
    U b = y < 0 ? U{0} - static_cast<U>(y) : static_cast<U>(y);
    while (b != 0) {
      const U rest = a % b;
      a = b;
      b = rest;
    }
    return static_cast<T>(a);
  }
};

// NaN if either is NaN: a NaN in y fails the comparison and is taken, one in x is asked for.
struct maximum {
  template <class T>
  RANVIER_INLINE T apply(T x, T y) {
    return (x > y) | (x != x) ? x : y;
  }
};
struct minimum {
  template <class T>
  RANVIER_INLINE T apply(T x, T y) {
    return (x < y) | (x != x) ? x : y;
  }
};
struct power {
  static constexpr bool kSpreadsScalars = true;
  template <class T>
  RANVIER_INLINE T apply(T x, T y) {
    return pow_(x, y);
  }
};

#define RANVIER_DIVISION_OP(name, part)                                                  \
  struct name {                                                                          \
    static constexpr bool kSpreadsScalars = true;                                        \
    RANVIER_INLINE float apply(float x, float y) { return div_mod_float(x, y).part; }    \
    RANVIER_INLINE double apply(double x, double y) { return div_mod_float(x, y).part; } \
    template <class T>                                                                   \
    RANVIER_INLINE T apply(T x, T y) {                                                   \
      return div_mod_int(x, y).part;                                                     \
    }                                                                                    \
    template <class T>                                                                   \
      requires(T(0.5) != T(0))                                                           \
    RANVIER_INLINE bool easy(T x, T y) {                                                 \
      return easy_quotient(x, y);                                                        \
    }                                                                                    \
    template <class T>                                                                   \
    static inline T slow(T x, T y) {                                                     \
      return div_mod_float_slow(x, y).part;                                              \
    }                                                                                    \
  };
RANVIER_DIVISION_OP(floor_divide, quotient)
RANVIER_DIVISION_OP(mod, remainder)
#undef RANVIER_DIVISION_OP

}  // namespace op

template <class T>
RANVIER_OUTLINE void select_blocks(int64_t n, T* out, const Byte* condition, const T* x, const T* y) {
  const int64_t count = n & -static_cast<int64_t>(kBlock<Byte>);
  RANVIER_INDEPENDENT
  for (int64_t i = 0; i < count; ++i) {
    const T a = x[i];
    const T b = y[i];
    out[i] = condition[i] != 0 ? a : b;
  }
}

template <int W, class T>
RANVIER_INLINE void select_end(int64_t rest, T* out, const Byte* condition, const T* x, const T* y) {
  alignas(64) Byte c[kRoom<W, Byte>];
  alignas(64) T a[kRoom<W, T>];
  alignas(64) T b[kRoom<W, T>];
  load_part<W>(c, condition, rest);
  load_part<W>(a, x, rest);
  load_part<W>(b, y, rest);
  if constexpr (W == kBlock<Byte>) {
    select_blocks(W, a, c, a, b);
  } else {
    RANVIER_INDEPENDENT
    for (int i = 0; i < W; ++i) a[i] = c[i] != 0 ? a[i] : b[i];
  }
  store_part<W>(out, a, rest);
}

template <class T>
static void select(int64_t n, void* out_, const void* condition_, const void* x_, const void* y_) {
  constexpr int W = kBlock<Byte>;
  T* out = static_cast<T*>(out_);
  const Byte* condition = static_cast<const Byte*>(condition_);
  const T* x = static_cast<const T*>(x_);
  const T* y = static_cast<const T*>(y_);
  if (n >= W) select_blocks(n, out, condition, x, y);
  const int64_t rest = n & (W - 1), at = n - rest;
  if (rest == 0) return;
  constexpr int S = kShortBlock<T, Byte>;
  if (S < W && rest <= S) select_end<S>(rest, out + at, condition + at, x + at, y + at);
  else select_end<W>(rest, out + at, condition + at, x + at, y + at);
}

template <class Op, Domain D, Result R, class T, DType Id>
EwFn binary_for(EwForm form) {
  if constexpr (in_domain(D, Id)) {
    using Out = typename OutputOf<R, T>::Type;
    if (form == EwForm::kArrays) return &binary<Op, EwForm::kArrays, T, Out>;
    const bool left = form == EwForm::kScalarLeft;
    if constexpr (SpreadsScalars<Op>) {
      return left ? &binary_spread<Op, EwForm::kScalarLeft, T, Out>
                  : &binary_spread<Op, EwForm::kScalarRight, T, Out>;
    } else {
      return left ? &binary<Op, EwForm::kScalarLeft, T, Out> : &binary<Op, EwForm::kScalarRight, T, Out>;
    }
  }
  return nullptr;
}

template <class Op, Domain D, Result R>
EwFn pick(DType dtype, EwForm form) {
  switch (dtype) {
    case DType::f32: return binary_for<Op, D, R, float, DType::f32>(form);
    case DType::f64: return binary_for<Op, D, R, double, DType::f64>(form);
    case DType::i32: return binary_for<Op, D, R, std::int32_t, DType::i32>(form);
    case DType::i64: return binary_for<Op, D, R, std::int64_t, DType::i64>(form);
    case DType::b8: return binary_for<Op, D, R, Byte, DType::b8>(form);
    default: return nullptr;
  }
}

EwFn select_for(DType dtype) {
  switch (dtype) {
    case DType::f32: return &select<float>;
    case DType::f64: return &select<double>;
    case DType::i32: return &select<std::int32_t>;
    case DType::i64: return &select<std::int64_t>;
    case DType::b8: return &select<Byte>;
    default: return nullptr;
  }
}

}  // namespace

EwFn binary_lookup(Ew ew, DType dtype, EwForm form) {
#define RANVIER_EW_1(name, dtypes, result)
#define RANVIER_EW_2(name, dtypes, result) \
  case Ew::name: return pick<op::name, Domain::dtypes, Result::result>(dtype, form);
#define RANVIER_EW_3(name, dtypes, result) \
  case Ew::name: return form == EwForm::kArrays ? name##_for(dtype) : nullptr;
#define RANVIER_EW(name, arity, dtypes, result, cost) RANVIER_EW_##arity(name, dtypes, result)
  switch (ew) {
#include "kernels/elementwise/elementwise.def"
    default: return nullptr;
  }
#undef RANVIER_EW
#undef RANVIER_EW_1
#undef RANVIER_EW_2
#undef RANVIER_EW_3
}

}  // namespace ranvier::RANVIER_ISA
