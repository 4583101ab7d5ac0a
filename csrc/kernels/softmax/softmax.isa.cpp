// Softmax and log-softmax over rows, and their gradients. Every row reads its maximum, then exponentials of
// differences, so nothing overflows; a row of -inf only gives NaN, a NaN makes its row NaN.
#include "kernels/softmax/rows.h"
#include "kernels/table.h"

namespace ranvier::RANVIER_ISA {
namespace {

template <class T>
void softmax(std::int64_t rows, std::int64_t cols, const T* x, T* out) {
  if (cols <= kStrip)
    return softmax_short_rows(rows, cols, x,
                              [=](std::int64_t r, const Strip<T>& p) { store_strip(out + r * cols, cols, p); });
  const T* limit = x + rows * cols;
  const T* out_limit = out + rows * cols;
  for (std::int64_t r = 0; r < rows; ++r, x += cols, out += cols) {
    const T scale = T(1) / exp_row(cols, x, limit, out);
    map_row(cols, static_cast<const T*>(out), out_limit, out,
            [=](const Strip<T>& e) { return map(e, [=](NativeVec<T> v) { return v * scale; }); });
  }
}

template <class T>
void log_softmax(std::int64_t rows, std::int64_t cols, const T* x, T* out) {
  const T* limit = x + rows * cols;
  // kStrip rows at a time, so that their logarithms are taken together.
  for (std::int64_t begin = 0; begin < rows; begin += kStrip) {
    const std::int64_t count = rows - begin < kStrip ? rows - begin : kStrip;
    T max[kStrip], log_sum[kStrip] = {};
    for (std::int64_t r = 0; r < count; ++r)
      row_stats(cols, x + (begin + r) * cols, limit, max[r], log_sum[r]);
    for (int l = 0; l < kStrip; ++l) log_sum[l] = log_(log_sum[l]);
    for (std::int64_t r = 0; r < count; ++r) {
      const std::int64_t at = (begin + r) * cols;
      const T m = max[r], s = log_sum[r];
      map_row(cols, x + at, limit, out + at,
              [=](const Strip<T>& a) { return map(a, [=](NativeVec<T> v) { return (v - m) - s; }); });
    }
  }
}

template <class T>
void softmax_grad(std::int64_t rows, std::int64_t cols, const T* y, const T* g, T* out) {
  using V = NativeVec<T>;
  std::int64_t readable = rows * cols;
  for (std::int64_t r = 0; r < rows; ++r, y += cols, g += cols, out += cols, readable -= cols) {
    const T dot = row_dot(cols, y, g, readable);
    map_rows(cols, y, g, readable, out, [=](const Strip<T>& a, const Strip<T>& b) {
      return map(a, b, [=](V p, V q) { return p * (q - dot); });
    });
  }
}

template <class T>
void log_softmax_grad(std::int64_t rows, std::int64_t cols, const T* y, const T* g, T* out) {
  using V = NativeVec<T>;
  std::int64_t readable = rows * cols;
  for (std::int64_t r = 0; r < rows; ++r, y += cols, g += cols, out += cols, readable -= cols) {
    const T sum = row_sum(cols, g, g + readable);
    map_rows(cols, y, g, readable, out, [=](const Strip<T>& a, const Strip<T>& b) {
      const Strip<T> p = map_elements(a, [](T value) { return exp_(value); });
      return map(p, b, [=](V e, V q) { return q - e * sum; });
    });
  }
}

}  // namespace

#define RANVIER_SOFTMAX(suffix, T)                                                                       \
  void softmax_##suffix(std::int64_t rows, std::int64_t cols, const T* x, T* out) {                      \
    softmax(rows, cols, x, out);                                                                         \
  }                                                                                                      \
  void log_softmax_##suffix(std::int64_t rows, std::int64_t cols, const T* x, T* out) {                  \
    log_softmax(rows, cols, x, out);                                                                     \
  }                                                                                                      \
  void softmax_grad_##suffix(std::int64_t rows, std::int64_t cols, const T* y, const T* g, T* out) {     \
    softmax_grad(rows, cols, y, g, out);                                                                 \
  }                                                                                                      \
  void log_softmax_grad_##suffix(std::int64_t rows, std::int64_t cols, const T* y, const T* g, T* out) { \
    log_softmax_grad(rows, cols, y, g, out);                                                             \
  }
RANVIER_SOFTMAX(f32, float)
RANVIER_SOFTMAX(f64, double)
#undef RANVIER_SOFTMAX

}  // namespace ranvier::RANVIER_ISA
