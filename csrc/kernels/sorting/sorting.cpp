#include "kernels/sorting/sorting.h"

#include <algorithm>
#include <bit>
#include <type_traits>

namespace ranvier {
namespace {

// A number whose unsigned order is the value's own.
template <class T>
auto sort_key(T x) {
  if constexpr (std::is_floating_point_v<T>) {
    using U = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
    if (x != x) return ~U{0};
    const U bits = std::bit_cast<U>(x == 0 ? T(0) : x), sign = U{1} << (8 * sizeof(T) - 1);
    return static_cast<U>(bits & sign ? ~bits : bits | sign);
  } else if constexpr (sizeof(T) == 8) {
    return static_cast<std::uint64_t>(x) ^ (std::uint64_t{1} << 63);
  } else {
    return static_cast<std::uint32_t>(static_cast<std::int32_t>(x)) ^ (std::uint32_t{1} << 31);
  }
}

// Keys of 32 bits are sorted in one word with their indices, others in a pair: all differ, so any sort is stable.
struct Pair {
  std::uint64_t key;
  std::uint64_t index;
  bool operator<(const Pair& other) const { return key != other.key ? key < other.key : index < other.index; }
};
std::uint64_t joined(std::uint32_t key, std::int64_t index) { return std::uint64_t{key} << 32 | static_cast<std::uint32_t>(index); }
Pair joined(std::uint64_t key, std::int64_t index) { return {key, static_cast<std::uint64_t>(index)}; }
std::int32_t index_of(std::uint64_t joined) { return static_cast<std::int32_t>(joined); }
std::int32_t index_of(const Pair& pair) { return static_cast<std::int32_t>(pair.index); }

template <class T>
void argsort(std::int64_t count, const T* row, bool descending, std::int64_t wanted, std::int32_t* indices, void* scratch) {
  using Key = decltype(sort_key(T()));
  using Item = decltype(joined(Key{}, 0));
  Item* items = static_cast<Item*>(scratch);
  const Key flip = descending ? ~Key{0} : Key{0};
  for (std::int64_t i = 0; i < count; ++i) items[i] = joined(static_cast<Key>(sort_key(row[i]) ^ flip), i);
  if (wanted < count) std::nth_element(items, items + wanted, items + count);
  std::sort(items, items + wanted);
  for (std::int64_t i = 0; i < wanted; ++i) indices[i] = index_of(items[i]);
}

template <class T>
void search(std::int64_t count, const T* row, std::int64_t values_count, const T* values, bool right, std::int32_t* out) {
  const auto before = [](T a, T b) { return sort_key(a) < sort_key(b); };
  for (std::int64_t i = 0; i < values_count; ++i) {
    const T* at = right ? std::upper_bound(row, row + count, values[i], before) : std::lower_bound(row, row + count, values[i], before);
    out[i] = static_cast<std::int32_t>(at - row);
  }
}

// f(a value of the C++ type of `dtype`), for the types that the engine computes in.
template <class F>
void with_type(DType dtype, F f) {
  switch (dtype) {
    case DType::f32: return f(float());
    case DType::f64: return f(double());
    case DType::i32: return f(std::int32_t());
    case DType::i64: return f(std::int64_t());
    default: return f(bool());
  }
}

}  // namespace

std::int64_t argsort_scratch_bytes(DType dtype, std::int64_t count) {
  return count * static_cast<std::int64_t>(size_of(dtype) == 8 ? sizeof(Pair) : sizeof(std::uint64_t));
}

void argsort_row(DType dtype, std::int64_t count, const void* row, bool descending, std::int64_t wanted,
                 std::int32_t* indices, void* scratch) {
  with_type(dtype, [&](auto zero) {
    argsort(count, static_cast<const decltype(zero)*>(row), descending, wanted, indices, scratch);
  });
}

void searchsorted(DType dtype, std::int64_t count, const void* row, std::int64_t values_count, const void* values,
                  bool right, std::int32_t* out) {
  with_type(dtype, [&](auto zero) {
    using T = decltype(zero);
    search(count, static_cast<const T*>(row), values_count, static_cast<const T*>(values), right, out);
  });
}

}  // namespace ranvier
