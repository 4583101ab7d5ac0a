// The fixed summation tree that every reduction along contiguous memory uses (reduce, softmax).
//
// A row of n elements is cut into blocks of kStrips strips; a strip has kLanes elements, and lane l of a
// block combines the elements l, l + kLanes, l + 2 kLanes, ... in that order. A block's lanes are then folded
// in halves (l with l + kLanes / 2, and so on), and the blocks are combined pairwise, like a binary counter.
// The tree depends on n alone: the instruction set only decides how many native vectors hold the lanes.
// Missing elements at the end count as the identity, which leaves every lane's value as it is, so that a
// short row may be folded from fewer lanes and give the same bits.
//
// For sums the rounding error is at most (kStrips + log2(kLanes) + log2(n / block)) eps times the sum of
// magnitudes.
#pragma once

#include <cstdint>
#include <type_traits>
#include <utility>

namespace ranvier::RANVIER_ISA {

#if defined(RANVIER_ISA_IS_avx512)
inline constexpr int kVectorBytes = 64;
#elif defined(RANVIER_ISA_IS_avx2)
inline constexpr int kVectorBytes = 32;
#else
inline constexpr int kVectorBytes = 16;
#endif

template <class T, int N>
struct VecType {
  typedef T type __attribute__((vector_size(N * sizeof(T))));
};
template <class T, int N>
using VecN = typename VecType<T, N>::type;

template <class T>
inline constexpr int kNative = kVectorBytes / static_cast<int>(sizeof(T));  // elements of a native vector
template <class T>
using NativeVec = VecN<T, kNative<T>>;

template <class T>
inline constexpr int kLanes = 256 / static_cast<int>(sizeof(T));
inline constexpr int kStrips = 32;
inline constexpr int kLevels = 48;  // of the pairwise combination: more than log2 of any count of blocks

template <class V>
[[gnu::always_inline]] static inline V load_vec(const void* p) {
  V v;
  __builtin_memcpy(&v, p, sizeof(V));
  return v;
}

template <class V>
[[gnu::always_inline]] static inline void store_vec(void* p, V v) {
  __builtin_memcpy(p, &v, sizeof(V));
}

template <class V, class T>
[[gnu::always_inline]] static inline V broadcast(T value) {
  return V{} + value;  // exact: no value given here is -0
}

// The operations. `Value` is what is accumulated: unsigned for integer sums, which wrap.
struct AddOp {
  template <class T>
  static constexpr T identity() {
    return T(0);
  }
  template <class V>
  [[gnu::always_inline]] static inline V apply(V a, V b) {
    return a + b;
  }
};
struct MulOp {
  template <class T>
  static constexpr T identity() {
    return T(1);
  }
  template <class V>
  [[gnu::always_inline]] static inline V apply(V a, V b) {
    return a * b;
  }
};

template <class T>
static constexpr T lowest_value() {
  if constexpr (T(0.5) != T(0)) return -T(__builtin_inf());
  else if constexpr (T(-1) > T(0)) return T(0);
  else return T(T(1) << (8 * sizeof(T) - 1));
}
template <class T>
static constexpr T highest_value() {
  if constexpr (T(0.5) != T(0)) return T(__builtin_inf());
  else return T(~lowest_value<T>());
}

// Maximum and minimum that give NaN when any element is NaN.
struct MaxOp {
  template <class T>
  static constexpr T identity() {
    return lowest_value<T>();
  }
  template <class V>
  [[gnu::always_inline]] static inline V apply(V a, V b) {
    return ((b > a) | (b != b)) ? b : a;
  }
};
struct MinOp {
  template <class T>
  static constexpr T identity() {
    return highest_value<T>();
  }
  template <class V>
  [[gnu::always_inline]] static inline V apply(V a, V b) {
    return ((b < a) | (b != b)) ? b : a;
  }
};
// Maximum that may lose a NaN: for callers whose result shows it otherwise.
struct FastMaxOp {
  template <class T>
  static constexpr T identity() {
    return lowest_value<T>();
  }
  template <class V>
  [[gnu::always_inline]] static inline V apply(V a, V b) {
    return b > a ? b : a;
  }
};

// Elements From, From + 1, ... of v.
template <int From, class V, int... I>
[[gnu::always_inline]] static inline auto part(V v, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(v, v, (From + I)...);
}

// Folds the first Width elements of a vector in halves down to one.
template <class Op, class T, int N, int Width = N>
[[gnu::always_inline]] static inline T fold(VecN<T, N> v) {
  if constexpr (Width == 1) {
    return v[0];
  } else if constexpr (N * sizeof(T) > 16) {
    using Half = std::make_integer_sequence<int, N / 2>;
    return fold<Op, T, N / 2>(Op::apply(part<0>(v, Half{}), part<N / 2>(v, Half{})));
  } else {  // vectors of less than 16 bytes are none
    const VecN<T, N> high = part<Width / 2>(v, std::make_integer_sequence<int, N>{});
    return fold<Op, T, N, Width / 2>(Op::apply(v, high));
  }
}

// K native vectors of lanes.
template <class T, int K>
struct Lanes {
  NativeVec<T> v[K];
};

template <class Op, class T, int K>
[[gnu::always_inline]] static inline T fold(const Lanes<T, K>& lanes) {
  if constexpr (K > 1) {
    Lanes<T, K / 2> half;
    for (int k = 0; k < K / 2; ++k) half.v[k] = Op::apply(lanes.v[k], lanes.v[k + K / 2]);
    return fold<Op, T, K / 2>(half);
  } else {
    return fold<Op, T, kNative<T>>(lanes.v[0]);
  }
}

// The signed integer of T's size: what comparisons of vectors of T give.
template <class T>
using SignedOf = std::conditional_t<sizeof(T) == 8, std::int64_t,
                                    std::conditional_t<sizeof(T) == 4, std::int32_t, std::int8_t>>;

// 0, 1, 2, ...
template <class T>
[[gnu::always_inline]] static inline NativeVec<SignedOf<T>> lane_index() {
  NativeVec<SignedOf<T>> index;
  for (int l = 0; l < kNative<T>; ++l) index[l] = static_cast<SignedOf<T>>(l);
  return index;
}

// The vector at p with the elements from `count` on (0 < count < kNative) replaced by `fill`. Reads a whole
// vector when that ends no later than `limit`, the end of the array that p points into.
template <class T>
[[gnu::always_inline]] static inline NativeVec<T> load_partial(const T* p, std::int64_t count, const T* limit,
                                                               T fill) {
  if (limit - p >= kNative<T>) [[likely]] {
    return lane_index<T>() < static_cast<SignedOf<T>>(count) ? load_vec<NativeVec<T>>(p)
                                                             : broadcast<NativeVec<T>>(fill);
  }
  T buffer[kNative<T>];
  for (int l = 0; l < kNative<T>; ++l) buffer[l] = l < count ? p[l] : fill;
  return load_vec<NativeVec<T>>(buffer);
}

// Lanes at p, of which the first `count` (0 <= count <= all) are elements and the others are `fill`.
template <class T, int K>
[[gnu::always_inline]] static inline Lanes<T, K> load_lanes(const T* p, std::int64_t count, const T* limit,
                                                            T fill) {
  Lanes<T, K> lanes;
  for (int k = 0; k < K; ++k) {
    const std::int64_t left = count - k * kNative<T>;
    if (left >= kNative<T>) lanes.v[k] = load_vec<NativeVec<T>>(p + k * kNative<T>);
    else if (left > 0) lanes.v[k] = load_partial<T>(p + k * kNative<T>, left, limit, fill);
    else lanes.v[k] = broadcast<NativeVec<T>>(fill);
  }
  return lanes;
}

// Combines the values of equal blocks pairwise as they come, and the rest from the last to the first.
template <class Op, class T>
struct Pairwise {
  T partial[kLevels];
  std::uint64_t count = 0;

  [[gnu::always_inline]] inline void push(T value) {
    int level = 0;
    for (std::uint64_t bits = count; bits & 1; bits >>= 1) value = Op::apply(partial[level++], value);
    partial[level] = value;
    ++count;
  }
  [[gnu::always_inline]] inline T finish() const {
    if (count == 0) return Op::template identity<T>();
    int level = __builtin_ctzll(count);
    T value = partial[level];
    for (std::uint64_t bits = count >> level >> 1; bits != 0; bits >>= 1) {
      ++level;
      if (bits & 1) value = Op::apply(partial[level], value);
    }
    return value;
  }
};

// Rows of at most this many elements are folded from fewer lanes.
template <class T>
inline constexpr int kShort = 64 / static_cast<int>(sizeof(T));

// Op over the n elements at p; the array that p points into ends at `limit`.
template <class Op, class T>
[[gnu::always_inline]] static inline T reduce_row(const T* p, std::int64_t n, const T* limit) {
  constexpr T fill = Op::template identity<T>();
  constexpr int N = kNative<T>;
  if (n <= kShort<T>) return fold<Op, T>(load_lanes<T, kShort<T> / N>(p, n, limit, fill));
  constexpr int K = kLanes<T> / N;
  constexpr std::int64_t kBlock = std::int64_t{kStrips} * kLanes<T>;
  Pairwise<Op, T> blocks;
  for (std::int64_t begin = 0; begin < n; begin += kBlock) {
    const std::int64_t end = n - begin < kBlock ? n : begin + kBlock;
    Lanes<T, K> acc;
    for (int k = 0; k < K; ++k) acc.v[k] = broadcast<NativeVec<T>>(fill);
    std::int64_t i = begin;
    for (; i + kLanes<T> <= end; i += kLanes<T>)
      for (int k = 0; k < K; ++k) acc.v[k] = Op::apply(acc.v[k], load_vec<NativeVec<T>>(p + i + k * N));
    for (int k = 0; k < K; ++k, i += N) {
      if (end - i >= N) acc.v[k] = Op::apply(acc.v[k], load_vec<NativeVec<T>>(p + i));
      else if (end > i) acc.v[k] = Op::apply(acc.v[k], load_partial<T>(p + i, end - i, limit, fill));
    }
    blocks.push(fold<Op, T>(acc));
  }
  return blocks.finish();
}

}  // namespace ranvier::RANVIER_ISA
