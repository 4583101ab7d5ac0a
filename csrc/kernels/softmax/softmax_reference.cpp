#include "kernels/softmax/softmax_reference.h"

#include <cmath>
#include <limits>

namespace ranvier::reference {
namespace {

using Wide = long double;  // so that double is held against something better

template <class T>
Wide max_of(std::int64_t cols, const T* x) {
  Wide max = -std::numeric_limits<Wide>::infinity();
  for (std::int64_t c = 0; c < cols; ++c) max = x[c] > max ? x[c] : max;
  return max;
}

template <class T>
Wide exp_sum(std::int64_t cols, const T* x, Wide max) {
  Wide sum = 0;
  for (std::int64_t c = 0; c < cols; ++c) sum += std::exp(x[c] - max);
  return sum;
}

std::int64_t label_at(const void* labels, bool label64, std::int64_t i) {
  return label64 ? static_cast<const std::int64_t*>(labels)[i] : static_cast<const std::int32_t*>(labels)[i];
}

}  // namespace

template <class T>
void softmax(std::int64_t rows, std::int64_t cols, const T* x, T* out) {
  for (std::int64_t r = 0; r < rows; ++r, x += cols, out += cols) {
    const Wide max = max_of(cols, x), sum = exp_sum(cols, x, max);
    for (std::int64_t c = 0; c < cols; ++c) out[c] = static_cast<T>(std::exp(x[c] - max) / sum);
  }
}

template <class T>
void log_softmax(std::int64_t rows, std::int64_t cols, const T* x, T* out) {
  for (std::int64_t r = 0; r < rows; ++r, x += cols, out += cols) {
    const Wide max = max_of(cols, x), log_sum = std::log(exp_sum(cols, x, max));
    for (std::int64_t c = 0; c < cols; ++c) out[c] = static_cast<T>((x[c] - max) - log_sum);
  }
}

template <class T>
void softmax_grad(std::int64_t rows, std::int64_t cols, const T* y, const T* g, T* out) {
  for (std::int64_t r = 0; r < rows; ++r, y += cols, g += cols, out += cols) {
    Wide dot = 0;
    for (std::int64_t c = 0; c < cols; ++c) dot += static_cast<Wide>(g[c]) * y[c];
    for (std::int64_t c = 0; c < cols; ++c) out[c] = static_cast<T>(y[c] * (g[c] - dot));
  }
}

template <class T>
void log_softmax_grad(std::int64_t rows, std::int64_t cols, const T* y, const T* g, T* out) {
  for (std::int64_t r = 0; r < rows; ++r, y += cols, g += cols, out += cols) {
    Wide sum = 0;
    for (std::int64_t c = 0; c < cols; ++c) sum += g[c];
    for (std::int64_t c = 0; c < cols; ++c)
      out[c] = static_cast<T>(g[c] - std::exp(static_cast<Wide>(y[c])) * sum);
  }
}

template <class T>
std::int64_t sparse_xent(std::int64_t rows, std::int64_t cols, const T* x, const void* labels, bool label64,
                         T* loss) {
  std::int64_t bad = -1;
  for (std::int64_t r = 0; r < rows; ++r, x += cols) {
    const std::int64_t label = label_at(labels, label64, r);
    if (label < 0 || label >= cols) {
      loss[r] = std::numeric_limits<T>::quiet_NaN();
      if (bad < 0) bad = r;
      continue;
    }
    const Wide max = max_of(cols, x);
    loss[r] = static_cast<T>(std::log(exp_sum(cols, x, max)) + (max - x[label]));
  }
  return bad;
}

template <class T>
void sparse_xent_grad(std::int64_t rows, std::int64_t cols, const T* x, const void* labels, bool label64,
                      const T* g, T* out) {
  for (std::int64_t r = 0; r < rows; ++r, x += cols, out += cols) {
    const std::int64_t label = label_at(labels, label64, r);
    const Wide max = max_of(cols, x), sum = exp_sum(cols, x, max);
    for (std::int64_t c = 0; c < cols; ++c) {
      const Wide p = std::exp(x[c] - max) / sum;
      out[c] = label < 0 || label >= cols ? T(0) : static_cast<T>(g[r] * (p - (c == label)));
    }
  }
}

#define RANVIER_INSTANTIATE(T)                                                                    \
  template void softmax(std::int64_t, std::int64_t, const T*, T*);                                \
  template void log_softmax(std::int64_t, std::int64_t, const T*, T*);                            \
  template void softmax_grad(std::int64_t, std::int64_t, const T*, const T*, T*);                 \
  template void log_softmax_grad(std::int64_t, std::int64_t, const T*, const T*, T*);             \
  template std::int64_t sparse_xent(std::int64_t, std::int64_t, const T*, const void*, bool, T*); \
  template void sparse_xent_grad(std::int64_t, std::int64_t, const T*, const void*, bool, const T*, T*);
RANVIER_INSTANTIATE(float)
RANVIER_INSTANTIATE(double)
#undef RANVIER_INSTANTIATE

}  // namespace ranvier::reference
