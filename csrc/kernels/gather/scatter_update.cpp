#include "kernels/gather/scatter_update.h"

#include <type_traits>

namespace ranvier {
namespace {

// Integers wrap: they are added and multiplied in the unsigned type.
template <class T>
T combined(Combine combine, T a, T b) {
  if constexpr (std::is_same_v<T, bool>) {
    if (combine == Combine::kSet) return b;
    return combine == Combine::kAdd || combine == Combine::kMax ? a || b : a && b;
  } else {
    using U = typename std::conditional_t<std::is_floating_point_v<T>, std::type_identity<T>, std::make_unsigned<T>>::type;
    switch (combine) {
      case Combine::kSet: return b;
      case Combine::kAdd: return static_cast<T>(static_cast<U>(a) + static_cast<U>(b));
      case Combine::kMultiply: return static_cast<T>(static_cast<U>(a) * static_cast<U>(b));
      case Combine::kMax: return a > b || a != a ? a : b;
      case Combine::kMin: return a < b || a != a ? a : b;
    }
    return b;
  }
}

template <class T>
std::int64_t scatter(Combine combine, std::int64_t n, std::int64_t cols, std::int64_t rows, const void* index, bool index64,
                     const T* updates, T* out) {
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t at =
        index64 ? static_cast<const std::int64_t*>(index)[i] : static_cast<const std::int32_t*>(index)[i];
    if (at < 0 || at >= rows) return i;
    for (std::int64_t c = 0; c < cols; ++c) out[at * cols + c] = combined(combine, out[at * cols + c], updates[i * cols + c]);
  }
  return -1;
}

}  // namespace

std::int64_t scatter_update(Combine combine, DType dtype, std::int64_t n, std::int64_t cols, std::int64_t rows,
                            const void* index, bool index64, const void* updates, void* out) {
  const auto run = [&](auto zero) {
    using T = decltype(zero);
    return scatter(combine, n, cols, rows, index, index64, static_cast<const T*>(updates), static_cast<T*>(out));
  };
  switch (dtype) {
    case DType::f32: return run(float());
    case DType::f64: return run(double());
    case DType::i32: return run(std::int32_t());
    case DType::i64: return run(std::int64_t());
    default: return run(bool());
  }
}

}  // namespace ranvier
