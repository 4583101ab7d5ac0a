#include "kernels/reduce/reduce_reference.h"

#include <cmath>
#include <limits>
#include <type_traits>

namespace ranvier::reference {
namespace {

// Sums of float in double, of double in long double, of integers modulo 2^64; the result is rounded or cut to
// T once.
template <class T>
using Wide = std::conditional_t<std::is_same_v<T, double>, long double,
                                std::conditional_t<std::is_same_v<T, float>, double, std::uint64_t>>;

template <class T>
bool is_nan(T value) {
  if constexpr (std::is_floating_point_v<T>) return std::isnan(value);
  else return (void)value, false;
}

template <class T>
T total(ReduceOp op, std::int64_t n, std::int64_t stride, const T* x) {
  Wide<T> value = op == ReduceOp::kSum ? 0 : 1;
  for (std::int64_t i = 0; i < n; ++i) {
    const Wide<T> element = static_cast<Wide<T>>(x[i * stride]);
    value = op == ReduceOp::kSum ? value + element : value * element;
  }
  return static_cast<T>(value);
}

template <class T>
T extreme(bool largest, std::int64_t n, std::int64_t stride, const T* x) {
  using Limits = std::numeric_limits<T>;
  T value = largest ? (Limits::has_infinity ? -Limits::infinity() : Limits::lowest())
                    : (Limits::has_infinity ? Limits::infinity() : Limits::max());
  for (std::int64_t i = 0; i < n && !is_nan(value); ++i) {
    const T element = x[i * stride];
    if (is_nan(element) || (largest ? element > value : element < value)) value = element;
  }
  return value;
}

template <class T>
T reduce_column(ReduceOp op, std::int64_t n, std::int64_t stride, const T* x) {
  if (op == ReduceOp::kSum || op == ReduceOp::kProd) return total(op, n, stride, x);
  return extreme(op == ReduceOp::kMax, n, stride, x);
}

std::uint8_t reduce_bool(ReduceOp op, std::int64_t n, std::int64_t stride, const std::uint8_t* x) {
  for (std::int64_t i = 0; i < n; ++i)
    if ((x[i * stride] != 0) == (op == ReduceOp::kAny)) return op == ReduceOp::kAny;
  return op == ReduceOp::kAll;
}

template <class T, class Out, class Column>
bool for_columns(std::int64_t outer, std::int64_t reduce, std::int64_t inner, const void* in, Out* out,
                 Column column) {
  const T* x = static_cast<const T*>(in);
  for (std::int64_t o = 0; o < outer; ++o)
    for (std::int64_t c = 0; c < inner; ++c) out[o * inner + c] = column(x + o * reduce * inner + c);
  return true;
}

}  // namespace

bool reduce(ReduceOp op, DType dtype, std::int64_t outer, std::int64_t reduce, std::int64_t inner,
            const void* in, void* out) {
  const bool logical = op == ReduceOp::kAny || op == ReduceOp::kAll;
  if (logical != (dtype == DType::b8)) return false;
  const auto numbers = [&](auto zero) {
    using T = decltype(zero);
    return for_columns<T>(outer, reduce, inner, in, static_cast<T*>(out),
                          [&](const T* x) { return reduce_column<T>(op, reduce, inner, x); });
  };
  switch (dtype) {
    case DType::f32:
      return numbers(float{});
    case DType::f64:
      return numbers(double{});
    case DType::i32:
      return numbers(std::int32_t{});
    case DType::i64:
      return numbers(std::int64_t{});
    case DType::b8:
      return for_columns<std::uint8_t>(
          outer, reduce, inner, in, static_cast<std::uint8_t*>(out),
          [&](const std::uint8_t* x) { return reduce_bool(op, reduce, inner, x); });
    default:
      return false;
  }
}

bool arg_reduce(bool largest, DType dtype, std::int64_t outer, std::int64_t reduce, std::int64_t inner,
                const void* in, std::int64_t* out) {
  const auto run = [&](auto zero) {
    using T = decltype(zero);
    return for_columns<T>(outer, reduce, inner, in, out, [&](const T* x) {
      std::int64_t best = 0;
      for (std::int64_t i = 1; i < reduce && !is_nan(x[best * inner]); ++i) {
        const T value = x[i * inner], old = x[best * inner];
        if (is_nan(value) || (largest ? value > old : value < old)) best = i;
      }
      return best;
    });
  };
  switch (dtype) {
    case DType::f32:
      return run(float{});
    case DType::f64:
      return run(double{});
    case DType::i32:
      return run(std::int32_t{});
    case DType::i64:
      return run(std::int64_t{});
    case DType::b8:
      return run(std::uint8_t{});
    default:
      return false;
  }
}

}  // namespace ranvier::reference
