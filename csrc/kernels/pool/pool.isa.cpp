// Pooling: vectors lie along the innermost axis, which windows do not reach over. Each window's elements are taken in
// row-major order, whatever the width of vectors.
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
  Vec<T> get(const T* p) const { return load(p); }
  void put(T* p, Vec<T> v) const { store(p, v); }
};
template <class T>
struct Part {
  TailMask<T> mask;
  Vec<T> get(const T* p) const { return load(p, mask); }
  void put(T* p, Vec<T> v) const { store(p, v, mask); }
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

// A window: the distance of its first element from the image's, and its size.
struct Window {
  std::int64_t at, n[3];
};
static inline Window window_of(const ImageWindows& w, const Strides& s, std::int64_t i0, std::int64_t i1, std::int64_t i2) {
  const std::int64_t i[3] = {i0, i1, i2};
  Window window{};
  for (int d = 0; d < 3; ++d) {
    window.n[d] = w.axis[d].end[i[d]] - w.axis[d].begin[i[d]];
    window.at += w.axis[d].begin[i[d]] * s.of[d];
  }
  return window;
}

// f(distance from the window's first element) for each row of a window along the last axis.
template <class F>
RANVIER_INLINE void each_row(const Window& w, const Strides& s, F f) {
  for (std::int64_t a = 0; a < w.n[0]; ++a)
    for (std::int64_t b = 0; b < w.n[1]; ++b) f(a * s.of[0] + b * s.of[1]);
}

// f(window, its first element's distance from x's, its result's from out's) for the results of some lines.
template <class F>
RANVIER_INLINE void each_result(const ImageWindows& w, const Strides& s, std::int64_t begin, std::int64_t end, F f) {
  const std::int64_t out0 = w.axis[0].out, out1 = w.axis[1].out, out2 = w.axis[2].out;
  for (std::int64_t line = begin; line < end; ++line) {
    const std::int64_t i1 = line % out1, i0 = line / out1 % out0, image = line / out1 / out0;
    for (std::int64_t i2 = 0; i2 < out2; ++i2) {
      const Window window = window_of(w, s, i0, i1, i2);
      f(window, image * s.image + window.at, (line * out2 + i2) * w.inner);
    }
  }
}

template <class T>
RANVIER_INLINE void max_pool(const ImageWindows& w, std::int64_t begin, std::int64_t end, const T* x, T* out) {
  const Strides s = strides_of(w);
  each_result(w, s, begin, end, [&](const Window& window, std::int64_t in_at, std::int64_t out_at) {
    each_group<T>(w.inner, [&](auto count, auto part, std::int64_t c) {
      constexpr int kCount = decltype(count)::value, kLanes = Vec<T>::kLanes;
      const T* from = x + in_at + c;
      Vec<T> best[kCount];
      for (int u = 0; u < kCount; ++u) best[u] = part.get(from + u * kLanes);
      each_row(window, s, [&](std::int64_t row) {
        const T* p = from + row;
        for (std::int64_t k = 0; k < window.n[2]; ++k, p += s.of[2])
          for (int u = 0; u < kCount; ++u) {
            const auto v = part.get(p + u * kLanes).v, old = best[u].v;
            best[u].v = ((v > old) | (v != v)) ? v : old;
          }
      });
      for (int u = 0; u < kCount; ++u) part.put(out + out_at + c + u * kLanes, best[u]);
    });
  });
}

template <class T>
RANVIER_INLINE void average_pool(const ImageWindows& w, std::int64_t begin, std::int64_t end, const T* x, T* out) {
  const Strides s = strides_of(w);
  each_result(w, s, begin, end, [&](const Window& window, std::int64_t in_at, std::int64_t out_at) {
    const Vec<T> size = splat(static_cast<T>(window.n[0] * window.n[1] * window.n[2]));
    each_group<T>(w.inner, [&](auto count, auto part, std::int64_t c) {
      constexpr int kCount = decltype(count)::value, kLanes = Vec<T>::kLanes;
      const T* from = x + in_at + c;
      Vec<T> total[kCount] = {};
      each_row(window, s, [&](std::int64_t row) {
        const T* p = from + row;
        Vec<T> sum[kCount];
        for (int u = 0; u < kCount; ++u) sum[u] = part.get(p + u * kLanes);
        for (std::int64_t k = 1; k < window.n[2]; ++k)
          for (int u = 0; u < kCount; ++u) sum[u].v += part.get(p + k * s.of[2] + u * kLanes).v;
        for (int u = 0; u < kCount; ++u) total[u].v = row == 0 ? sum[u].v : total[u].v + sum[u].v;
      });
      for (int u = 0; u < kCount; ++u) part.put(out + out_at + c + u * kLanes, {total[u].v / size.v});
    });
  });
}

template <class T>
RANVIER_INLINE void max_pool_pick(const ImageWindows& w, std::int64_t begin, std::int64_t end, const T* x, const T* h, T* out) {
  const Strides s = strides_of(w);
  each_result(w, s, begin, end, [&](const Window& window, std::int64_t in_at, std::int64_t out_at) {
    each_group<T>(w.inner, [&](auto count, auto part, std::int64_t c) {
      constexpr int kCount = decltype(count)::value, kLanes = Vec<T>::kLanes;
      for (int u = 0; u < kCount; ++u) {
        const std::int64_t at = in_at + c + u * kLanes;
        Vec<T> chosen = part.get(x + at), value = part.get(h + at);
        each_row(window, s, [&](std::int64_t row) {
          for (std::int64_t k = 0; k < window.n[2]; ++k) {
            const std::int64_t place = at + row + k * s.of[2];
            const auto v = part.get(x + place).v, old = chosen.v;
            chosen.v = old >= v ? old : v;
            value.v = old >= v ? value.v : part.get(h + place).v;
          }
        });
        part.put(out + out_at + c + u * kLanes, value);
      }
    });
  });
}

template <class T>
RANVIER_INLINE void clear(const ImageWindows& w, const Strides& s, const ImageBox& box, T* dx) {
  const std::int64_t bytes = (box.end[2] - box.begin[2]) * w.inner * static_cast<std::int64_t>(sizeof(T));
  for (std::int64_t a = box.begin[0]; a < box.end[0]; ++a)
    for (std::int64_t b = box.begin[1]; b < box.end[1]; ++b)
      __builtin_memset(dx + a * s.of[0] + b * s.of[1] + box.begin[2] * s.of[2], 0, static_cast<std::size_t>(bytes));
}

// The windows that reach into a box along an axis, [first, last).
struct Span {
  std::int64_t first, last;
};
static inline Span windows_in(const WindowTable& axis, std::int64_t begin, std::int64_t end) {
  Span span{0, axis.out};
  while (span.first < axis.out && axis.end[span.first] <= begin) ++span.first;
  while (span.last > span.first && axis.begin[span.last - 1] >= end) --span.last;
  return span;
}

// f(window, the part of it inside the box, its result's distance from g's first element) for the windows that reach
// into a box of one image, in order.
template <class F>
RANVIER_INLINE void each_window(const ImageWindows& w, const Strides& s, const ImageBox& box, F f) {
  Span span[3];
  for (int d = 0; d < 3; ++d) span[d] = windows_in(w.axis[d], box.begin[d], box.end[d]);
  for (std::int64_t i0 = span[0].first; i0 < span[0].last; ++i0)
    for (std::int64_t i1 = span[1].first; i1 < span[1].last; ++i1)
      for (std::int64_t i2 = span[2].first; i2 < span[2].last; ++i2) {
        const std::int64_t i[3] = {i0, i1, i2};
        ImageBox inside{};
        for (int d = 0; d < 3; ++d) {
          const std::int64_t begin = w.axis[d].begin[i[d]], end = w.axis[d].end[i[d]];
          inside.begin[d] = (begin < box.begin[d] ? box.begin[d] : begin) - begin;
          inside.end[d] = (end < box.end[d] ? end : box.end[d]) - begin;
        }
        f(window_of(w, s, i0, i1, i2), inside, ((i0 * w.axis[1].out + i1) * w.axis[2].out + i2) * w.inner);
      }
}

// f(number of the element in its window, distance from the window's first) for the elements inside a box.
template <class F>
RANVIER_INLINE void each_inside(const Window& window, const Strides& s, const ImageBox& inside, F f) {
  for (std::int64_t a = inside.begin[0]; a < inside.end[0]; ++a)
    for (std::int64_t b = inside.begin[1]; b < inside.end[1]; ++b)
      for (std::int64_t k = inside.begin[2]; k < inside.end[2]; ++k)
        f((a * window.n[1] + b) * window.n[2] + k, a * s.of[0] + b * s.of[1] + k * s.of[2]);
}

template <class T>
RANVIER_INLINE void max_pool_grad(const ImageWindows& w, const ImageBox& box, const T* x, const T* g, T* dx) {
  const Strides s = strides_of(w);
  clear(w, s, box, dx);
  each_window(w, s, box, [&](const Window& window, const ImageBox& inside, std::int64_t out_at) {
    each_group<T>(w.inner, [&](auto count, auto part, std::int64_t c) {
      constexpr int kCount = decltype(count)::value, kLanes = Vec<T>::kLanes;
      using Places = decltype(Vec<T>{}.v >= Vec<T>{}.v);
      using Place = decltype(Places{}[0] + 0);
      for (int u = 0; u < kCount; ++u) {
        const std::int64_t at = window.at + c + u * kLanes;
        Vec<T> chosen = part.get(x + at);
        Places place{};
        Place number = 0;
        each_row(window, s, [&](std::int64_t row) {
          for (std::int64_t k = 0; k < window.n[2]; ++k, ++number) {
            const auto v = part.get(x + at + row + k * s.of[2]).v, old = chosen.v;
            place = old >= v ? place : Places{} + number;
            chosen.v = old >= v ? old : v;
          }
        });
        const Vec<T> gradient = part.get(g + out_at + c + u * kLanes);
        each_inside(window, s, inside, [&](std::int64_t n, std::int64_t distance) {
          T* to = dx + at + distance;
          part.put(to, {part.get(to).v + (place == static_cast<Place>(n) ? gradient.v : Vec<T>{}.v)});
        });
      }
    });
  });
}

template <class T>
RANVIER_INLINE void average_pool_grad(const ImageWindows& w, const ImageBox& box, const T* g, T* dx) {
  const Strides s = strides_of(w);
  clear(w, s, box, dx);
  each_window(w, s, box, [&](const Window& window, const ImageBox& inside, std::int64_t out_at) {
    const Vec<T> size = splat(static_cast<T>(window.n[0] * window.n[1] * window.n[2]));
    each_group<T>(w.inner, [&](auto count, auto part, std::int64_t c) {
      constexpr int kCount = decltype(count)::value, kLanes = Vec<T>::kLanes;
      Vec<T> share[kCount];
      for (int u = 0; u < kCount; ++u) share[u].v = part.get(g + out_at + c + u * kLanes).v / size.v;
      each_inside(window, s, inside, [&](std::int64_t, std::int64_t distance) {
        T* to = dx + window.at + c + distance;
        for (int u = 0; u < kCount; ++u) part.put(to + u * kLanes, {part.get(to + u * kLanes).v + share[u].v});
      });
    });
  });
}

}  // namespace

void max_pool_f32(ImageWindows w, std::int64_t begin, std::int64_t end, const float* x, float* out) { max_pool(w, begin, end, x, out); }
void max_pool_f64(ImageWindows w, std::int64_t begin, std::int64_t end, const double* x, double* out) { max_pool(w, begin, end, x, out); }
void average_pool_f32(ImageWindows w, std::int64_t begin, std::int64_t end, const float* x, float* out) {
  average_pool(w, begin, end, x, out);
}
void average_pool_f64(ImageWindows w, std::int64_t begin, std::int64_t end, const double* x, double* out) {
  average_pool(w, begin, end, x, out);
}
void max_pool_pick_f32(ImageWindows w, std::int64_t begin, std::int64_t end, const float* x, const float* h, float* out) {
  max_pool_pick(w, begin, end, x, h, out);
}
void max_pool_pick_f64(ImageWindows w, std::int64_t begin, std::int64_t end, const double* x, const double* h, double* out) {
  max_pool_pick(w, begin, end, x, h, out);
}
void max_pool_grad_f32(ImageWindows w, ImageBox box, const float* x, const float* g, float* dx) { max_pool_grad(w, box, x, g, dx); }
void max_pool_grad_f64(ImageWindows w, ImageBox box, const double* x, const double* g, double* dx) { max_pool_grad(w, box, x, g, dx); }
void average_pool_grad_f32(ImageWindows w, ImageBox box, const float* g, float* dx) { average_pool_grad(w, box, g, dx); }
void average_pool_grad_f64(ImageWindows w, ImageBox box, const double* g, double* dx) { average_pool_grad(w, box, g, dx); }

}  // namespace ranvier::RANVIER_ISA
