// Copies between strides: transposes, slices, broadcasts, concatenations, flips.
//
// The dimensions are first put into a plain form: those of size 1 dropped, the others ordered by falling
// destination stride, neighbours that walk on through both arrays merged. What is left is a nest of outer
// loops over one of three inner parts: runs (contiguous in both arrays), a 2-D transpose (contiguous in the
// destination along one dimension and in the source along another), or single elements.
#include "kernels/reduce/lanes.h"
#include "kernels/table.h"

namespace ranvier::RANVIER_ISA {
namespace {

constexpr int kMaxDims = 8;

struct Dim {
  std::int64_t size, from, to;  // strides in bytes of the source and the destination
};

// The copy in its plain form. Dimensions [0, ndim), outermost first.
struct Layout {
  int ndim = 0;
  Dim dims[kMaxDims];
};

inline std::int64_t magnitude(std::int64_t stride) { return stride < 0 ? -stride : stride; }

// False when there is nothing to copy.
bool make_layout(int ndim, const std::int64_t* shape, const std::int64_t* from, const std::int64_t* to,
                 Layout& layout) {
  Dim sorted[kMaxDims];
  int count = 0;
  for (int d = 0; d < ndim; ++d) {
    if (shape[d] == 0) return false;
    if (shape[d] == 1) continue;
    const Dim dim = {shape[d], from[d], to[d]};
    int at = count++;
    for (; at > 0 && magnitude(sorted[at - 1].to) < magnitude(dim.to); --at) sorted[at] = sorted[at - 1];
    sorted[at] = dim;
  }
  for (int d = 0; d < count; ++d) {
    Dim* last = layout.ndim > 0 ? &layout.dims[layout.ndim - 1] : nullptr;
    const Dim& dim = sorted[d];
    if (last != nullptr && last->from == dim.from * dim.size && last->to == dim.to * dim.size) {
      *last = {last->size * dim.size, dim.from, dim.to};
    } else {
      layout.dims[layout.ndim++] = dim;
    }
  }
  return true;
}

// Calls f(source, destination) for every index of the dimensions of `layout` but the last `inner`.
template <class F>
inline void for_outer(const Layout& layout, int inner, const char* from, char* to, F f) {
  const int outer = layout.ndim - inner;
  std::int64_t index[kMaxDims] = {};
  for (;;) {
    f(from, to);
    int d = outer - 1;
    for (; d >= 0; --d) {
      const Dim& dim = layout.dims[d];
      if (++index[d] < dim.size) {
        from += dim.from;
        to += dim.to;
        break;
      }
      index[d] = 0;
      from -= dim.from * (dim.size - 1);
      to -= dim.to * (dim.size - 1);
    }
    if (d < 0) return;
  }
}

// Copies of at most 64 bytes without a call; they may end with a move that overlaps the one before.
[[gnu::always_inline]] inline void copy_run(char* to, const char* from, std::int64_t bytes) {
  if (bytes > 64) {
    __builtin_memcpy(to, from, static_cast<std::size_t>(bytes));
    return;
  }
  const auto both_ends = [=]<std::int64_t kSize>(std::integral_constant<std::int64_t, kSize>) {
    char head[kSize], tail[kSize];
    __builtin_memcpy(head, from, kSize);
    __builtin_memcpy(tail, from + bytes - kSize, kSize);
    __builtin_memcpy(to, head, kSize);
    __builtin_memcpy(to + bytes - kSize, tail, kSize);
  };
  if (bytes >= 32) both_ends(std::integral_constant<std::int64_t, 32>{});
  else if (bytes >= 16) both_ends(std::integral_constant<std::int64_t, 16>{});
  else if (bytes >= 8) both_ends(std::integral_constant<std::int64_t, 8>{});
  else if (bytes >= 4) both_ends(std::integral_constant<std::int64_t, 4>{});
  else if (bytes >= 2) both_ends(std::integral_constant<std::int64_t, 2>{});
  else if (bytes == 1) *to = *from;
}

template <class T>
[[gnu::always_inline]] inline T load_one(const char* p) {
  T value;
  __builtin_memcpy(&value, p, sizeof(T));
  return value;
}
template <class T>
[[gnu::always_inline]] inline void store_one(char* p, T value) {
  __builtin_memcpy(p, &value, sizeof(T));
}

// One dimension of single elements.
template <class T>
[[gnu::always_inline]] inline void copy_elements(const Dim& dim, const char* from, char* to) {
  constexpr std::int64_t kSize = sizeof(T);
  const Dim d = dim;
  if (d.from == 0 && d.to == kSize) {
    const T value = load_one<T>(from);
    for (std::int64_t i = 0; i < d.size; ++i) store_one<T>(to + i * kSize, value);
  } else if (d.from == -kSize && d.to == kSize) {
#pragma GCC ivdep
    for (std::int64_t i = 0; i < d.size; ++i) store_one<T>(to + i * kSize, load_one<T>(from - i * kSize));
  } else if (d.to == kSize) {
#pragma GCC ivdep
    for (std::int64_t i = 0; i < d.size; ++i) store_one<T>(to + i * kSize, load_one<T>(from + i * d.from));
  } else {
#pragma GCC ivdep
    for (std::int64_t i = 0; i < d.size; ++i) store_one<T>(to + i * d.to, load_one<T>(from + i * d.from));
  }
}

// Element i of the interleaving of a and b: of their lower halves, or their upper ones.
template <int kFirst, class V, int... I>
[[gnu::always_inline]] inline V interleave(V a, V b, std::integer_sequence<int, I...>) {
  constexpr int n = sizeof...(I);
  return __builtin_shufflevector(a, b, (I % 2 * n + kFirst + I / 2)...);
}

// Vectors that a transpose is made of: native ones, but for small elements, whose squares would be too large,
// short.
template <class T>
constexpr int kSquare = sizeof(T) >= 4 ? kNative<T> : 16 / static_cast<int>(sizeof(T));

// Transposes a square of vectors: rows of the source, `from` bytes apart, become columns. Interleaving
// the first half of the vectors with the second, log2(n) times, is the transpose.
template <class T>
[[gnu::always_inline]] inline void transpose_square(const char* src, std::int64_t from, char* dst,
                                                    std::int64_t to) {
  constexpr int n = kSquare<T>;
  using V = VecN<T, n>;
  using All = std::make_integer_sequence<int, n>;
  V a[n], b[n];
  for (int i = 0; i < n; ++i) a[i] = load_vec<V>(src + i * from);
  for (int step = 1; step < n; step *= 2) {
    for (int i = 0; i < n / 2; ++i) {
      b[2 * i] = interleave<0>(a[i], a[i + n / 2], All{});
      b[2 * i + 1] = interleave<n / 2>(a[i], a[i + n / 2], All{});
    }
    for (int i = 0; i < n; ++i) a[i] = b[i];
  }
  for (int i = 0; i < n; ++i) store_vec(dst + i * to, a[i]);
}

// A 2-D part: destination contiguous along `row` (source stride row.from), source contiguous along `col`.
template <class T>
void transpose(const Dim& row, const Dim& col, const char* from, char* to) {
  constexpr std::int64_t kSize = sizeof(T);
  constexpr std::int64_t n = kSquare<T>;
  const Dim r = row, c = col;
  const std::int64_t whole_rows = r.size - r.size % n, whole_cols = c.size - c.size % n;
  // Along the destination's rows first: its lines are filled one after the other.
  for (std::int64_t j = 0; j < whole_cols; j += n) {
    for (std::int64_t i = 0; i < whole_rows; i += n) {
      transpose_square<T>(from + i * r.from + j * kSize, r.from, to + i * kSize + j * c.to, c.to);
    }
    for (std::int64_t y = j; y < j + n; ++y)
      for (std::int64_t i = whole_rows; i < r.size; ++i)
        store_one<T>(to + i * kSize + y * c.to, load_one<T>(from + i * r.from + y * kSize));
  }
  for (std::int64_t j = whole_cols; j < c.size; ++j)
    for (std::int64_t i = 0; i < r.size; ++i)
      store_one<T>(to + i * kSize + j * c.to, load_one<T>(from + i * r.from + j * kSize));
}

template <class T>
void copy_layout(Layout& layout, const char* from, char* to) {
  constexpr std::int64_t kSize = sizeof(T);
  if (layout.ndim == 0) {
    store_one<T>(to, load_one<T>(from));
    return;
  }
  const Dim last = layout.dims[layout.ndim - 1];
  if (last.from == kSize && last.to == kSize) {
    const std::int64_t bytes = last.size * kSize;
    for_outer(layout, 1, from, to, [=](const char* src, char* dst) { copy_run(dst, src, bytes); });
    return;
  }
  if (last.to == kSize && last.from != 0) {
    for (int d = 0; d + 1 < layout.ndim; ++d) {
      if (layout.dims[d].from != kSize) continue;
      const Dim col = layout.dims[d];
      for (int k = d; k + 2 < layout.ndim; ++k) layout.dims[k] = layout.dims[k + 1];
      layout.dims[layout.ndim - 2] = col;
      for_outer(layout, 2, from, to, [=](const char* src, char* dst) { transpose<T>(last, col, src, dst); });
      return;
    }
  }
  for_outer(layout, 1, from, to, [=](const char* src, char* dst) { copy_elements<T>(last, src, dst); });
}

}  // namespace

void strided_copy(int ndim, const std::int64_t* shape, std::int64_t element_size, const void* src,
                  const std::int64_t* src_strides, void* dst, const std::int64_t* dst_strides) {
  Layout layout;
  if (!make_layout(ndim, shape, src_strides, dst_strides, layout)) return;
  const char* from = static_cast<const char*>(src);
  char* to = static_cast<char*>(dst);
  switch (element_size) {
    case 1:
      return copy_layout<std::uint8_t>(layout, from, to);
    case 2:
      return copy_layout<std::uint16_t>(layout, from, to);
    case 4:
      return copy_layout<std::uint32_t>(layout, from, to);
    case 8:
      return copy_layout<std::uint64_t>(layout, from, to);
    default:
      return;
  }
}

}  // namespace ranvier::RANVIER_ISA
