// Unary elementwise operations; see elementwise.def for the list and loops.h for the loops.
#include "kernels/elementwise/lookup.h"
#include "kernels/elementwise/trig_slow.h"
#include "simd/math_error.h"
#include "simd/math_trig.h"

namespace ranvier::RANVIER_ISA {
namespace {

// Signed integers wrap: arithmetic goes through the unsigned type.
template <class T>
struct Wrap;
template <>
struct Wrap<std::int32_t> {
  using Type = std::uint32_t;
};
template <>
struct Wrap<std::int64_t> {
  using Type = std::uint64_t;
};

namespace op {

struct neg {
  RANVIER_INLINE float apply(float x) { return -x; }
  RANVIER_INLINE double apply(double x) { return -x; }
  template <class T>
  RANVIER_INLINE T apply(T x) {
    return static_cast<T>(typename Wrap<T>::Type{0} - static_cast<typename Wrap<T>::Type>(x));
  }
};
struct abs {
  RANVIER_INLINE float apply(float x) { return abs_(x); }
  RANVIER_INLINE double apply(double x) { return abs_(x); }
  template <class T>
  RANVIER_INLINE T apply(T x) {
    return x < 0 ? neg::apply(x) : x;
  }
};
struct sign {
  template <class T>
  RANVIER_INLINE T apply(T x) {
    return x > T(0) ? T(1) : x < T(0) ? T(-1) : x;  // NaN and zeros stay
  }
};
struct square {
  RANVIER_INLINE float apply(float x) { return x * x; }
  RANVIER_INLINE double apply(double x) { return x * x; }
  template <class T>
  RANVIER_INLINE T apply(T x) {
    const auto u = static_cast<typename Wrap<T>::Type>(x);
    return static_cast<T>(u * u);
  }
};
struct relu {
  template <class T>
  RANVIER_INLINE T apply(T x) {
    return x <= T(0) ? T(0) : x;  // NaN stays
  }
};
struct rsqrt {
  template <class T>
  RANVIER_INLINE T apply(T x) {
    return T(1) / sqrt_(x);
  }
};
struct reciprocal {
  template <class T>
  RANVIER_INLINE T apply(T x) {
    return T(1) / x;
  }
};
struct isnan {
  template <class T>
  RANVIER_INLINE Byte apply(T x) {
    return x != x;
  }
};
struct isinf {
  template <class T>
  RANVIER_INLINE Byte apply(T x) {
    return abs_(x) == inf_<T>();
  }
};
struct isfinite {
  template <class T>
  RANVIER_INLINE Byte apply(T x) {
    return abs_(x) < inf_<T>();
  }
};
struct logical_not {
  RANVIER_INLINE Byte apply(Byte x) { return x ^ 1; }
};

// The operations that are one function of simd/math*.h.
#define RANVIER_MATH_OP(name)     \
  struct name {                   \
    template <class T>            \
    RANVIER_INLINE T apply(T x) { \
      return name##_(x);          \
    }                             \
  };
RANVIER_MATH_OP(sqrt)
RANVIER_MATH_OP(exp)
RANVIER_MATH_OP(expm1)
RANVIER_MATH_OP(log)
RANVIER_MATH_OP(log1p)
RANVIER_MATH_OP(tanh)
RANVIER_MATH_OP(sigmoid)
RANVIER_MATH_OP(softplus)
RANVIER_MATH_OP(erf)
RANVIER_MATH_OP(erfc)
RANVIER_MATH_OP(erfinv)
RANVIER_MATH_OP(arctan)
RANVIER_MATH_OP(floor)
RANVIER_MATH_OP(ceil)
RANVIER_MATH_OP(round)
#undef RANVIER_MATH_OP

// A NaN or an infinity is easy: it gives NaN.
template <class T>
RANVIER_INLINE bool easy_angle(T x) {
  const T ax = abs_(x);
  return (ax <= T(kTrigMax)) | !(ax < inf_<T>());
}
struct sin {
  template <class T>
  RANVIER_INLINE T apply(T x) {
    return sin_(x);
  }
  template <class T>
  RANVIER_INLINE bool easy(T x) {
    return easy_angle(x);
  }
  template <class T>
  RANVIER_INLINE T slow(T x) {
    return easy_angle(x) ? sin_(x) : sin_any(x, 0);
  }
};
struct cos {
  template <class T>
  RANVIER_INLINE T apply(T x) {
    return cos_(x);
  }
  template <class T>
  RANVIER_INLINE bool easy(T x) {
    return easy_angle(x);
  }
  template <class T>
  RANVIER_INLINE T slow(T x) {
    return easy_angle(x) ? cos_(x) : sin_any(x, 1);
  }
};

}  // namespace op

template <class Op, Domain D, Result R, class T, DType Id>
EwFn unary_for() {
  if constexpr (in_domain(D, Id)) {
    return &unary<Op, T, typename OutputOf<R, T>::Type>;
  } else {
    return nullptr;
  }
}

template <class Op, Domain D, Result R>
EwFn pick(DType dtype) {
  switch (dtype) {
    case DType::f32: return unary_for<Op, D, R, float, DType::f32>();
    case DType::f64: return unary_for<Op, D, R, double, DType::f64>();
    case DType::i32: return unary_for<Op, D, R, std::int32_t, DType::i32>();
    case DType::i64: return unary_for<Op, D, R, std::int64_t, DType::i64>();
    case DType::b8: return unary_for<Op, D, R, Byte, DType::b8>();
    default: return nullptr;
  }
}

}  // namespace

EwFn unary_lookup(Ew ew, DType dtype) {
#define RANVIER_EW_1(name, dtypes, result) \
  case Ew::name: return pick<op::name, Domain::dtypes, Result::result>(dtype);
#define RANVIER_EW_2(name, dtypes, result)
#define RANVIER_EW_3(name, dtypes, result)
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
