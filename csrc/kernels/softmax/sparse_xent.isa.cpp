// Cross-entropy of logits with integer labels, and its gradient. No probability is rounded before its
// logarithm: loss = log(sum exp(x - max)) + (max - x[label]).
#include "kernels/softmax/rows.h"
#include "kernels/table.h"

namespace ranvier::RANVIER_ISA {
namespace {

// labels[i], or -1 when it is outside [0, cols).
inline std::int64_t label_at(const void* labels, bool label64, std::int64_t i, std::int64_t cols) {
  const std::int64_t label =
      label64 ? static_cast<const std::int64_t*>(labels)[i] : static_cast<const std::int32_t*>(labels)[i];
  return label >= 0 && label < cols ? label : -1;
}

template <class T>
std::int64_t sparse_xent(std::int64_t rows, std::int64_t cols, const T* x, const void* labels, bool label64,
                         T* loss) {
  const T* limit = x + rows * cols;
  std::int64_t bad = -1;
  // kStrip rows at a time, so that their logarithms are taken together.
  for (std::int64_t begin = 0; begin < rows; begin += kStrip) {
    const std::int64_t count = rows - begin < kStrip ? rows - begin : kStrip;
    Strip<T> behind{}, sum{};
    for (std::int64_t r = 0; r < count; ++r) {
      const T* row = x + (begin + r) * cols;
      const std::int64_t label = label_at(labels, label64, begin + r, cols);
      T max;
      row_stats(cols, row, limit, max, sum.v[r]);
      behind.v[r] = label >= 0 ? max - row[label] : T(__builtin_nan(""));
      if (label < 0 && bad < 0) bad = begin + r;
    }
    for (int l = 0; l < kStrip; ++l) sum.v[l] = log_(sum.v[l]) + behind.v[l];
    store_strip(loss + begin, count, sum);
  }
  return bad;
}

template <class T>
void sparse_xent_grad(std::int64_t rows, std::int64_t cols, const T* x, const void* labels, bool label64,
                      const T* g, T* out) {
  const T* limit = x + rows * cols;
  const T* out_limit = out + rows * cols;
  for (std::int64_t r = 0; r < rows; ++r, x += cols, out += cols) {
    const std::int64_t label = label_at(labels, label64, r, cols);
    const T upstream = g[r];
    if (label < 0) {
      for (std::int64_t c = 0; c < cols; ++c) out[c] = T(0);
    } else if (cols <= kStrip) {
      Strip<T> e = load_strip<T>(x, cols, limit, kNegInf<T>);
      const T max = fold<FastMaxOp, T>(lanes_of(e));
      for (int l = 0; l < kStrip; ++l) e.v[l] = exp_(e.v[l] - max);
      const T scale = T(1) / fold<AddOp, T>(lanes_of(e));
      for (int l = 0; l < kStrip; ++l) e.v[l] = upstream * (e.v[l] * scale - (l == label ? T(1) : T(0)));
      store_strip(out, cols, e);
    } else {
      const T max = row_max(cols, x, limit);
      map_row(cols, x, limit, out, [=](T value) { return exp_(value - max); });
      const T scale = T(1) / row_sum(cols, static_cast<const T*>(out), out_limit);
      const T at_label = upstream * (out[label] * scale - T(1));
      map_row(cols, static_cast<const T*>(out), out_limit, out, [=](T e) { return upstream * (e * scale); });
      out[label] = at_label;
    }
  }
}

}  // namespace

#define RANVIER_SPARSE_XENT(suffix, T)                                                                    \
  std::int64_t sparse_xent_##suffix(std::int64_t rows, std::int64_t cols, const T* x, const void* labels, \
                                    bool label64, T* loss) {                                              \
    return sparse_xent(rows, cols, x, labels, label64, loss);                                             \
  }                                                                                                       \
  void sparse_xent_grad_##suffix(std::int64_t rows, std::int64_t cols, const T* x, const void* labels,    \
                                 bool label64, const T* g, T* out) {                                      \
    sparse_xent_grad(rows, cols, x, labels, label64, g, out);                                             \
  }
RANVIER_SPARSE_XENT(f32, float)
RANVIER_SPARSE_XENT(f64, double)
#undef RANVIER_SPARSE_XENT

}  // namespace ranvier::RANVIER_ISA
