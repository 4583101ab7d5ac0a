// Pooling: vectors lie along the innermost axis, which windows do not reach over; where that has one element, across
// neighbouring windows. Each window's elements are taken in row-major order, and what several windows add to one
// element in theirs, whatever the width of vectors.
#include "kernels/table.h"
#include "simd/vec.h"

namespace ranvier::RANVIER_ISA {
namespace {

template <int N>
struct Count {
  static constexpr int value = N;
};

// How a group of vectors is read and written: whole, or only the first lanes of a single one.
template <class T>
struct Whole {
  static constexpr int kWindows = 1;
  Vec<T> get(const T* p) const { return load(p); }
  void put(T* p, Vec<T> v) const { store(p, v); }
};
template <class T>
struct Part {
  static constexpr int kWindows = 1;
  TailMask<T> mask;
  Vec<T> get(const T* p) const { return load(p, mask); }
  void put(T* p, Vec<T> v) const { store(p, v, mask); }
};
// A vector whose lanes lie apart, at distances that grow.
template <class T>
struct Scattered {
  static constexpr int kWindows = Vec<T>::kLanes;  // that share the vector
  const std::int64_t* at;
  Vec<T> get(const T* p) const {
    T lanes[Vec<T>::kLanes];
    for (int i = 0; i < Vec<T>::kLanes; ++i) lanes[i] = p[at[i]];
    return load(lanes);
  }
  void put(T* p, Vec<T> v) const {
    T lanes[Vec<T>::kLanes];
    store(lanes, v);
    for (int i = 0; i < Vec<T>::kLanes; ++i) p[at[i]] = lanes[i];
  }
};

// f(Count of vectors, how to read them, first element) for groups that make up n elements.
template <class T, class F>
RANVIER_INLINE void each_group(std::int64_t n, F f) {
  constexpr std::int64_t kLanes = Vec<T>::kLanes;
  std::int64_t c = 0;
  for (; c + 4 * kLanes <= n; c += 4 * kLanes) f(Count<4>{}, Whole<T>{}, c);
  if (c + 2 * kLanes <= n) {
    f(Count<2>{}, Whole<T>{}, c);
    c += 2 * kLanes;
  }
  if (c + kLanes <= n) {
    f(Count<1>{}, Whole<T>{}, c);
    c += kLanes;
  }
  if (c < n) f(Count<1>{}, Part<T>{TailMask<T>(static_cast<int>(n - c))}, c);
}

struct Strides {
  std::int64_t of[3], image;
};
static inline Strides strides_of(const ImageWindows& w) {
  const std::int64_t s1 = w.axis[2].in * w.inner, s0 = w.axis[1].in * s1;
  return {{s0, s1, w.inner}, w.axis[0].in * s0};
}

// The size of a window, or of several.
struct Extent {
  std::int64_t n[3];
  template <class T>
  Vec<T> elements() const { return splat(static_cast<T>(n[0] * n[1] * n[2])); }
};

struct Span {
  std::int64_t first, last;
};

// The windows of an axis, first to last, that are fit for the lanes of one vector: of one size, each beginning behind
// the one before, and inside [begin, end).
static inline Span alike(const WindowTable& axis, std::int64_t begin, std::int64_t end) {
  Span span{0, 0};
  if (axis.out == 0) return span;
  const std::int64_t middle = axis.out / 2, size = axis.end[middle] - axis.begin[middle];
  const auto fits = [&](std::int64_t i) {
    return axis.end[i] - axis.begin[i] == size && axis.begin[i] >= begin && axis.end[i] <= end;
  };
  if (!fits(middle)) return span;
  span = {middle, middle + 1};
  while (span.first > 0 && fits(span.first - 1) && axis.begin[span.first - 1] < axis.begin[span.first]) --span.first;
  while (span.last < axis.out && fits(span.last) && axis.begin[span.last] > axis.begin[span.last - 1]) ++span.last;
  return span;
}

// f(Count of vectors, how their elements lie in the image and in the results, size of the windows, first window,
// distance from the line's first element, from its first result) for the windows `all` along the last axis of a line;
// those of `lanes` may share a vector.
template <class T, class F>
RANVIER_INLINE void each_place(const ImageWindows& w, Span all, Span lanes, Extent size, F f) {
  const WindowTable& axis = w.axis[2];
  const auto one_by_one = [&](std::int64_t first, std::int64_t last) {
    each_group<T>(w.inner, [&](auto count, auto part, std::int64_t c) {
      for (std::int64_t i = first; i < last; ++i) {
        size.n[2] = axis.end[i] - axis.begin[i];
        f(count, part, part, size, i, axis.begin[i] * w.inner + c, i * w.inner + c);
      }
    });
  };
  std::int64_t i = all.first;
  if (lanes.last - lanes.first >= Vec<T>::kLanes) {
    one_by_one(i, lanes.first);
    size.n[2] = axis.end[lanes.first] - axis.begin[lanes.first];
    for (i = lanes.first; i + Vec<T>::kLanes <= lanes.last; i += Vec<T>::kLanes)
      f(Count<1>{}, Scattered<T>{axis.begin + i}, Whole<T>{}, size, i, std::int64_t{0}, i);
  }
  one_by_one(i, all.last);
}

// f(distance from the window's first element) for each row of a window along the last axis.
template <class F>
RANVIER_INLINE void each_row(const Extent& size, const Strides& s, F f) {
  for (std::int64_t a = 0; a < size.n[0]; ++a)
    for (std::int64_t b = 0; b < size.n[1]; ++b) f(a * s.of[0] + b * s.of[1]);
}

// Asks for what the next line reads, a share with each window: rows are too short for the processor to see that one
// follows another. A line's windows end with column i1 of row i0.
class Ahead {
 public:
  template <class T>
  Ahead(const ImageWindows& w, const Strides& s, const T* image, std::int64_t i0, std::int64_t i1) {
    const WindowTable &rows = w.axis[0], &columns = w.axis[1];
    const std::int64_t middle = columns.out / 2;
    const std::int64_t apart = columns.out > 1 ? columns.begin[middle] - columns.begin[middle - 1] : 1;
    const std::int64_t size = sizeof(T), begin = ((rows.end[i0] - 1) * s.of[0] + columns.end[i1] * s.of[1]) * size;
    share_ = static_cast<std::uintptr_t>(apart * s.of[1] * size / w.axis[2].out + 1);
    at_ = wanted_ = reinterpret_cast<std::uintptr_t>(image) + static_cast<std::uintptr_t>(begin);
    end_ = at_ + static_cast<std::uintptr_t>(apart * s.of[1] * size);
  }
  [[gnu::always_inline]] void fetch(int windows) {
    if (wanted_ >= end_) return;
    for (wanted_ += static_cast<std::uintptr_t>(windows) * share_; at_ < wanted_; at_ += 64)
      __builtin_prefetch(reinterpret_cast<const void*>(at_), 0, 2);
  }

 private:
  std::uintptr_t at_, wanted_, end_;  // addresses: the last line's lie behind the image
  std::uintptr_t share_;              // of a window, in bytes
};

// f(Count of vectors, how their elements lie, how their results lie, size of the windows, distance of the first element
// from x's, of the first result from out's) for the results of some lines.
template <class T, class F>
RANVIER_INLINE void each_result(const ImageWindows& w, const Strides& s, std::int64_t begin, std::int64_t end,
                                const T* x, F f) {
  const WindowTable &rows = w.axis[0], &columns = w.axis[1];
  const Span all{0, w.axis[2].out}, lanes = w.inner == 1 ? alike(w.axis[2], 0, w.axis[2].in) : Span{0, 0};
  for (std::int64_t line = begin; line < end; ++line) {
    const std::int64_t i1 = line % columns.out, i0 = line / columns.out % rows.out;
    const std::int64_t image = line / columns.out / rows.out;
    const std::int64_t in_at = image * s.image + rows.begin[i0] * s.of[0] + columns.begin[i1] * s.of[1];
    const std::int64_t out_at = line * all.last * w.inner;
    const Extent size{{rows.end[i0] - rows.begin[i0], columns.end[i1] - columns.begin[i1], 0}};
    Ahead ahead(w, s, x + image * s.image, i0, i1);
    each_place<T>(w, all, lanes, size, [&](auto count, auto from, auto to, const Extent& n, std::int64_t,
                                           std::int64_t in, std::int64_t out) {
      ahead.fetch(from.kWindows);
      f(count, from, to, n, in_at + in, out_at + out);
    });
  }
}

template <class T>
RANVIER_INLINE void max_pool(const ImageWindows& w, std::int64_t begin, std::int64_t end, const T* x, T* out) {
  const Strides s = strides_of(w);
  each_result<T>(w, s, begin, end, x, [&](auto count, auto from, auto to, const Extent& size, std::int64_t in,
                                       std::int64_t at) {
    constexpr int kCount = decltype(count)::value, kLanes = Vec<T>::kLanes;
    Vec<T> best[kCount];
    for (int u = 0; u < kCount; ++u) best[u] = from.get(x + in + u * kLanes);
    each_row(size, s, [&](std::int64_t row) {
      const T* p = x + in + row;
      for (std::int64_t k = 0; k < size.n[2]; ++k, p += s.of[2])
        for (int u = 0; u < kCount; ++u) {
          const auto v = from.get(p + u * kLanes).v, old = best[u].v;
          best[u].v = ((v > old) | (v != v)) ? v : old;
        }
    });
    for (int u = 0; u < kCount; ++u) to.put(out + at + u * kLanes, best[u]);
  });
}

template <class T>
RANVIER_INLINE void average_pool(const ImageWindows& w, std::int64_t begin, std::int64_t end, const T* x, T* out) {
  const Strides s = strides_of(w);
  each_result<T>(w, s, begin, end, x, [&](auto count, auto from, auto to, const Extent& size, std::int64_t in,
                                       std::int64_t at) {
    constexpr int kCount = decltype(count)::value, kLanes = Vec<T>::kLanes;
    Vec<T> total[kCount] = {};
    each_row(size, s, [&](std::int64_t row) {
      const T* p = x + in + row;
      Vec<T> sum[kCount];
      for (int u = 0; u < kCount; ++u) sum[u] = from.get(p + u * kLanes);
      for (std::int64_t k = 1; k < size.n[2]; ++k)
        for (int u = 0; u < kCount; ++u) sum[u].v += from.get(p + k * s.of[2] + u * kLanes).v;
      for (int u = 0; u < kCount; ++u) total[u].v = row == 0 ? sum[u].v : total[u].v + sum[u].v;
    });
    const Vec<T> elements = size.elements<T>();
    for (int u = 0; u < kCount; ++u) to.put(out + at + u * kLanes, {total[u].v / elements.v});
  });
}

template <class T>
RANVIER_INLINE void max_pool_pick(const ImageWindows& w, std::int64_t begin, std::int64_t end, const T* x,
                                  const T* h, T* out) {
  const Strides s = strides_of(w);
  each_result<T>(w, s, begin, end, x, [&](auto count, auto from, auto to, const Extent& size, std::int64_t in,
                                       std::int64_t at) {
    constexpr int kCount = decltype(count)::value, kLanes = Vec<T>::kLanes;
    for (int u = 0; u < kCount; ++u) {
      Vec<T> chosen = from.get(x + in + u * kLanes), value = from.get(h + in + u * kLanes);
      each_row(size, s, [&](std::int64_t row) {
        for (std::int64_t k = 0; k < size.n[2]; ++k) {
          const std::int64_t place = in + row + k * s.of[2] + u * kLanes;
          const auto v = from.get(x + place).v, old = chosen.v;
          chosen.v = old >= v ? old : v;
          value.v = old >= v ? value.v : from.get(h + place).v;
        }
      });
      to.put(out + at + u * kLanes, value);
    }
  });
}

template <class T>
RANVIER_INLINE void clear(const ImageWindows& w, const Strides& s, const ImageBox& box, T* dx) {
  const std::int64_t bytes = (box.end[2] - box.begin[2]) * w.inner * static_cast<std::int64_t>(sizeof(T));
  for (std::int64_t a = box.begin[0]; a < box.end[0]; ++a)
    for (std::int64_t b = box.begin[1]; b < box.end[1]; ++b)
      __builtin_memset(dx + a * s.of[0] + b * s.of[1] + box.begin[2] * s.of[2], 0, static_cast<std::size_t>(bytes));
}

// The windows that reach into [begin, end) of an axis.
static inline Span windows_in(const WindowTable& axis, std::int64_t begin, std::int64_t end) {
  Span span{0, axis.out};
  while (span.first < axis.out && axis.end[span.first] <= begin) ++span.first;
  while (span.last > span.first && axis.begin[span.last - 1] >= end) --span.last;
  return span;
}

// The part of window i that is inside [begin, end), counted from its own first element.
static inline Span inside(const WindowTable& axis, std::int64_t i, std::int64_t begin, std::int64_t end) {
  const std::int64_t first = axis.begin[i], last = axis.end[i];
  return {(first < begin ? begin : first) - first, (last < end ? last : end) - first};
}

// f(Count of vectors, how their elements lie, how what came of them lies, size of the windows, the parts that are inside
// a box, distance of the first element from the image's, of what came of it from g's) for the windows of an image that
// reach into the box, in order. x: the image, if f reads it.
template <class T, class F>
RANVIER_INLINE void each_window(const ImageWindows& w, const Strides& s, const ImageBox& box, const T* x, F f) {
  Span reach[3];
  for (int d = 0; d < 3; ++d) reach[d] = windows_in(w.axis[d], box.begin[d], box.end[d]);
  const Span lanes = w.inner == 1 ? alike(w.axis[2], box.begin[2], box.end[2]) : Span{0, 0};
  for (std::int64_t i0 = reach[0].first; i0 < reach[0].last; ++i0)
    for (std::int64_t i1 = reach[1].first; i1 < reach[1].last; ++i1) {
      const WindowTable &rows = w.axis[0], &columns = w.axis[1];
      const Extent size{{rows.end[i0] - rows.begin[i0], columns.end[i1] - columns.begin[i1], 0}};
      const Span a = inside(rows, i0, box.begin[0], box.end[0]), b = inside(columns, i1, box.begin[1], box.end[1]);
      const std::int64_t in_at = rows.begin[i0] * s.of[0] + columns.begin[i1] * s.of[1];
      const std::int64_t out_at = (i0 * columns.out + i1) * w.axis[2].out * w.inner;
      Ahead ahead(w, s, x, i0, i1);
      each_place<T>(w, reach[2], lanes, size, [&](auto count, auto from, auto to, const Extent& n, std::int64_t i2,
                                                  std::int64_t in, std::int64_t out) {
        if (x != nullptr) ahead.fetch(from.kWindows);
        const Span k = inside(w.axis[2], i2, box.begin[2], box.end[2]);  // in lanes, all of each window
        const ImageBox part{{a.first, b.first, k.first}, {a.last, b.last, k.last}};
        f(count, from, to, n, part, in_at + in, out_at + out);
      });
    }
}

// f(number of the element in its window, distance from the window's first) for the elements inside a box. Along the last
// axis from the end: of lanes that meet in an element, the first window's comes first.
template <class F>
RANVIER_INLINE void each_inside(const Extent& size, const Strides& s, const ImageBox& inside, F f) {
  for (std::int64_t a = inside.begin[0]; a < inside.end[0]; ++a)
    for (std::int64_t b = inside.begin[1]; b < inside.end[1]; ++b)
      for (std::int64_t k = inside.end[2] - 1; k >= inside.begin[2]; --k)
        f((a * size.n[1] + b) * size.n[2] + k, a * s.of[0] + b * s.of[1] + k * s.of[2]);
}

template <class T>
RANVIER_INLINE void max_pool_grad(const ImageWindows& w, const ImageBox& box, const T* x, const T* g, T* dx) {
  const Strides s = strides_of(w);
  clear(w, s, box, dx);
  each_window<T>(w, s, box, x, [&](auto count, auto from, auto to, const Extent& size, const ImageBox& part,
                                std::int64_t in, std::int64_t at) {
    constexpr int kCount = decltype(count)::value, kLanes = Vec<T>::kLanes;
    using Places = decltype(Vec<T>{}.v >= Vec<T>{}.v);
    using Place = decltype(Places{}[0] + 0);
    Vec<T> chosen[kCount], gradient[kCount];
    Places place[kCount] = {};
    for (int u = 0; u < kCount; ++u) {
      chosen[u] = from.get(x + in + u * kLanes);
      gradient[u] = to.get(g + at + u * kLanes);
    }
    Place number = 0;
    each_row(size, s, [&](std::int64_t row) {
      const T* p = x + in + row;
      for (std::int64_t k = 0; k < size.n[2]; ++k, ++number, p += s.of[2])
        for (int u = 0; u < kCount; ++u) {
          const auto v = from.get(p + u * kLanes).v, old = chosen[u].v;
          place[u] = old >= v ? place[u] : Places{} + number;
          chosen[u].v = old >= v ? old : v;
        }
    });
    each_inside(size, s, part, [&](std::int64_t n, std::int64_t distance) {
      for (int u = 0; u < kCount; ++u) {
        T* const target = dx + in + distance + u * kLanes;
        from.put(target, {from.get(target).v + (place[u] == static_cast<Place>(n) ? gradient[u].v : Vec<T>{}.v)});
      }
    });
  });
}

template <class T>
RANVIER_INLINE void average_pool_grad(const ImageWindows& w, const ImageBox& box, const T* g, T* dx) {
  const Strides s = strides_of(w);
  clear(w, s, box, dx);
  each_window<T>(w, s, box, nullptr, [&](auto count, auto from, auto to, const Extent& size, const ImageBox& part,
                                std::int64_t in, std::int64_t at) {
    constexpr int kCount = decltype(count)::value, kLanes = Vec<T>::kLanes;
    const Vec<T> elements = size.elements<T>();
    Vec<T> share[kCount];
    for (int u = 0; u < kCount; ++u) share[u].v = to.get(g + at + u * kLanes).v / elements.v;
    each_inside(size, s, part, [&](std::int64_t, std::int64_t distance) {
      for (int u = 0; u < kCount; ++u) {
        T* const target = dx + in + distance + u * kLanes;
        from.put(target, {from.get(target).v + share[u].v});
      }
    });
  });
}

}  // namespace

#define RANVIER_POOLING(suffix, T)                                                                               \
  void max_pool_##suffix(ImageWindows w, std::int64_t begin, std::int64_t end, const T* x, T* out) {             \
    max_pool(w, begin, end, x, out);                                                                             \
  }                                                                                                              \
  void average_pool_##suffix(ImageWindows w, std::int64_t begin, std::int64_t end, const T* x, T* out) {         \
    average_pool(w, begin, end, x, out);                                                                         \
  }                                                                                                              \
  void max_pool_pick_##suffix(ImageWindows w, std::int64_t begin, std::int64_t end, const T* x, const T* h,      \
                              T* out) {                                                                          \
    max_pool_pick(w, begin, end, x, h, out);                                                                     \
  }                                                                                                              \
  void max_pool_grad_##suffix(ImageWindows w, ImageBox box, const T* x, const T* g, T* dx) {                     \
    max_pool_grad(w, box, x, g, dx);                                                                             \
  }                                                                                                              \
  void average_pool_grad_##suffix(ImageWindows w, ImageBox box, const T* g, T* dx) { average_pool_grad(w, box, g, dx); }
RANVIER_POOLING(f32, float)
RANVIER_POOLING(f64, double)
#undef RANVIER_POOLING

}  // namespace ranvier::RANVIER_ISA
