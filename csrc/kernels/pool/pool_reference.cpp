#include "kernels/pool/pool_reference.h"

#include <array>
#include <cmath>
#include <limits>
#include <vector>

namespace ranvier::reference {
namespace {

using Wide = long double;  // so that double is held against something better
using Place = std::array<std::int64_t, 3>;
using Places = std::vector<Place>;
using Sums = std::vector<Wide>;

std::int64_t place_in(const ImageWindows& w, const Place& at) {
  return (at[0] * w.axis[1].in + at[1]) * w.axis[2].in + at[2];
}

// The places of window i, in order.
Places places_of(const ImageWindows& w, const Place& i) {
  Places places;
  for (std::int64_t a = w.axis[0].begin[i[0]]; a < w.axis[0].end[i[0]]; ++a)
    for (std::int64_t b = w.axis[1].begin[i[1]]; b < w.axis[1].end[i[1]]; ++b)
      for (std::int64_t c = w.axis[2].begin[i[2]]; c < w.axis[2].end[i[2]]; ++c) places.push_back({a, b, c});
  return places;
}

// The place that a window chooses by x, whose channel it is.
template <class T>
Place chosen(const ImageWindows& w, const Places& places, const T* x) {
  Place best = places.front();
  for (const Place& place : places)
    if (!(x[place_in(w, best) * w.inner] >= x[place_in(w, place) * w.inner])) best = place;
  return best;
}

// f(places, where the image begins, where the result is) for the results of some lines, one channel at a time.
template <class F>
void each_result(const ImageWindows& w, std::int64_t begin, std::int64_t end, F f) {
  const std::int64_t image = w.axis[0].in * w.axis[1].in * w.axis[2].in * w.inner;
  for (std::int64_t line = begin; line < end; ++line)
    for (std::int64_t i2 = 0; i2 < w.axis[2].out; ++i2) {
      const auto places = places_of(w, {line / w.axis[1].out % w.axis[0].out, line % w.axis[1].out, i2});
      for (std::int64_t c = 0; c < w.inner; ++c)
        f(places, line / w.axis[1].out / w.axis[0].out * image + c, (line * w.axis[2].out + i2) * w.inner + c);
    }
}

// f(places, channel, where the result is) for all windows of an image; what it adds to dx is rounded once, at the end.
template <class T, class F>
void each_window(const ImageWindows& w, const ImageBox& box, T* dx, F f) {
  Sums sums(static_cast<std::size_t>(w.axis[0].in * w.axis[1].in * w.axis[2].in * w.inner));
  each_result(w, 0, w.axis[0].out * w.axis[1].out, [&](const Places& places, std::int64_t channel, std::int64_t at) {
    f(places, channel, at, sums);
  });
  for (std::int64_t a = box.begin[0]; a < box.end[0]; ++a)
    for (std::int64_t b = box.begin[1]; b < box.end[1]; ++b)
      for (std::int64_t c = box.begin[2]; c < box.end[2]; ++c)
        for (std::int64_t k = 0; k < w.inner; ++k) {
          const std::int64_t at = place_in(w, {a, b, c}) * w.inner + k;
          dx[at] = static_cast<T>(sums[static_cast<std::size_t>(at)]);
        }
}

}  // namespace

template <class T>
void max_pool(ImageWindows w, std::int64_t begin, std::int64_t end, const T* x, T* out) {
  each_result(w, begin, end, [&](const Places& places, std::int64_t image, std::int64_t at) {
    T best = -std::numeric_limits<T>::infinity();
    for (const Place& place : places) {
      const T v = x[image + place_in(w, place) * w.inner];
      if (v > best || std::isnan(v)) best = v;
    }
    out[at] = best;
  });
}

template <class T>
void average_pool(ImageWindows w, std::int64_t begin, std::int64_t end, const T* x, T* out) {
  each_result(w, begin, end, [&](const Places& places, std::int64_t image, std::int64_t at) {
    Wide sum = 0;
    for (const Place& place : places) sum += x[image + place_in(w, place) * w.inner];
    out[at] = static_cast<T>(sum / static_cast<Wide>(places.size()));
  });
}

template <class T>
void max_pool_pick(ImageWindows w, std::int64_t begin, std::int64_t end, const T* x, const T* h, T* out) {
  each_result(w, begin, end, [&](const Places& places, std::int64_t image, std::int64_t at) {
    out[at] = h[image + place_in(w, chosen(w, places, x + image)) * w.inner];
  });
}

template <class T>
void max_pool_grad(ImageWindows w, ImageBox box, const T* x, const T* g, T* dx) {
  each_window(w, box, dx, [&](const Places& places, std::int64_t channel, std::int64_t at, Sums& sums) {
    sums[static_cast<std::size_t>(place_in(w, chosen(w, places, x + channel)) * w.inner + channel)] += g[at];
  });
}

template <class T>
void average_pool_grad(ImageWindows w, ImageBox box, const T* g, T* dx) {
  each_window(w, box, dx, [&](const Places& places, std::int64_t channel, std::int64_t at, Sums& sums) {
    const Wide share = static_cast<Wide>(g[at]) / static_cast<Wide>(places.size());
    for (const Place& place : places) sums[static_cast<std::size_t>(place_in(w, place) * w.inner + channel)] += share;
  });
}

#define RANVIER_INSTANCES(T)                                                                        \
  template void max_pool<T>(ImageWindows, std::int64_t, std::int64_t, const T*, T*);                \
  template void average_pool<T>(ImageWindows, std::int64_t, std::int64_t, const T*, T*);            \
  template void max_pool_pick<T>(ImageWindows, std::int64_t, std::int64_t, const T*, const T*, T*); \
  template void max_pool_grad<T>(ImageWindows, ImageBox, const T*, const T*, T*);                   \
  template void average_pool_grad<T>(ImageWindows, ImageBox, const T*, T*);
RANVIER_INSTANCES(float)
RANVIER_INSTANCES(double)
#undef RANVIER_INSTANCES

}  // namespace ranvier::reference
