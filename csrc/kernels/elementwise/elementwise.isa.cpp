// The elementwise family's kernels of kernels.def: lookups, casts, fill.
#include "kernels/elementwise/lookup.h"

namespace ranvier::RANVIER_ISA {
namespace {

template <class T>
struct Limits;
#define RANVIER_LIMITS(type, lo, hi)    \
  template <>                           \
  struct Limits<type> {                 \
    static constexpr double kLow = lo;  \
    static constexpr double kHigh = hi; \
  };
RANVIER_LIMITS(std::int32_t, -2147483648.0, 2147483647.0)
RANVIER_LIMITS(std::uint32_t, 0.0, 4294967295.0)
RANVIER_LIMITS(std::int16_t, -32768.0, 32767.0)
RANVIER_LIMITS(std::uint16_t, 0.0, 65535.0)
RANVIER_LIMITS(std::int8_t, -128.0, 127.0)
RANVIER_LIMITS(std::uint8_t, 0.0, 255.0)
#undef RANVIER_LIMITS

// Truncates and saturates; NaN becomes 0. The integer is read from the low bits of trunc(x) + magic, which
// every instruction set can vectorise.
template <class To>
RANVIER_INLINE To float_to_int(double x) {
  double t = trunc_(x);
  t = t > Limits<To>::kLow ? t : Limits<To>::kLow;
  t = t < Limits<To>::kHigh ? t : Limits<To>::kHigh;
  t = x == x ? t : 0.0;
  return static_cast<To>(static_cast<std::uint32_t>(to_bits(t + Fp<double>::kMagic)));
}
RANVIER_INLINE std::int64_t float_to_int64(double x) {
  const bool fits = (x >= -0x1p63) & (x < 0x1p63);
  const std::int64_t whole = static_cast<std::int64_t>(fits ? x : 0.0);
  return fits ? whole : x >= 0x1p63 ? INT64_MAX : x < 0 ? INT64_MIN : 0;
}

// The tag of a conversion to bool: its array type is that of uint8.
struct Bool {};

template <class To, class From>
struct Cast {
  RANVIER_INLINE To apply(From x) {
    constexpr bool from_float = From(0.5) != From(0);
    constexpr bool to_float = To(0.5) != To(0);
    if constexpr (from_float && !to_float && sizeof(To) == 8) {
      return float_to_int64(x);
    } else if constexpr (from_float && !to_float) {
      return float_to_int<To>(x);
    } else {
      return static_cast<To>(x);
    }
  }
};
template <class From>
struct Cast<Bool, From> {
  RANVIER_INLINE Byte apply(From x) { return x != From(0); }
};

template <class From>
EwFn cast_from(DType to) {
  switch (to) {
    case DType::f32: return &unary<Cast<float, From>, From, float>;
    case DType::f64: return &unary<Cast<double, From>, From, double>;
    case DType::i32: return &unary<Cast<std::int32_t, From>, From, std::int32_t>;
    case DType::i64: return &unary<Cast<std::int64_t, From>, From, std::int64_t>;
    case DType::b8: return &unary<Cast<Bool, From>, From, Byte>;
    case DType::u8: return &unary<Cast<std::uint8_t, From>, From, std::uint8_t>;
    case DType::i8: return &unary<Cast<std::int8_t, From>, From, std::int8_t>;
    case DType::u16: return &unary<Cast<std::uint16_t, From>, From, std::uint16_t>;
    case DType::i16: return &unary<Cast<std::int16_t, From>, From, std::int16_t>;
    case DType::u32: return &unary<Cast<std::uint32_t, From>, From, std::uint32_t>;
  }
  return nullptr;
}

template <class T>
void fill_with(int64_t n, void* out_, const void* value) {
  T* out = static_cast<T*>(out_);
  T v;
  __builtin_memcpy(&v, value, sizeof(T));
  for (int64_t i = 0; i < n; ++i) out[i] = v;
}

}  // namespace

EwFn ew_lookup(Ew op, DType dtype, EwForm form) {
  const EwFn fn = form == EwForm::kArrays ? unary_lookup(op, dtype) : nullptr;
  return fn != nullptr ? fn : binary_lookup(op, dtype, form);
}

EwFn ew_cast_lookup(DType from, DType to) {
  switch (from) {
    case DType::f32: return cast_from<float>(to);
    case DType::f64: return cast_from<double>(to);
    case DType::i32: return cast_from<std::int32_t>(to);
    case DType::i64: return cast_from<std::int64_t>(to);
    case DType::b8: return cast_from<Byte>(to);
    case DType::u8: return cast_from<std::uint8_t>(to);
    case DType::i8: return cast_from<std::int8_t>(to);
    case DType::u16: return cast_from<std::uint16_t>(to);
    case DType::i16: return cast_from<std::int16_t>(to);
    case DType::u32: return cast_from<std::uint32_t>(to);
  }
  return nullptr;
}

void fill(std::int64_t n, std::int64_t size, void* out, const void* value) {
  switch (size) {
    case 1: return fill_with<std::uint8_t>(n, out, value);
    case 2: return fill_with<std::uint16_t>(n, out, value);
    case 4: return fill_with<std::uint32_t>(n, out, value);
    default: return fill_with<std::uint64_t>(n, out, value);
  }
}

}  // namespace ranvier::RANVIER_ISA
