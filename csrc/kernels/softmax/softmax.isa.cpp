// Softmax and log-softmax over rows, and their gradients. Every row reads its maximum, then exponentials of
// differences, so nothing overflows; a row of -inf only gives NaN, a NaN makes its row NaN.
#include "kernels/softmax/rows.h"
#include "kernels/table.h"

namespace ranvier::RANVIER_ISA {
namespace {

template <class T>
void softmax(std::int64_t rows, std::int64_t cols, const T* x, T* out) {
  const T* limit = x + rows * cols;
  if (cols <= kStrip) {
    for (std::int64_t r = 0; r < rows; ++r, x += cols, out += cols) {
      Strip<T> e = load_strip<T>(x, cols, limit, kNegInf<T>);
      const T max = fold<FastMaxOp, T>(lanes_of(e));
      for (int l = 0; l < kStrip; ++l) e.v[l] = exp_(e.v[l] - max);
      const T scale = T(1) / fold<AddOp, T>(lanes_of(e));
      for (int l = 0; l < kStrip; ++l) e.v[l] *= scale;
      store_strip(out, cols, e);
    }
    return;
  }
  const T* out_limit = out + rows * cols;
  for (std::int64_t r = 0; r < rows; ++r, x += cols, out += cols) {
    const T max = row_max(cols, x, limit);
    map_row(cols, x, limit, out, [=](T value) { return exp_(value - max); });
    const T scale = T(1) / reduce_row<AddOp, T>(out, cols, out_limit);
    map_row(cols, static_cast<const T*>(out), out_limit, out, [=](T value) { return value * scale; });
  }
}

template <class T>
void log_softmax(std::int64_t rows, std::int64_t cols, const T* x, T* out) {
  const T* limit = x + rows * cols;
  // kStrip rows at a time, so that their logarithms are taken together.
  for (std::int64_t begin = 0; begin < rows; begin += kStrip) {
    const std::int64_t count = rows - begin < kStrip ? rows - begin : kStrip;
    Strip<T> max{}, log_sum{};
    for (std::int64_t r = 0; r < count; ++r)
      row_stats(cols, x + (begin + r) * cols, limit, max.v[r], log_sum.v[r]);
    for (int l = 0; l < kStrip; ++l) log_sum.v[l] = log_(log_sum.v[l]);
    for (std::int64_t r = 0; r < count; ++r) {
      const std::int64_t at = (begin + r) * cols;
      const T m = max.v[r], s = log_sum.v[r];
      map_row(cols, x + at, limit, out + at, [=](T value) { return (value - m) - s; });
    }
  }
}

template <class T>
void softmax_grad(std::int64_t rows, std::int64_t cols, const T* y, const T* g, T* out) {
  std::int64_t readable = rows * cols;
  for (std::int64_t r = 0; r < rows; ++r, y += cols, g += cols, out += cols, readable -= cols) {
    const T dot = row_dot(cols, y, g, readable);
    map_rows(cols, y, g, readable, out, [=](T a, T b) { return a * (b - dot); });
  }
}

template <class T>
void log_softmax_grad(std::int64_t rows, std::int64_t cols, const T* y, const T* g, T* out) {
  std::int64_t readable = rows * cols;
  for (std::int64_t r = 0; r < rows; ++r, y += cols, g += cols, out += cols, readable -= cols) {
    const T sum = row_sum(cols, g, g + readable);
    map_rows(cols, y, g, readable, out, [=](T a, T b) { return b - exp_(a) * sum; });
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
